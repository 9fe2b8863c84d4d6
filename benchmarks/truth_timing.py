"""Time per point of the exact matrix elements, from Python: single points, batches, and batches shared by two threads.

python benchmarks/truth_timing.py [--quick] [--json PATH]

"µs/point" is wall time, "CPU" the processor time of all threads: on a busy machine only the latter says whether two
threads disturb each other.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import _common
import numpy as np

import pyamp
from pyamp.phase_space import PhaseSpace

POINTS = 200  # different ones; a batch repeats them
CASES = {  # batches, and repeats of full and quick measurements
    "gg_to_aag": ((1, 100, 10_000), (51, 5)),
    "gg_to_aagg": ((1, POINTS), (11, 2)),
}


def measure(process: str, batches: tuple[int, ...], repeats: int) -> list[dict[str, object]]:
    """Rows for single points and batches, with and without the accuracy estimate, with one thread and with two."""
    truth = pyamp.truth(process)
    # Points inside experimental cuts at √s = 1 TeV; the time depends little on where they lie.
    points = PhaseSpace(f"{process}_1tev").sample(POINTS, seed=1).momenta
    rows: list[dict[str, object]] = []
    cases = [(batch, accuracy, 1) for batch in batches for accuracy in (False, True)]
    with ThreadPoolExecutor(2) as pool:
        for batch, accuracy, threads in [*cases, (batches[-1], False, 2)]:
            momenta = points[0] if batch == 1 else np.resize(points, (batch, *points.shape[1:]))
            halves = np.array_split(momenta, 2)

            def one(momenta: np.ndarray = momenta, accuracy: bool = accuracy) -> object:
                return truth.me2(momenta, return_accuracy=accuracy)

            def two(parts: list[np.ndarray] = halves) -> object:
                return list(pool.map(truth.me2, parts))

            start, cpu_start = time.perf_counter(), time.process_time()
            times = 1e6 / batch * _common.seconds(one if threads == 1 else two, repeats)
            cpu_per_wall = (time.process_time() - cpu_start) / (time.perf_counter() - start)
            rows.append(
                {
                    "process": process,
                    "version": truth.version,
                    "batch": batch,
                    "accuracy": accuracy,
                    "threads": threads,
                    "us_per_point": float(np.median(times)),
                    "us_per_point_min": float(times.min()),
                    "us_per_point_q10": float(np.quantile(times, 0.1)),
                    "us_per_point_q90": float(np.quantile(times, 0.9)),
                    "cpu_us_per_point": float(times.mean() * cpu_per_wall),
                    "repeats": repeats,
                }
            )
    return rows


def main() -> None:
    """Measure, print, and write on request."""
    parser = _common.parser(__doc__)
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for process, (batches, repeats) in CASES.items():
        rows += measure(process, batches, repeats[options.quick])
    columns = {
        "process": "process",
        "batch": "batch",
        "accuracy": "accuracy",
        "threads": "threads",
        "us_per_point": "µs/point (median)",
        "us_per_point_q10": "10 %",
        "us_per_point_q90": "90 %",
        "us_per_point_min": "least",
        "cpu_us_per_point": "CPU",
    }
    _common.print_table("Truth: time per point, from Python", rows, columns)
    if options.json:
        _common.write(options.json, "truth_timing", None, options.quick, rows)


if __name__ == "__main__":
    main()
