"""Noise and gaps at a mass m_γγg: learned σ over expected, in bins of the mass.

python benchmarks/smearing.py [--quick] [--json PATH] [--directory DIR]

Training amplitudes are smeared by 5 % within 20 GeV of m_γγg = 200 GeV (box), by min(10 %, 1 % · 20 GeV/|m − 200 GeV|)
(peaked), or left out within 20 GeV (gap), as in arXiv:2509.00155. Points have partonic energies of 150 to 260 GeV, flat
in ln τ. Expected is √(σ_tot,0² + f²) at each point, with σ_tot,0 from the training on untouched points and f the
smearing; a bin has the median of the learned relative σ_tot over the expected one. In the gap there is nothing to be
expected: there the numbers to look at are σ_stat and the actual error, both over those without a gap.

Invariants over s_01 are free of a scale, as is the amplitude of massless particles, and cannot see a mass of all
outgoing legs. The option ``energy`` of the representation adds ln s_01; "deterministic, no energy" shows what happens
without.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import _studies
import numpy as np
import torch
from _uncertainty import (
    EVIDENTIAL,
    GAUSSIAN,
    POSTERIORS,
    REPRESENTATION,
    Prediction,
    bootstrap,
    configuration,
    train,
)

from pyamp.datasets import Dataset, generate
from pyamp.kinematics import invariant_mass
from pyamp.processes import Process, load_process

LOW, HIGH, CENTRE, WIDTH = 150.0, 260.0, 200.0, 20.0
EDGES = [
    150.0,
    160.0,
    170.0,
    175.0,
    180.0,
    185.0,
    190.0,
    200.0,
    210.0,
    215.0,
    220.0,
    225.0,
    230.0,
    240.0,
    260.0,
]
N_TRAIN, N_VALIDATION, N_TEST = 60_000, 4_000, 40_000
STEPS = 16_000  # smooth networks are slow to learn steps of σ
HIDDEN = [48, 48]
NOISE: dict[str, dict[str, Any]] = {
    "none": {"type": "none"},
    "box": {"type": "box", "fraction": 0.05, "centre": CENTRE, "width": WIDTH},
    "peaked": {"type": "peaked", "fraction": 0.01, "threshold": CENTRE, "width": WIDTH, "cap": 0.1},
    "gap": {"type": "gap", "centre": CENTRE, "width": WIDTH},
}
CONFIGURATIONS = {
    "deterministic": ("deterministic", GAUSSIAN, True),
    "evidential": ("deterministic", EVIDENTIAL, True),
    "bayesian": ("bayesian", GAUSSIAN, True),
    "deterministic, no energy": ("deterministic", GAUSSIAN, False),
}


def process() -> Process:
    """The LHC card between the energies of this study."""
    values = load_process("gg_to_aag_lhc13").model_dump(exclude_none=True)
    values["energy"] |= {"sqrt_s_hat_min": LOW, "sqrt_s_hat_max": HIGH, "tau_exponent": 0.0}
    return Process.model_validate(values | {"name": "gg_to_aag_150_260gev"})


def measure(study: _studies.Study) -> _studies.Rows:
    """A row for every configuration, kind of noise and bin."""
    n_train, n_validation, n_test = (
        max(300, round(n / study.scale)) for n in (N_TRAIN, N_VALIDATION, N_TEST)
    )
    card = process()
    seed = study.data.seed

    def points(n: int, of_seed: int) -> Dataset:
        return generate(card, n, study.directory / f"{card.name}_{n}_seed{of_seed}.h5", seed=of_seed)

    training, validation = points(n_train + n_validation, seed).split(n_train, n_validation)
    test = points(n_test, seed + _studies.TEST_SEED)
    mass = invariant_mass(torch.from_numpy(test.momenta), range(2, 5), 2).numpy()

    def predicted(name: str, kind: str) -> Prediction:
        posterior, likelihood, energy = CONFIGURATIONS[name]
        config = configuration(
            POSTERIORS[posterior],
            likelihood,
            study.scale,
            noise=NOISE[kind],
            representation={**REPRESENTATION, "energy": energy},
            steps=STEPS,
            network={"type": "mlp", "hidden": HIDDEN},
            seed=seed,
        )
        return Prediction.of(train(config, training, validation), test)

    def make(name: str) -> _studies.Rows:
        found = {kind: predicted(name, kind) for kind in NOISE}
        return [
            row
            for kind in NOISE
            if kind != "none"
            for row in _bins(name, kind, found["none"], found[kind], mass, test, len(training))
        ]

    return study.rows(
        list(CONFIGURATIONS), make, lambda name: [NOISE, STEPS, HIDDEN, EDGES, CONFIGURATIONS[name]]
    )


def _bins(
    name: str,
    kind: str,
    clean: Prediction,
    found: Prediction,
    mass: np.ndarray,
    test: Dataset,
    n_train: int,
) -> _studies.Rows:
    from pyamp.datasets.noise import BoxNoise, PeakedNoise

    models = {"box": BoxNoise, "peaked": PeakedNoise}
    fraction = (
        models[kind].model_validate(NOISE[kind]).relative_sigma(test.momenta)
        if kind in models
        else np.zeros(len(mass))
    )
    rows = []
    for low, high in pairwise(EDGES):
        inside = (mass >= low) & (mass < high)
        learned, before = found.relative("tot")[inside], clean.relative("tot")[inside]

        def ratio(sigma: np.ndarray, without: np.ndarray, f: np.ndarray) -> float:
            return float(np.median(sigma / np.hypot(without, f)))

        value, error = bootstrap(ratio, learned, before, fraction[inside])
        stat = found.relative("stat")[inside], clean.relative("stat")[inside]
        delta = np.abs(found.delta[inside]), np.abs(clean.delta[inside])
        has_stat = np.median(stat[1]) > 0
        rows.append(
            {
                "name": name,
                "noise": kind,
                "m_low": low,
                "m_high": high,
                "n_train": n_train,
                "n_points": int(inside.sum()),
                "injected": float(np.median(fraction[inside])),
                "sigma_tot_0": float(np.median(before)),
                "sigma_tot": float(np.median(learned)),
                "ratio": value,
                "ratio_err": error,
                "sigma_stat": float(np.median(stat[0])),
                "stat_over_clean": float(np.median(stat[0]) / np.median(stat[1])) if has_stat else None,
                "median_abs_delta": float(np.median(delta[0])),
                "error_over_clean": float(np.median(delta[0]) / np.median(delta[1])),
            }
        )
    return rows


def draw(path: Path, rows: _studies.Rows) -> None:
    """σ over expected against the mass for each kind of noise."""
    title = "gg → γγg: smearing and gap at m_γγg = 200 GeV, as in arXiv:2509.00155; 1: found as injected"
    names = list(dict.fromkeys(row["name"] for row in rows))
    with _studies.figure(path, 2, 3, title) as axes:
        for column, kind in enumerate(name for name in NOISE if name != "none"):
            for index, name in enumerate(names):
                chosen = [row for row in rows if row["name"] == name and row["noise"] == kind]
                x = [0.5 * (row["m_low"] + row["m_high"]) for row in chosen]
                colour = f"C{index}"
                top, bottom = axes[0, column], axes[1, column]
                top.step(x, [row["sigma_tot"] for row in chosen], where="mid", color=colour, label=name)
                if kind == "gap":
                    bottom.plot(x, [row["error_over_clean"] for row in chosen], "o:", color=colour)
                    if chosen and chosen[0]["stat_over_clean"] is not None:
                        values = [row["stat_over_clean"] for row in chosen]
                        bottom.plot(x, values, "-", color=colour, label=f"σ_stat, {name}")
                else:
                    values, errors = ([row[key] for row in chosen] for key in ("ratio", "ratio_err"))
                    bottom.errorbar(x, values, errors, fmt="o-", color=colour, label=name)
            if kind != "gap":
                chosen = [row for row in rows if row["name"] == names[0] and row["noise"] == kind]
                top.step(x, [row["injected"] for row in chosen], where="mid", color="black", label="injected")
            top.set_title(kind)
            top.set_yscale("log")
            top.set_ylabel("median σ_tot/A")
            top.legend(fontsize=8)
            bottom.axhline(1.0, color="black", linewidth=1)
            bottom.set_ylabel(
                "with / without gap: σ_stat (lines), |Δ| (points)" if kind == "gap" else "learned / expected"
            )
            bottom.set_xlabel("m_γγg [GeV]")
            bottom.set_yscale("log")
            bottom.legend(fontsize=8)


COLUMNS = {
    "name": "configuration",
    "noise": "noise",
    "m_low": "from GeV",
    "m_high": "to",
    "injected": "injected",
    "sigma_tot": "σ_tot",
    "ratio": "learned/expected",
    "ratio_err": "±",
    "stat_over_clean": "σ_stat/clean",
    "error_over_clean": "|Δ|/clean",
}

if __name__ == "__main__":
    _studies.main("smearing", __doc__, measure, COLUMNS, draw)
