"""Accuracy and calibration of surrogates for gg → γγg, on points that were not trained on.

python benchmarks/accuracy.py [--quick] [--json PATH] [--directory DIR]

Each row is given twice: for points flat in phase space, and for points weighted with the amplitude, which is what
unweighting and cross sections see. The goal of the reference configuration is a median |Δ| of at most 3e-4 (flat)
with 90,000 training points at √s = 1 TeV.
"""

import tempfile
from pathlib import Path

import _common

from pyamp.datasets import generate
from pyamp.training import TrainingConfig, train

N_TRAIN, N_VALIDATION, N_TEST = 90_000, 3_000, 30_000
SEED = 1


def measure(directory: Path, quick: bool, seed: int) -> list[dict[str, object]]:
    """Train the reference surrogate and return a row for each sample."""
    scale = 10 if quick else 1
    n_points = (N_TRAIN + N_VALIDATION + N_TEST) // scale
    dataset = generate(
        "gg_to_aag_1tev", n_points, directory / "points.h5", seed=seed, workers=2, progress=True
    )
    config = TrainingConfig(
        steps=40_000 // scale,
        validation_fraction=N_VALIDATION / scale / n_points,
        test_fraction=N_TEST / scale / n_points,
        seed=seed,
    )
    metrics = train(dataset, directory / "run", config, resume=True, show_progress=True).metrics
    common = {
        "process": dataset.info.process.name,
        "n_train": N_TRAIN // scale,
        "representation": "log_invariants",
        "network": "mlp " + "-".join(map(str, config.network.hidden)) + " " + config.network.activation,
        "likelihood": "heteroskedastic_gaussian",
        "posterior": "deterministic",
        "steps": config.steps,
        "n_parameters": metrics["n_parameters"],
        "train_s": metrics["train_s"],
        "x_max": metrics["x_max"],
    }
    return [{**common, "sample": sample, **metrics[sample]} for sample in ("flat", "amplitude")]


def main() -> None:
    """Measure, print, and write on request."""
    parser = _common.parser(__doc__)
    parser.add_argument(
        "--directory", type=Path, help="keep the dataset and the run there, and resume from it"
    )
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory = options.directory or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        rows = measure(directory, options.quick, options.seed)
    columns = {
        "sample": "sample",
        "n_train": "n_train",
        "network": "network",
        "median_abs_delta": "median |Δ|",
        "rms_delta": "RMS Δ",
        "q99_abs_delta": "99 %",
        "top1pct_abs_delta": "1 % largest",
        "top01pct_abs_delta": "0.1 % largest",
        "pull_width": "pull width",
        "coverage68": "68 %",
        "coverage95": "95 %",
        "train_s": "training s",
    }
    _common.print_table("accuracy, gg → γγg at 1 TeV", rows, columns)
    if options.json:
        _common.write(options.json, "accuracy", options.seed, options.quick, rows)


if __name__ == "__main__":
    main()
