"""Time per point on a GPU: pyamp's kernels and Torch, against ceilings that are measured in the same run.

python benchmarks/_throughput_gpu.py [--quick] [--json PATH] [--net NAME …]        (or throughput.py --gpu)

CUDA events around repeated calls. "pyamp fused" and the Torch rows go from float64 momenta on the GPU to amplitude and
uncertainties there; pyamp's also check every point. The limit of a network is the larger of its multiply-adds at the
measured float32 (float64) matrix rate, TF32 off, and of its momenta and results at the measured copy bandwidth;
percent_of_peak compares with that, so that tensor cores may exceed 100. error is the amplitude's largest relative
deviation from the CPU's float64 with the same weights, at up to 4096 points.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import _common
import _throughput_nets as nets
import numpy as np
import torch

import pyamp
from pyamp.kinematics import invariants
from pyamp.surrogate import Surrogate

BATCHES = (1, 1024, 65536, 1 << 22)
ROUNDS = 9
TENSOR_CORES = "tensor cores"
Row = dict[str, object]
Call = Callable[[], object]


def seconds(call: Call, at_least: float = 0.02) -> list[float]:
    """Seconds of one call, from ROUNDS series of calls, each between two events."""
    for _ in range(3):
        call()
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)

    def series(calls: int) -> float:
        begin.record()
        for _ in range(calls):
            call()
        end.record()
        end.synchronize()
        return 1e-3 * begin.elapsed_time(end) / calls

    calls = max(1, int(at_least / max(series(3), 1e-6)))
    return [series(calls) for _ in range(ROUNDS)]


def copy_bandwidth() -> float:
    """Bytes read and written per second by a copy of 4 GB."""
    source = torch.rand(1 << 29, dtype=torch.float64, device="cuda")
    target = torch.empty_like(source)
    return 2 * 8 * source.numel() / min(seconds(lambda: target.copy_(source)))


def matrix_rate(dtype: torch.dtype) -> float:
    """Floating-point operations per second of a product of random matrices in that arithmetic proper."""
    torch.backends.cuda.matmul.allow_tf32 = False
    n = 8192
    a, b = (torch.randn((n, n), dtype=dtype, device="cuda") for _ in range(2))
    return 2 * n**3 / min(seconds(lambda: torch.mm(a, b), at_least=0.1))


def row(limit: float | None, times: list[float], batch: int, **entries: object) -> Row:
    """One line of the table; `limit` in seconds per point."""
    per_point = 1e9 / batch
    result: Row = {
        **entries,
        "batch": batch,
        "ns_per_point": statistics.median(times) * per_point,
        "ns_per_point_min": min(times) * per_point,
    }
    if limit is not None:
        result["percent_of_peak"] = 100 * limit * batch / statistics.median(times)
    return result


def invariants_rows(bandwidth: float, batches: tuple[int, ...], legs: int = 5) -> list[Row]:
    """The invariants and their gradient, against what a copy of the same bytes would take."""
    rows = []
    pairs = legs * (legs - 1) // 2
    backward = torch.ops.pyamp.invariants_backward
    for batch in batches:
        momenta = torch.randn((batch, legs, 4), dtype=torch.float64, device="cuda")
        grad = torch.randn((batch, pairs), dtype=torch.float64, device="cuda")
        for net, call, numbers in (
            ("invariants", lambda m=momenta: invariants(m), 4 * legs + pairs),
            ("invariants backward", lambda m=momenta, g=grad: backward(g, m, 2), 8 * legs + pairs),
        ):
            limit = 8 * numbers / bandwidth
            times = seconds(call)
            rows.append(
                row(limit, times, batch, net=net, dtype="float64", backend="pyamp kernel", device="cuda")
            )
    return rows


def graphed(call: Call) -> Call:
    """The same call recorded once in a CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay


def candidates(
    model: Path, surrogate: Surrogate, momenta: torch.Tensor, own_only: bool
) -> dict[str, Callable[[], Call]]:
    """What runs a network from momenta to predictions; each is built when its turn comes."""

    def fused(tensor_cores: bool = False) -> Call:
        evaluate = pyamp.Evaluator(
            model, device="cuda", backend="fused", policy="nan", tensor_cores=tensor_cores
        )
        if tensor_cores and not evaluate.backend.endswith(TENSOR_CORES):
            raise pyamp.PyampError(evaluate.backend_reason)
        return lambda: evaluate(momenta)

    def compiled() -> Call:
        module = torch.compile(surrogate)
        return lambda: module(momenta)

    result = {
        "pyamp fused": fused,
        "pyamp fused, graph": lambda: graphed(fused()),
    }
    if surrogate.dtype == torch.float32:
        result |= {
            f"pyamp fused, {TENSOR_CORES}": lambda: fused(tensor_cores=True),
            f"pyamp fused, {TENSOR_CORES}, graph": lambda: graphed(fused(tensor_cores=True)),
        }
    if not own_only:
        result |= {
            "Torch eager": lambda: lambda: surrogate(momenta),
            "Torch compile": compiled,
            "Torch eager, graph": lambda: graphed(lambda: surrogate(momenta)),
        }
    return result


