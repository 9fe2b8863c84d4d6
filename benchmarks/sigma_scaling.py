"""σ_syst and σ_stat against the number of training points.

python benchmarks/sigma_scaling.py [--quick] [--json PATH] [--directory DIR]

Training amplitudes carry relative noise of 2 %, so that there is something systematic to be found: with more points
σ_syst should reach it as a plateau and σ_stat fall (arXiv:2206.14831, 2412.12069). Steps are the same for all. Numbers
are medians over flat test points of σ/A, errors from trainings with other seeds.
"""

from pathlib import Path

import _studies
import numpy as np
from _uncertainty import POSTERIORS, Prediction, configuration, over_runs, train

NOISE = 0.02
STEPS = 3000
FRACTIONS = [0.1, 0.3, 1.0]
RUNS = 2
NAMES = ["deterministic", "bayesian", "ensemble", "repulsive"]
KEYS = ("sigma_syst", "sigma_stat", "median_abs_delta", "stat_over_error")


def measure(study: _studies.Study) -> _studies.Rows:
    """A row for every posterior and number of points."""
    whole, validation = study.data.training(importance=0.0)
    test = study.data.tests()[0].dataset
    runs = 1 if study.quick else RUNS

    def one(name: str, n_train: int, seed: int) -> dict[str, float]:
        config = configuration(
            POSTERIORS[name],
            None,
            study.scale,
            steps=STEPS,
            noise={"type": "global", "fraction": NOISE},
            seed=seed,
        )
        found = Prediction.of(train(config, whole.select(slice(0, n_train)), validation), test)
        error = float(np.median(np.abs(found.delta))) / 0.6745  # width of a normal with this median
        stat = float(np.median(found.relative("stat")))
        return {
            "sigma_syst": float(np.median(found.relative("syst"))),
            "sigma_stat": stat,
            "median_abs_delta": float(np.median(np.abs(found.delta))),
            "stat_over_error": stat / error,
        }

    def make(name: str) -> _studies.Rows:
        rows = []
        for fraction in FRACTIONS:
            n_train = round(fraction * len(whole))
            found = [one(name, n_train, study.data.seed + run) for run in range(runs)]
            row = {
                "name": name,
                "posterior": name,
                "n_train": n_train,
                "n_test": len(test),
                "noise": NOISE,
                "runs": runs,
            }
            for key in KEYS:
                row[key], row[f"{key}_err"] = over_runs([run[key] for run in found])
            rows.append(row)
        return rows

    return study.rows(NAMES, make, lambda name: [STEPS, NOISE, FRACTIONS, RUNS, POSTERIORS[name]])


def draw(path: Path, rows: _studies.Rows) -> None:
    """Both uncertainties and the error of the mean against N_train."""
    title = "gg → γγg, 2 % noise: σ_syst to a plateau, σ_stat falling, as in arXiv:2206.14831 and 2412.12069"
    with _studies.figure(path, 1, 3, title) as axes:
        for ax, key, label in zip(
            axes[0],
            ("sigma_syst", "sigma_stat", "stat_over_error"),
            ("median σ_syst/A", "median σ_stat/A", "median σ_stat/A over median |Δ|/0.674"),
            strict=True,
        ):
            for name in dict.fromkeys(row["name"] for row in rows):
                of_name = [row for row in rows if row["name"] == name and row[key] > 0]
                if of_name:
                    ax.errorbar(
                        [row["n_train"] for row in of_name],
                        [row[key] for row in of_name],
                        yerr=[row[f"{key}_err"] or 0.0 for row in of_name],
                        fmt="o-",
                        label=name,
                    )
            ax.set_xscale("log")
            ax.set_xlabel("training points")
            ax.set_ylabel(label)
            if key == "sigma_syst":
                ax.axhline(NOISE, color="black", linestyle="--", label="injected noise")
            if key == "sigma_stat":
                ax.set_yscale("log")
                n = np.array([rows[0]["n_train"], max(row["n_train"] for row in rows)])
                start = np.mean(
                    [r["sigma_stat"] for r in rows if r["n_train"] == n[0] and r["sigma_stat"] > 0]
                )
                ax.plot(n, start * np.sqrt(n[0] / n), color="black", linestyle=":", label="1/√N")
            if key == "stat_over_error":
                ax.axhline(1.0, color="black", linewidth=1)
            ax.legend()


COLUMNS = {
    "name": "posterior",
    "n_train": "N_train",
    "sigma_syst": "σ_syst",
    "sigma_syst_err": "±",
    "sigma_stat": "σ_stat",
    "sigma_stat_err": "±",
    "median_abs_delta": "median |Δ|",
    "median_abs_delta_err": "±",
    "stat_over_error": "σ_stat/error",
}

if __name__ == "__main__":
    _studies.main("sigma_scaling", __doc__, measure, COLUMNS, draw)
