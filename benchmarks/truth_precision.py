"""How precise the matrix element of gg -> gamma gamma g g is: against an evaluation with twice the digits.

python benchmarks/truth_precision.py [--points N] [--seed N] [--quick] [--json PATH]

Points flat in phase space inside the default cuts at 1 TeV. "double": double precision everywhere; "returned": what
`pyamp.truth` returns, which evaluates a point again in double-double where cancellations in double show an error of
1e-7 or more. The reference is double-double (32 digits) with momentum conservation restored to these digits.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import _common
import _studies
import numpy as np
from rich.progress import track

import pyamp
from pyamp import _core
from pyamp.phase_space import PhaseSpace

PROCESS = "gg_to_aagg_1tev"
PHOTONS = [2, 3]
POINTS, QUICK_POINTS, CHUNK = 10_000, 100, 20
RESCUE_FROM = 1e-7  # largest_error in csrc/amplitudes/gg_to_aagg/gg_to_aagg.cpp
QUANTILES = {"median": 0.5, "q90": 0.9, "q95": 0.95, "q98": 0.98, "q99": 0.99, "q999": 0.999, "largest": 1.0}

COLUMNS = {
    "value": "value",
    "points": "points",
    **{name: name for name in QUANTILES},
    "share_above_1em6": "above 1e-6",
    "share_above_accuracy": "above accuracy",
    "cpu_ms": "CPU ms",
}


@dataclass(frozen=True)
class Comparison:
    """Relative errors and what was known about them, each of shape (n,).

    Attributes
    ----------
    double, returned : ndarray
        Relative error in double precision, and of the returned value.
    seen : ndarray
        Error that cancellations show in double precision.
    accuracy : ndarray
        Accuracy returned with the value.
    cpu_ms : dict
        Processor time per point, by value: "double", "returned", "reference".
    """

    double: np.ndarray
    returned: np.ndarray
    seen: np.ndarray
    accuracy: np.ndarray
    cpu_ms: dict[str, float]


def colour_sum(classes: np.ndarray) -> np.ndarray:
    """Σ_hel [9 Σ_c |A_c|² − 4/3 |Σ_c A_c|²] of amplitudes ``(n, 3, 64)``."""
    squares = (np.abs(classes) ** 2).sum(axis=1)
    return (9 * squares - 4 / 3 * np.abs(classes.sum(axis=1)) ** 2).sum(axis=1)


def compare(points: int, seed: int) -> Comparison:
    """Evaluate every point in double, in double-double and as users do."""
    truth = pyamp.truth("gg_to_aagg", alpha_s=1.0, alpha=1.0)
    prefactor = 4 * np.pi**2 * (11 / 9) ** 2
    momenta = PhaseSpace(PROCESS).sample(points, seed=seed).momenta
    found: dict[str, list[np.ndarray]] = {name: [] for name in ("double", "returned", "seen", "accuracy")}
    cpu_s = dict.fromkeys(("double", "returned", "reference"), 0.0)

    def timed(name: str, call, *arguments):
        start = time.process_time()
        result = call(*arguments)
        cpu_s[name] += time.process_time() - start
        return result

    for first in track(range(0, points, CHUNK), description="points"):
        chunk = momenta[first : first + CHUNK]
        double, errors = timed("double", _core.quark_loop.amplitudes, chunk, PHOTONS)
        classes, _ = timed("reference", _core.quark_loop.amplitudes_double_double, chunk, PHOTONS)
        returned = np.asarray(timed("returned", truth.me2, chunk)) / prefactor
        _, accuracy = truth.me2(chunk, return_accuracy=True)
        reference = colour_sum(classes)
        found["double"].append(np.abs(colour_sum(double) / reference - 1))
        found["returned"].append(np.abs(returned / reference - 1))
        found["seen"].append(errors[:, 1:].max(axis=1))
        found["accuracy"].append(accuracy)
    arrays = {name: np.concatenate(values) for name, values in found.items()}
    return Comparison(**arrays, cpu_ms={name: 1e3 * total / points for name, total in cpu_s.items()})


def summarise(comparison: Comparison) -> list[dict[str, object]]:
    """A row for the value in double, the returned value, and the returned value where it was not evaluated again."""
    kept = comparison.seen < RESCUE_FROM

    def row(
        value: str, error: np.ndarray, accuracy: np.ndarray | None, cpu_ms: float | None
    ) -> dict[str, object]:
        return {
            "process": PROCESS,
            "value": value,
            "points": len(error),
            **{name: float(np.quantile(error, q)) for name, q in QUANTILES.items()},
            "share_above_1em6": float((error > 1e-6).mean()),
            "share_above_accuracy": None if accuracy is None else float((error > accuracy).mean()),
            "share_above_10_accuracy": None if accuracy is None else float((error > 10 * accuracy).mean()),
            "share_rescued": float((~kept).mean()),
            "cpu_ms": cpu_ms,
        }

    c = comparison
    return [
        row("double", c.double, None, c.cpu_ms["double"]),
        row("returned", c.returned, c.accuracy, c.cpu_ms["returned"]),
        row("not rescued", c.returned[kept], c.accuracy[kept], None),
    ]


def draw(path: Path, comparison: Comparison) -> None:
    """Distribution of the errors, and the error against what cancellations show."""
    with _studies.figure(path, 1, 2, "gg → γγgg at 1 TeV, against twice the digits") as axes:
        left, right = axes[0]
        for label, error in (("double", comparison.double), ("returned", comparison.returned)):
            ordered = np.sort(np.maximum(error, 1e-17))[::-1]
            left.step(ordered, np.arange(1, len(ordered) + 1) / len(ordered), where="post", label=label)
        left.set_xlabel("relative error")
        left.set_ylabel("share of points above")
        left.legend()
        right.plot(
            np.maximum(comparison.seen, 1e-17), np.maximum(comparison.double, 1e-17), ".", markersize=2
        )
        right.axvline(RESCUE_FROM, color="black", linestyle="--", label="evaluated again")
        right.set_xlabel("error seen in double")
        right.set_ylabel("relative error in double")
        right.legend()
        for ax in (left, right):
            ax.set_xscale("log")
            ax.set_yscale("log")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = _common.parser(__doc__)
    parser.add_argument("--points", type=int, metavar="N", help=f"points ({POINTS}; quick: {QUICK_POINTS})")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    options.points = options.points or (QUICK_POINTS if options.quick else POINTS)
    return options


def main() -> None:
    """Measure, print, and write on request; the figure goes beside the record."""
    options = parse()
    comparison = compare(options.points, options.seed)
    rows = summarise(comparison)
    _common.print_table("gg → γγgg: relative error of ⟨|M|²⟩", rows, COLUMNS)
    print(
        f"evaluated again: {100 * rows[0]['share_rescued']:.2f} % of the points; reference: "
        f"{comparison.cpu_ms['reference']:.0f} ms a point"
    )
    if options.json:
        _common.write(options.json, "truth_precision", options.seed, options.quick, rows)
        draw(options.json.with_suffix(".png"), comparison)


if __name__ == "__main__":
    main()
