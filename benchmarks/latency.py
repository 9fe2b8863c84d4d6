"""Time of one evaluator call against the same network in eager PyTorch, in one run, interleaved.

python benchmarks/latency.py MODEL [--quick] [--json PATH]

Both start from momenta and end with amplitude and σ_syst. The evaluator checks every point as well.
"""

from collections.abc import Callable
from pathlib import Path

import _common
import numpy as np
import torch

import pyamp
from pyamp.model_file import load_surrogate
from pyamp.phase_space import PhaseSpace


def measure(model: Path, repeats: int, batches: tuple[int, ...]) -> list[dict[str, object]]:
    """Rows for each batch size and backend; ratio_to_best compares within a batch size."""
    evaluator = pyamp.Evaluator(model)
    surrogate = load_surrogate(model)
    points = PhaseSpace("gg_to_aag_1tev").sample(max(batches), seed=7).momenta
    low, high = evaluator.domain["sqrt_s_hat"]
    if not low <= 1000.0 <= high:
        raise pyamp.PyampError(f"{model}: trained from {low:g} to {high:g} GeV, 1000 GeV needed here")
    rows = []
    for batch in batches:
        momenta = np.ascontiguousarray(points[:batch])
        tensor = torch.from_numpy(momenta)

        def eager(tensor: torch.Tensor = tensor) -> object:
            with torch.inference_mode():
                return surrogate(tensor)

        def compiled(momenta: np.ndarray = momenta) -> object:
            return evaluator(momenta)

        calls: dict[str, Callable[[], object]] = {"pyamp.Evaluator": compiled, "torch eager": eager}
        times: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(repeats):
            for name, call in calls.items():
                times[name].append(1e9 / batch * float(_common.seconds(call, 1)[0]))
        best = min(float(np.median(t)) for t in times.values())
        for name, t in times.items():
            rows.append(
                {
                    "net": "-".join(map(str, evaluator.header["network"]["widths"])),
                    "batch": batch,
                    "dtype": evaluator.header["dtype"],
                    "device": "cpu",
                    "backend": f"{name} ({evaluator.backend})" if name.startswith("pyamp") else name,
                    "threads": torch.get_num_threads(),
                    "ns_per_point": float(np.median(t)),
                    "ns_per_point_min": min(t),
                    "ns_per_point_q90": float(np.quantile(t, 0.9)),
                    "ratio_to_best": float(np.median(t)) / best,
                }
            )
    return rows


def main() -> None:
    """Measure, print, and write on request."""
    parser = _common.parser(__doc__)
    parser.add_argument("model", type=Path, help="model file of gg → γγg")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = measure(options.model, 5 if options.quick else 31, (1, 64, 1024))
    columns = {
        "net": "net",
        "batch": "batch",
        "dtype": "dtype",
        "backend": "backend",
        "ns_per_point": "ns/point",
        "ns_per_point_min": "min",
        "ns_per_point_q90": "q90",
        "ratio_to_best": "ratio",
    }
    _common.print_table("one call, from momenta to amplitude and σ", rows, columns)
    if options.json:
        _common.write(options.json, "latency", None, options.quick, rows)


if __name__ == "__main__":
    main()
