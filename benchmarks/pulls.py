"""Pulls and coverage of every posterior and likelihood, before and after recalibration.

python benchmarks/pulls.py [--quick] [--json PATH] [--directory DIR]

Pulls t = (A − A_true)/σ with σ_syst, σ_stat and σ_tot (arXiv:2206.14831, 2412.12069) on flat points that nothing was
fitted to. Recalibration (a scale, and isotonic in the relative σ_tot) is fitted on points that are neither those for
training nor those of the test. Goal after it: width of the core 1 ± 0.02, coverage 68.3 ± 0.5 % and 95.4 ± 0.5 %.

Without noise the deviations of a network are what its training left, of no particular shape; "2 % noise", on all
points, shows the same network where they are normal.
"""

from dataclasses import replace
from pathlib import Path

import _studies
import numpy as np
from _uncertainty import (
    EVIDENTIAL,
    GAUSSIAN,
    MIXTURE,
    POSTERIORS,
    STEPS,
    Prediction,
    configuration,
    noisy,
    pull_numbers,
    train,
)

from pyamp.calibration import SIGMA_68, SIGMA_95
from pyamp.recalibration import fit_recalibration

N_HELD_OUT = 30_000
HELD_OUT_SEED = 2000  # added to the seed of the training points
CONFIGURATIONS = {
    "deterministic": ("deterministic", GAUSSIAN),
    "deterministic, mixture": ("deterministic", MIXTURE),
    "deterministic, evidential": ("deterministic", EVIDENTIAL),
    "bayesian": ("bayesian", GAUSSIAN),
    "bayesian last layer": ("bayesian last layer", GAUSSIAN),
    "ensemble": ("ensemble", GAUSSIAN),
    "repulsive": ("repulsive", GAUSSIAN),
    "deterministic, 2 % noise": ("deterministic", GAUSSIAN),
}
NOISE = {"deterministic, 2 % noise": 0.02}  # on all points, those of the test included
KINDS = ("none", "scale", "isotonic")
EDGES = np.linspace(-5.0, 5.0, 51)


def measure(study: _studies.Study) -> _studies.Rows:
    """For every configuration a row without and with each kind of recalibration, and a histogram for each."""
    training, validation = study.data.training(importance=0.0)
    held_out = study.data.points(N_HELD_OUT, seed=study.data.seed + HELD_OUT_SEED)
    test = study.data.tests()[0].dataset

    def make(name: str) -> _studies.Rows:
        posterior, likelihood = CONFIGURATIONS[name]
        noise = {"type": "global", "fraction": NOISE.get(name, 0.0)}
        config = configuration(
            POSTERIORS[posterior], likelihood, study.scale, noise=noise, seed=study.data.seed
        )
        surrogate = train(config, training, validation)
        fitted, tested = (
            replace(Prediction.of(surrogate, points), truth=noisy(points, config, seed).amplitude.numpy())
            for points, seed in ((held_out, HELD_OUT_SEED), (test, _studies.TEST_SEED))
        )
        rows = []
        for kind in KINDS:
            found = tested if kind == "none" else recalibrated(kind, fitted, tested)
            row = {
                "name": name,
                "posterior": posterior,
                "likelihood": likelihood["type"],
                "recalibration": kind,
                "noise": NOISE.get(name, 0.0),
                "n_train": len(training),
                "n_held_out": len(held_out),
                "n_test": len(test),
                "median_abs_delta": float(np.median(np.abs(found.delta))),
                "sigma_syst": float(np.median(found.relative("syst"))),
                "sigma_stat": float(np.median(found.relative("stat"))),
                **pull_numbers(found.pulls("tot")),
                **pull_numbers(found.pulls("syst"), "syst_"),
            }
            if (found.stat > 0).all():
                row |= pull_numbers(found.pulls("stat"), "stat_")
            row["in_goal"] = (
                abs(row["pull_width"] - 1.0) <= 0.02
                and abs(row["coverage68"] - SIGMA_68) <= 0.005
                and abs(row["coverage95"] - SIGMA_95) <= 0.005
            )
            t = np.clip(found.pulls("tot"), EDGES[0], EDGES[-1])
            row["density"] = np.histogram(t, EDGES, density=True)[0].tolist()
            rows.append(row)
        return rows

    return study.rows(list(CONFIGURATIONS), make, lambda name: [STEPS, CONFIGURATIONS[name]])


def recalibrated(kind: str, fitted: Prediction, tested: Prediction) -> Prediction:
    """The predictions on test points with the recalibration that other points give."""
    found = fit_recalibration(kind, fitted.amplitude, fitted.truth, fitted.syst, fitted.stat)
    ratio = found.ratio(np.abs(tested.relative("tot")))
    return replace(tested, syst=ratio * tested.syst, stat=ratio * tested.stat)


def draw(path: Path, rows: _studies.Rows) -> None:
    """Pull distributions before and after, and coverages against the goal."""
    title = "gg → γγg: pulls with σ_tot, as in arXiv:2412.12069"
    names = list(dict.fromkeys(row["name"] for row in rows))
    centres = 0.5 * (EDGES[1:] + EDGES[:-1])
    with _studies.figure(path, 2, 2, title) as axes:
        for ax, kind in zip(axes[0], ("none", "isotonic"), strict=True):
            for row in rows:
                if row["recalibration"] == kind:
                    ax.step(centres, row["density"], where="mid", label=row["name"])
            ax.plot(centres, np.exp(-0.5 * centres**2) / np.sqrt(2 * np.pi), color="black", label="N(0, 1)")
            ax.set_yscale("log")
            ax.set_ylim(1e-4, 5)
            ax.set_xlabel("t_tot " + ("as trained" if kind == "none" else "recalibrated (isotonic)"))
            ax.legend(fontsize=8)
        for ax, (key, expected) in zip(
            axes[1], (("coverage68", SIGMA_68), ("coverage95", SIGMA_95)), strict=True
        ):
            for offset, kind in enumerate(KINDS):
                chosen = [row for row in rows if row["recalibration"] == kind]
                ax.errorbar(
                    np.arange(len(chosen)) + 0.2 * (offset - 1),
                    [row[key] for row in chosen],
                    yerr=[row[f"{key}_err"] for row in chosen],
                    fmt="o",
                    label={"none": "as trained"}.get(kind, kind),
                )
            ax.axhspan(expected - 0.005, expected + 0.005, color="lightgrey", label="goal")
            ax.set_xticks(range(len(names)), names, rotation=25, ha="right", fontsize=9)
            ax.set_ylabel(key.replace("coverage", "within ") + " %")
            ax.legend()


COLUMNS = {
    "name": "configuration",
    "recalibration": "recal.",
    "syst_pull_width": "width syst",
    "stat_pull_width": "stat",
    "pull_width": "tot",
    "pull_width_err": "±",
    "pull_rms": "RMS tot",
    "coverage68": "68 %",
    "coverage68_err": "±",
    "coverage95": "95 %",
    "coverage95_err": "±",
    "in_goal": "in goal",
}

if __name__ == "__main__":
    _studies.main("pulls", __doc__, measure, COLUMNS, draw)
