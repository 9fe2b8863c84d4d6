"""Boosted training: deviations and pulls before and after, for points that were trained on and for others.

python benchmarks/boosting.py [--quick] [--json PATH] [--directory DIR]

After the common training follow rounds of loss boosting (points with |pull| > 2 weigh 5), performance boosting (three
more copies of the 200 points with the largest σ) or both in turn (arXiv:2206.14831, Sec. 4). "further" is what as many
steps give on all points alike: only the difference from it is due to boosting. The published effect is that large
amplitudes get more accurate and the pulls of training points narrower; whether that holds for other points is the
question.
"""

from pathlib import Path

import _studies
import numpy as np
from _uncertainty import POSTERIORS, Prediction, configuration, over_runs, pull_numbers, train

N_TRAIN = 20_000
RUNS = 2
STEPS = 4000
ROUND = {
    "steps": 500,
    "batch_size": 256,
    "learning_rate": 1e-3,
    "warmup_steps": 0,
    "validation_interval": 250,
}
ROUNDS = {"loss": 5, "performance": 10, "alternating": 8}
NAMES = ["before", "further", *ROUNDS]
KEYS = (
    "median_abs_delta",
    "q99_abs_delta",
    "rms_delta",
    "top1pct_abs_delta",
    "sigma_syst",
    "pull_width",
    "pull_rms",
    "coverage68",
    "coverage95",
)


def measure(study: _studies.Study) -> _studies.Rows:
    """For every kind of boosting a row for points of the training and one for others."""
    whole, validation = study.data.training(importance=0.0)
    training = whole.select(slice(0, max(200, round(N_TRAIN / study.scale))))
    samples = {"train": training, "test": study.data.tests()[0].dataset}
    runs = 1 if study.quick else RUNS

    def one(name: str, seed: int) -> dict[str, dict[str, float]]:
        options: dict[str, object] = {}
        if name == "further":
            options["then"] = [ROUND | {"steps": max(ROUNDS.values()) * ROUND["steps"]}]
        elif name in ROUNDS:
            rounds = max(1, round(ROUNDS[name] / max(1.0, study.scale / 5)))
            options["boosting"] = {"type": name, "rounds": rounds, "training": ROUND}
        config = configuration(
            POSTERIORS["deterministic"], None, study.scale, steps=STEPS, seed=seed, **options
        )
        surrogate = train(config, training, validation)
        return {sample: _numbers(Prediction.of(surrogate, points)) for sample, points in samples.items()}

    def make(name: str) -> _studies.Rows:
        found = [one(name, study.data.seed + run) for run in range(runs)]
        rows = []
        for sample, points in samples.items():
            row = {
                "name": name,
                "sample": sample,
                "rounds": ROUNDS.get(name, 0),
                "n_train": len(training),
                "n_points": len(points),
                "runs": runs,
            }
            for key in KEYS:
                row[key], row[f"{key}_err"] = over_runs([run[sample][key] for run in found])
            rows.append(row)
        return rows

    return study.rows(NAMES, make, lambda name: [STEPS, N_TRAIN, RUNS, ROUND, ROUNDS.get(name)])


def _numbers(found: Prediction) -> dict[str, float]:
    size = np.abs(found.delta)
    largest = found.truth >= np.quantile(found.truth, 0.99)
    pulls = pull_numbers(found.pulls("tot"))
    return {
        "median_abs_delta": float(np.median(size)),
        "q99_abs_delta": float(np.quantile(size, 0.99)),
        "rms_delta": float(np.sqrt(np.mean(size**2))),
        "top1pct_abs_delta": float(np.median(size[largest])),
        "sigma_syst": float(np.median(found.relative("syst"))),
        **{key: pulls[key] for key in ("pull_width", "pull_rms", "coverage68", "coverage95")},
    }


def draw(path: Path, rows: _studies.Rows) -> None:
    """Deviations and pulls of both samples for every kind of boosting."""
    title = "gg → γγg: boosted training, as in arXiv:2206.14831, Sec. 4"
    panels = {
        "median_abs_delta": "median |Δ|",
        "top1pct_abs_delta": "median |Δ| of the 1 % largest amplitudes",
        "pull_width": "width of the core of t_syst",
        "pull_rms": "RMS of t_syst",
    }
    with _studies.figure(path, 2, 2, title) as axes:
        for ax, (key, label) in zip(axes.flatten(), panels.items(), strict=True):
            for offset, sample in ((-0.1, "train"), (0.1, "test")):
                chosen = [row for row in rows if row["sample"] == sample]
                ax.errorbar(
                    np.arange(len(chosen)) + offset,
                    [row[key] for row in chosen],
                    yerr=[row[f"{key}_err"] or 0.0 for row in chosen],
                    fmt="o",
                    label=sample,
                )
            ax.set_xticks(range(len(chosen)), [row["name"] for row in chosen])
            ax.set_ylabel(label)
            ax.legend()


COLUMNS = {
    "name": "training",
    "sample": "sample",
    "median_abs_delta": "median |Δ|",
    "median_abs_delta_err": "±",
    "q99_abs_delta": "99 %",
    "top1pct_abs_delta": "1 % largest",
    "sigma_syst": "σ_syst",
    "pull_width": "width",
    "pull_width_err": "±",
    "pull_rms": "RMS t",
    "coverage68": "68 %",
    "coverage95": "95 %",
}

if __name__ == "__main__":
    _studies.main("boosting", __doc__, measure, COLUMNS, draw)