def largest_error(values: torch.Tensor, expected: np.ndarray) -> float:
    """Largest relative deviation of the first amplitudes."""
    found = values[: len(expected)].cpu().numpy()
    return float(np.abs(found / expected - 1).max())


def agree(values: torch.Tensor, reference: torch.Tensor, dtype: torch.dtype) -> bool:
    """Amplitudes without couplings, up to a common factor."""
    ratio = values / reference
    spread = (ratio / ratio.median() - 1).abs().max().item()
    return spread < (1e-3 if dtype == torch.float32 else 1e-9)


def network_rows(
    net: nets.Net,
    batches: tuple[int, ...],
    rate: float,
    bandwidth: float,
    folder: Path,
    own_only: bool,
) -> list[Row]:
    """One network in all batches, with what failed to run as a row that says why."""
    sample = nets.sample(net, 4096)
    surrogate = nets.build(net, sample)
    model = nets.write(folder / f"{net.name}.safetensors", net, surrogate, sample)
    surrogate = surrogate.cuda().eval()
    flop = nets.flop(surrogate)
    rows: list[Row] = []
    for batch in batches:
        repeats = -(-batch // len(sample))
        momenta = torch.from_numpy(sample).cuda().repeat(repeats, 1, 1)[:batch].contiguous()
        bytes_per_point = 8 * momenta[0].numel() + 3 * 8 + 4
        limit = max(flop / rate, bytes_per_point / bandwidth)
        entries = {"net": net.name, "dtype": net.dtype_name, "device": "cuda", "batch": batch}
        with torch.inference_mode():
            expected = surrogate(momenta[:4096]).amplitude
            exact = pyamp.Evaluator(model, dtype="float64", policy="nan")(sample[:batch]).amplitude
            for name, build in candidates(model, surrogate, momenta, own_only).items():
                try:
                    call = build()
                    found: Row = {"backend": name}
                    if name.startswith("pyamp") and "graph" not in name:
                        amplitude = call().amplitude
                        if not agree(amplitude[:4096], expected, net.dtype):
                            raise pyamp.PyampError("disagrees with Torch")
                        found["error"] = largest_error(amplitude, exact)
                    rows.append(row(limit, seconds(call), **entries | found))
                except (RuntimeError, pyamp.PyampError) as error:
                    rows.append({**entries, "backend": name, "failed": str(error).splitlines()[0]})
                torch.cuda.synchronize()
    return rows


def run(options: argparse.Namespace) -> None:
    """Measure everything, print, and write on request."""
    if not torch.cuda.is_available():
        raise SystemExit(
            "no CUDA device: this benchmark runs on a machine with a GPU and a Torch built for it"
        )
    batches = BATCHES[:3] if options.quick else BATCHES
    bandwidth = copy_bandwidth()
    rates = {dtype: matrix_rate(dtype) for dtype in (torch.float32, torch.float64)}
    rows: list[Row] = [{"net": "ceiling", "backend": "copy", "device": "cuda", "gb_per_s": 1e-9 * bandwidth}]
    for dtype, rate in rates.items():
        name = str(dtype).removeprefix("torch.")
        rows.append(
            {
                "net": "ceiling",
                "backend": "matmul",
                "device": "cuda",
                "dtype": name,
                "tflop_per_s": 1e-12 * rate,
            }
        )
    if torch.version.cuda is not None:
        rows += invariants_rows(bandwidth, batches)
    with tempfile.TemporaryDirectory() as folder:
        for net in nets.NETS:
            if net.name in options.net:
                rows += network_rows(
                    net, batches, rates[net.dtype], bandwidth, Path(folder), options.own_only
                )
    columns = {
        "net": "net",
        "backend": "backend",
        "dtype": "dtype",
        "batch": "batch",
        "ns_per_point": "ns/point",
        "ns_per_point_min": "min",
        "percent_of_peak": "% of limit",
        "error": "error",
        "gb_per_s": "GB/s",
        "tflop_per_s": "TFLOP/s",
        "failed": "failed",
    }
    _common.print_table("time per point on a GPU", rows, columns)
    if options.json:
        _common.write(options.json, "throughput_gpu", nets.SEED, options.quick, rows)


def main() -> None:
    """Command line of its own."""
    parser = _common.parser(__doc__)
    names = [net.name for net in nets.NETS]
    parser.add_argument(
        "--net", nargs="+", default=names, choices=names, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument("--own-only", action="store_true", help="pyamp's kernels without peers")
    run(parser.parse_args())


if __name__ == "__main__":
    main()
