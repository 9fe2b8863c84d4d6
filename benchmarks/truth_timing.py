"""Time per point of the exact matrix elements, from Python, on one core.

python benchmarks/truth_timing.py [--quick] [--json PATH]
"""

import _common
import numpy as np

import pyamp

REFERENCE = _common.ROOT / "tests" / "reference"


def measure(process: str, repeats: int, batches: tuple[int, ...]) -> list[dict[str, object]]:
    """Rows for single points and batches, with and without the accuracy estimate."""
    truth = pyamp.truth(process)
    # Points inside experimental cuts at √s = 1 TeV; the time depends little on where they lie.
    with np.load(REFERENCE / f"{process}_openloops.npz") as file:
        points = file["momenta"]
    rows: list[dict[str, object]] = []
    for batch in batches:
        momenta = points[0] if batch == 1 else np.resize(points, (batch, *points.shape[1:]))
        for accuracy in (False, True):

            def call(momenta: np.ndarray = momenta, accuracy: bool = accuracy) -> object:
                return truth.me2(momenta, return_accuracy=accuracy)

            times = 1e6 / batch * _common.seconds(call, repeats)
            rows.append(
                {
                    "process": process,
                    "version": truth.version,
                    "batch": batch,
                    "accuracy": accuracy,
                    "us_per_point": float(np.median(times)),
                    "us_per_point_min": float(times.min()),
                    "us_per_point_q10": float(np.quantile(times, 0.1)),
                    "us_per_point_q90": float(np.quantile(times, 0.9)),
                    "repeats": repeats,
                }
            )
    return rows


def main() -> None:
    """Measure, print, and write on request."""
    parser = _common.parser(__doc__)
    options = parser.parse_args()
    rows = measure("gg_to_aag", 5 if options.quick else 51, (1, 100, 10_000))
    columns = {
        "process": "process",
        "batch": "batch",
        "accuracy": "accuracy",
        "us_per_point": "µs/point (median)",
        "us_per_point_q10": "10 %",
        "us_per_point_q90": "90 %",
        "us_per_point_min": "least",
    }
    _common.print_table("Truth: time per point, one core, from Python", rows, columns)
    if options.json:
        _common.write(options.json, "truth_timing", None, options.quick, rows)


if __name__ == "__main__":
    main()
