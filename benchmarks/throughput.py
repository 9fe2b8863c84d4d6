"""Time per point of pyamp and its peers, in one run, interleaved, in CPU seconds of one thread; and what limits it.

python benchmarks/throughput.py [--quick] [--json PATH] [--net NAME …] [--sherpa] [--gpu]

Every backend gets the same float64 input, its outputs are checked against pyamp's before it is timed, and rounds go
over all backends in turn. "features": the bare network, from its input layer to its outputs. "momenta": features
included; "pyamp fused, evaluator" and "…, C ABI" also check every point and end with amplitude and uncertainties.
Peers are no dependencies of pyamp: pip install onnxruntime onnx onnxscript; apt install libeigen3-dev; g++.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import _common
import _throughput_backends as backends
import _throughput_nets as nets
import numpy as np
import torch
from _throughput_backends import Backend, Task

import pyamp

SECONDS_OF_A_TASK = 3.0
BATCHES = (1, 64, 1024, 65536)
Row = dict[str, object]
Times = dict[tuple[str, int, str, str], np.ndarray]

FUSED, AMX, LIBTORCH = "pyamp fused", "pyamp AMX", "pyamp LibTorch"
NETWORKS = {
    FUSED: partial(backends.pyamp_network, kind="fused"),
    LIBTORCH: partial(backends.pyamp_network, kind="libtorch"),
    "Torch eager, Python": backends.Eager,
    "TorchScript": backends.torchscript,
    "AOTInductor": backends.aotinductor,
    "ONNX Runtime": backends.onnxruntime,
    "Eigen": backends.eigen,
}
EVALUATOR, C_ABI = f"{FUSED}, evaluator", f"{FUSED}, C ABI"
PRODUCTS = {
    EVALUATOR: partial(backends.pyamp_product, kind="fused"),
    C_ABI: partial(backends.pyamp_c_interface, kind="fused"),
    f"{LIBTORCH}, evaluator": partial(backends.pyamp_product, kind="libtorch"),
}
SLOW_TO_BUILD = {"TorchScript", "AOTInductor", "Eigen"}


def candidates(task: Task, options: argparse.Namespace) -> dict[str, Callable[[Task], Backend]]:
    """The backends that can run a task."""
    unordered = task.net.representation == nets.INVARIANTS
    result: dict[str, Callable[[Task], Backend]] = dict(
        NETWORKS if not task.from_momenta or unordered else {}
    )
    if task.from_momenta:
        result |= PRODUCTS
        result.pop("Eigen", None)
    if options.own_only or options.amx:
        result = {name: make for name, make in result.items() if name.startswith(FUSED)}
    if options.amx and task.net.dtype == torch.float32:
        result[AMX] = backends.pyamp_tiles
    if options.quick:
        result = {name: make for name, make in result.items() if name not in SLOW_TO_BUILD}
    return result


def check(task: Task, built: dict[str, Backend]) -> None:
    """The same network must give the same outputs everywhere."""
    tolerance = 1e-3 if task.net.dtype == torch.float32 else 1e-9
    for group in (NETWORKS, PRODUCTS):
        outputs = {name: backend.outputs() for name, backend in built.items() if name in group}
        for name, values in outputs.items():
            reference = next(iter(outputs.values()))
            largest = float(np.abs(reference).max())
            if values.shape != reference.shape or not np.abs(values - reference).max() <= tolerance * largest:
                raise pyamp.PyampError(
                    f"net {task.net.name}, batch {task.batch}: {name} disagrees with {next(iter(outputs))}; "
                    f"remove {backends.CACHE} and try again"
                )


def time_task(task: Task, built: dict[str, Backend], rounds: int, seconds: float) -> dict[str, np.ndarray]:
    """Nanoseconds per point of every backend, one number for each round."""
    calls, longest = {}, 0.0
    for name, backend in built.items():
        one = backend.seconds(1)  # the outputs were checked before: this is not the first call
        some = max(1, int(0.2 * seconds / one))
        one = backend.seconds(some) / some if some > 1 else one
        calls[name] = max(1, int(seconds / max(one, 1e-7)))
        longest += calls[name] * one
    rounds = max(3, min(rounds, int(SECONDS_OF_A_TASK / longest)))
    times: dict[str, list[float]] = {name: [] for name in built}
    for _ in range(rounds):
        for name, backend in built.items():
            times[name].append(1e9 * backend.seconds(calls[name]) / (calls[name] * task.batch))
    return {name: np.array(values) for name, values in times.items()}


def limit_ns(task: Task, peak: float, bandwidth: Callable[[int], float]) -> float:
    """Nanoseconds per point that multiply-adds, or reading the weights once a call, cost at least."""
    size = 4 if task.net.dtype == torch.float32 else 8
    weights = size * sum(value.numel() for value in task.surrogate.posterior.tensors().values())
    numbers = 8 * (task.input[0].size + task.net.members * task.surrogate.likelihood.n_outputs)
    seconds_of_bytes = weights / bandwidth(weights) / task.batch + numbers / bandwidth(numbers * task.batch)
    return 1e9 * max(nets.flop(task.surrogate) / peak, seconds_of_bytes)


def measure(options: argparse.Namespace, folder: Path, instruction_set: str) -> tuple[list[Row], Times]:
    """Rows of all networks, and the times behind them."""
    peaks, bandwidth = backends.limits(instruction_set)
    batches = BATCHES[:2] if options.quick else BATCHES
    rounds, seconds = (3, 1e-3) if options.quick else (options.rounds, 4e-3)
    rows: list[Row] = []
    all_times: Times = {}
    missing = dict.fromkeys(
        SLOW_TO_BUILD if options.quick and not (options.own_only or options.amx) else (),
        "left out by --quick",
    )
    for net in nets.NETS:
        if net.name not in options.net:
            continue
        momenta = nets.sample(net, max(4096, *batches))
        surrogate = nets.build(net, momenta)
        model = nets.write(folder / f"{net.name}.safetensors", net, surrogate, momenta)
        features = np.ascontiguousarray(surrogate.representation(torch.from_numpy(momenta)).numpy())
        for batch in batches:
            for from_momenta in (False,) if options.amx else (False, True):
                plain = nets.PlainNetwork(surrogate, from_momenta and net.representation == nets.INVARIANTS)
                whole = momenta if from_momenta else features
                pool = np.ascontiguousarray(whole[: max(batch, 4096 // batch * batch)])
                task = Task(net, surrogate, model, plain.eval(), from_momenta, batch, pool)
                built: dict[str, Backend] = {}
                for name, make in candidates(task, options).items():
                    try:
                        built[name] = make(task)
                    except backends.NotInstalled as reason:
                        missing[name] = f"not installed: {reason}"
                check(task, built)
                times = time_task(task, built, rounds, seconds)
                best = min(float(np.median(values)) for values in times.values())
                peak = peaks[net.dtype_name]
                limit = limit_ns(task, peak, bandwidth)
                start = "momenta" if from_momenta else "features"
                for name, values in times.items():
                    all_times[net.name, batch, start, name] = values
                    median = float(np.median(values))
                    rows.append(
                        {
                            "net": net.name,
                            "batch": batch,
                            "dtype": net.dtype_name,
                            "device": "cpu",
                            "instruction_set": instruction_set,
                            "input": start,
                            "backend": name,
                            "ns_per_point": median,
                            "ns_per_point_min": float(values.min()),
                            "ns_per_point_q10": float(np.quantile(values, 0.1)),
                            "ns_per_point_q90": float(np.quantile(values, 0.9)),
                            "gflops": nets.flop(surrogate) / median,
                            "percent_of_peak": 1e11 * nets.flop(surrogate) / median / peak,
                            "percent_of_limit": 100 * limit / median,
                            "ratio_to_best": median / best,
                        }
                    )
                print(f"net {net.name}, batch {batch}, {start}: done", file=sys.stderr, flush=True)
    rows += [{"backend": name, "note": note} for name, note in sorted(missing.items())]
    again, _ = backends.limits(instruction_set)
    for dtype, peak in peaks.items():
        best = max(peak, again[dtype])
        rows.append(
            {
                "limit": "multiply-adds",
                "instruction_set": instruction_set,
                "dtype": dtype,
                "gflops": best / 1e9,
            }
        )
        for row in rows:
            if row.get("dtype") == dtype and "percent_of_peak" in row:
                row["percent_of_peak"] = 100 * float(row["gflops"]) / (best / 1e9)
    for size in (1 << 14, 1 << 19, 1 << 20, 1 << 28):
        rows.append({"limit": "reading", "bytes": size, "gb_per_s": bandwidth(size) / 1e9})
    rows.append({"limit": "copying", "bytes": 1 << 28, "gb_per_s": backends.copy_bandwidth() / 1e9})
    return rows, all_times


def goals(rows: list[Row], times: Times) -> list[Row]:
    """What pyamp wants to reach, and what this run reached; ratios are medians over rounds."""
    result: list[Row] = []

    def add(goal: str, wanted: float, at_least: bool, reached: float) -> None:
        met = reached >= wanted if at_least else reached <= wanted
        result.append({"goal": goal, "wanted": wanted, "reached": reached, "met": bool(met)})

    def ratio(net: str, batch: int, start: str, slow: str, fast: str) -> float | None:
        pair = [times.get((net, batch, start, name)) for name in (slow, fast)]
        if pair[0] is None or pair[1] is None:
            return None
        return float(np.median(pair[0] / pair[1]))

    for net, start, wanted in (
        ("A", "features", 22),
        ("A64", "features", 17),
        ("B", "features", 2),
        ("C", "features", 15),
        ("D", "momenta", 9),
    ):
        reached = ratio(net, 1, start, "ONNX Runtime", FUSED)
        if reached is not None:
            add(f"{net}, one point from {start}: ONNX Runtime over pyamp, at least", wanted, True, reached)
    for net, wanted in (("A", 45), ("B", 80), ("D", 65)):
        for row in rows:
            key = tuple(row.get(name) for name in ("net", "batch", "input", "backend"))
            if key == (net, 1024, "features", FUSED) and "beside" not in row:
                add(
                    f"{net}, 1024 points, {row['instruction_set']}: % of its peak, at least",
                    wanted,
                    True,
                    float(row["percent_of_peak"]),
                )
    for net in ("A", "B", "C", "D"):
        small, large = (times.get((net, batch, "features", FUSED)) for batch in (64, 1024))
        if small is not None and large is not None:
            add(
                f"{net}: 64 over 1024 points, per point, at most",
                1.15,
                False,
                float(np.median(small) / np.median(large)),
            )
    for net in ("A", "B", "C", "D"):
        product, bare = times.get((net, 1, "momenta", EVALUATOR)), times.get((net, 1, "features", FUSED))
        if product is not None and bare is not None:
            more = float(np.median(product) - np.median(bare))
            add(f"{net}, one point: ns of the evaluator above its kernel, at most", 60, False, more)
    for row in rows:
        if row.get("where") == "sherpa":
            more = float(row["ns_whole"]) - float(row["ns_alone"])
            add(f"{row['net']} in Sherpa: ns of a call above the C ABI alone, at most", 300, False, more)
    return result


def own_rows(instruction_set: str, choice: str, options: argparse.Namespace, folder: Path) -> list[Row]:
    """pyamp's own rows from another process, since a process chooses its kernels once, and AMX slows its neighbours.

    Parameters
    ----------
    instruction_set : str
        Of the kernels.
    choice : str
        ``--own-only`` or ``--amx``.
    """
    path = folder / "own.json"
    command = [sys.executable, __file__, choice, "--json", str(path), "--net", *options.net]
    command += ["--rounds", str(options.rounds), *(["--quick"] if options.quick else [])]
    environment = {**os.environ, "PYAMP_INSTRUCTION_SET": instruction_set}
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise pyamp.PyampError(
            f"the run with {instruction_set} kernels, {choice}, failed with status {done.returncode}"
        )
    rows = json.loads(path.read_text())["rows"]
    return [row for row in rows if row.get("instruction_set") and "goal" not in row]


def instruction_set_of_pyamp(model: Path) -> str:
    """By the name that the fused backend gives itself."""
    return pyamp.Evaluator(model).backend.split("(")[1].split(")")[0]


def show(rows: list[Row]) -> None:
    """The tables: times, limits, goals."""
    columns = {
        "net": "net",
        "batch": "batch",
        "dtype": "dtype",
        "instruction_set": "kernels",
        "beside": "beside",
        "input": "from",
        "backend": "backend",
        "ns_per_point": "ns/point",
        "ns_per_point_q10": "q10",
        "ns_per_point_q90": "q90",
        "percent_of_peak": "% of peak",
        "percent_of_limit": "% of limit",
        "ratio_to_best": "ratio",
    }
    _common.print_table("one thread, CPU time", [row for row in rows if "input" in row], columns)
    for row in rows:
        if "note" in row:
            print(f"{row['backend']}: {row['note']}")
    limits = {"limit": "limit", "instruction_set": "kernels", "dtype": "dtype", "bytes": "bytes"}
    columns = {**limits, "gflops": "GFLOP/s", "gb_per_s": "GB/s"}
    _common.print_table("what the machine can do", [row for row in rows if "limit" in row], columns)
    columns = {
        "net": "net",
        "calls": "calls",
        "ns_whole": "ns/call",
        "ns_whole_q10": "q10",
        "ns_whole_q90": "q90",
        "ns_inner": "in libpyamp",
        "ns_of_plugin": "in the plugin",
        "ns_alone": "libpyamp alone",
    }
    in_sherpa = [row for row in rows if "where" in row]
    if in_sherpa:
        _common.print_table("one call in Sherpa", in_sherpa, columns)
    columns = {"goal": "goal", "wanted": "wanted", "reached": "reached", "met": "met"}
    if of_goals := [row for row in rows if "goal" in row]:
        _common.print_table("goals", of_goals, columns)


def main() -> None:
    """Measure, print, and write on request."""
    parser = _common.parser(__doc__)
    names = [net.name for net in nets.NETS]
    parser.add_argument(
        "--net", nargs="+", default=names, choices=names, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument("--rounds", type=int, default=21, help="measurements of every backend (21)")
    parser.add_argument("--sherpa", action="store_true", help="also the calls inside Sherpa, of nets A and D")
    parser.add_argument("--gpu", action="store_true", help="the same on a GPU")
    parser.add_argument("--own-only", action="store_true", help="pyamp's own kernels without peers")
    parser.add_argument(
        "--amx", action="store_true", help="the bare networks by AMX and by the fused kernels"
    )
    options = parser.parse_args()
    if options.gpu:
        try:
            import _throughput_gpu
        except ModuleNotFoundError:
            raise pyamp.PyampError("--gpu: benchmarks/_throughput_gpu.py is not here") from None
        _throughput_gpu.run(options)
        return
    if options.quick and options.net == names:
        options.net = ["A", "D"]
    torch.set_num_threads(1)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = next(net for net in nets.NETS if net.name in options.net)
        momenta = nets.sample(first, 64)
        probe = nets.write(folder / "probe.safetensors", first, nets.build(first, momenta), momenta)
        instruction_set = instruction_set_of_pyamp(probe)
        rows, times = measure(options, folder, instruction_set)
        if options.amx:
            for row in rows:
                if "backend" in row and "input" in row:
                    row["beside"] = "AMX"
        elif instruction_set == "avx512" and not options.own_only:
            rows += own_rows("avx2", "--own-only", options, folder)
            if not backends.amx_obstacle():
                rows += own_rows("avx512", "--amx", options, folder)
        if options.sherpa:
            import _throughput_sherpa

            rows += [_throughput_sherpa.measure(name, folder, options.quick) for name in ("A", "D")]
    rows += goals(rows, times)
    show(rows)
    if options.json:
        _common.write(options.json, "throughput", nets.SEED, options.quick, rows)


if __name__ == "__main__":
    main()
