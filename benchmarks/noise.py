"""Noise on the training amplitudes, found again in the learned σ_syst.

python benchmarks/noise.py [--quick] [--json PATH] [--directory DIR]

Training amplitudes are A (1 + f z) with z normal (arXiv:2412.12069). With σ_syst,0 from the training without noise the
extracted noise of a point is √(σ_syst² − σ_syst,0²)/A; a row has its median over flat test points beside f, negative
where the difference is. Its error is from trainings with other seeds where there are several; the error from the number
of test points is smaller. The goal is a ratio within 2 % of 1. A Gaussian of ln A cannot be exact: ln(1 + f z) is not
normal, and the ratio for the best possible surrogate is 1 + 3f²/2 (1.015 at 10 %). The same with σ_tot in place of
σ_syst is for evidential regression, whose loss fixes σ_tot but not its parts.
"""

import math
from pathlib import Path

import _studies
import numpy as np
from _uncertainty import (
    EVIDENTIAL,
    GAUSSIAN,
    POSTERIORS,
    STEPS,
    Prediction,
    configuration,
    median_of,
    over_runs,
    train,
)

LEVELS = [0.0025, 0.005, 0.01, 0.02, 0.05, 0.1]
QUICK_LEVELS = [0.01, 0.05]
CONFIGURATIONS = {  # posterior, likelihood, trainings with other seeds
    "deterministic": ("deterministic", GAUSSIAN, 2),
    "evidential": ("deterministic", EVIDENTIAL, 1),
    "bayesian": ("bayesian", GAUSSIAN, 1),
    "repulsive": ("repulsive", GAUSSIAN, 1),
}


def measure(study: _studies.Study) -> _studies.Rows:
    """A row for every configuration and noise level."""
    levels = QUICK_LEVELS if study.quick else LEVELS

    training, validation = study.data.training(importance=0.0)
    test = study.data.tests()[0].dataset

    def predicted(name: str, fraction: float, seed: int) -> Prediction:
        posterior, likelihood, _ = CONFIGURATIONS[name]
        noise = {"type": "global", "fraction": fraction} if fraction else {"type": "none"}
        config = configuration(POSTERIORS[posterior], likelihood, study.scale, noise=noise, seed=seed)
        return Prediction.of(train(config, training, validation), test)

    def compare(clean: Prediction, found: Prediction, fraction: float) -> dict[str, float]:
        total, total_err = median_of(np.square(found.relative("tot")) - np.square(clean.relative("tot")))
        squares = [np.square(p.relative("syst")) for p in (found, clean)]
        # Median of the differences, not of their roots: fluctuations below 0 count.
        square, square_err = median_of(squares[0] - squares[1])
        return {
            "ratio": math.copysign(math.sqrt(abs(square)), square) / fraction,
            "ratio_err_points": square_err / (2.0 * math.sqrt(abs(square)) * fraction),
            "ratio_tot": math.copysign(math.sqrt(abs(total)), total) / fraction,
            "ratio_tot_err_points": total_err / (2.0 * math.sqrt(abs(total)) * fraction),
            "sigma_syst_0": float(np.median(clean.relative("syst"))),
            "sigma_syst": float(np.median(found.relative("syst"))),
            "sigma_stat": float(np.median(found.relative("stat"))),
            "median_abs_delta": float(np.median(np.abs(found.delta))),
        }

    def make(name: str) -> _studies.Rows:
        posterior, likelihood, runs = CONFIGURATIONS[name]
        seeds = range(study.data.seed, study.data.seed + (1 if study.quick else runs))
        clean = {seed: predicted(name, 0.0, seed) for seed in seeds}
        rows = []
        for fraction in levels:
            found = [compare(clean[seed], predicted(name, fraction, seed), fraction) for seed in seeds]
            ratio, ratio_err = over_runs([run["ratio"] for run in found])
            rows.append(
                {
                    "name": name,
                    "posterior": posterior,
                    "likelihood": likelihood["type"],
                    "n_train": len(training),
                    "n_test": len(test),
                    "runs": len(seeds),
                    "injected": fraction,
                    **{key: over_runs([run[key] for run in found])[0] for key in found[0]},
                    "extracted": ratio * fraction,
                    "ratio": ratio,
                    "ratio_err": ratio_err,
                    "ratio_of_best": 1.0 + 1.5 * fraction**2,
                }
            )
        return rows

    return study.rows(list(CONFIGURATIONS), make, lambda name: [levels, STEPS, CONFIGURATIONS[name]])


def draw(path: Path, rows: _studies.Rows) -> None:
    """Extracted over injected noise."""
    title = "gg → γγg: noise extracted from σ_syst; as in arXiv:2412.12069; grey: goal of 2 %"
    with _studies.figure(path, 1, 2, title) as axes:
        left, right = axes[0]
        for name in dict.fromkeys(row["name"] for row in rows):
            of_name = [row for row in rows if row["name"] == name]
            x = [100 * row["injected"] for row in of_name]
            left.plot(x, [100 * row["extracted"] for row in of_name], "o-", label=name)
            right.errorbar(
                x,
                [row["ratio"] for row in of_name],
                yerr=[row["ratio_err"] or row["ratio_err_points"] for row in of_name],
                fmt="o-",
                label=name,
            )
            if of_name[0]["likelihood"] == "evidential" and "ratio_tot" in of_name[0]:
                right.plot(x, [row["ratio_tot"] for row in of_name], "s--", label="evidential, from σ_tot")
        x = np.geomspace(min(row["injected"] for row in rows), max(row["injected"] for row in rows), 50)
        left.plot(100 * x, 100 * x, color="black", linewidth=1)
        left.set_yscale("log")
        left.set_ylabel("extracted noise [%]")
        right.axhspan(0.98, 1.02, color="lightgrey")
        right.plot(
            100 * x, 1 + 1.5 * x**2, color="black", linestyle="--", label="Gaussian of ln A, best possible"
        )
        right.set_ylim(0.5, 1.5)
        right.set_ylabel("extracted / injected")
        for ax in axes[0]:
            ax.set_xscale("log")
            ax.set_xlabel("injected noise [%]")
            ax.legend()


COLUMNS = {
    "name": "configuration",
    "injected": "injected",
    "sigma_syst_0": "σ_syst,0",
    "sigma_syst": "σ_syst",
    "extracted": "extracted",
    "ratio": "ratio",
    "ratio_err": "± runs",
    "ratio_err_points": "± points",
    "ratio_tot": "ratio of σ_tot",
    "sigma_stat": "σ_stat",
    "median_abs_delta": "median |Δ|",
}

if __name__ == "__main__":
    _studies.main("noise", __doc__, measure, COLUMNS, draw)
