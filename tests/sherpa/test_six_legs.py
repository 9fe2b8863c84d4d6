"""g g → γ γ g g in Sherpa: do matrix element, phase-space channels, normalisation and second stage fit together?

The truth takes 8 ms a point, so that cross sections are those of a small surrogate, from Sherpa and from pyamp's own
phase space with its own flux, factors for identical photons and gluons, and cuts. The truth itself is compared point by
point, and in two stages by the mean of truth/surrogate. Agreement is asked for within 4 standard errors (false-positive
rate 6e-5 per comparison), of spectra with a p-value above 1e-4, were the seeds not fixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pylhe
import pytest
from scipy.stats import chi2

import pyamp
from pyamp.phase_space import PhaseSpaceSample
from pyamp.sherpa import SherpaResult, find_sherpa, run_card
from pyamp.truth import truth
from tests.sherpa.conftest import REFERENCE, process, selectors
from tests.sherpa.pdf_grid import gluon_density
from tests.sherpa.test_matrix_element import MODEL_ALPHA, record, surrogate_summed, truth_summed
from tests.sherpa.test_normalisation import ALPHA, ALPHA_S, PDF_SET, SCALE, agree, phase_space

PROCESS = "gg_to_aagg"
MODEL = REFERENCE / "models" / "gg_to_aagg_lhc13.safetensors"


def cuts(leading: float, subleading: float, gluon: float) -> list[Any]:
    return [*selectors(leading, subleading, gluon), ["DR", 21, 21, 0.4, 1000]]


def surrogate(sample: PhaseSpaceSample, alpha_s: float) -> np.ndarray:
    """|M|² of the surrogate with Sherpa's couplings, (n,)."""
    prediction = pyamp.Evaluator(MODEL, policy="nan")(
        sample.momenta, alpha_s=np.full(len(sample.weights), alpha_s)
    )
    assert not prediction.flags.any()
    return np.asarray(prediction.amplitude) * (ALPHA / MODEL_ALPHA) ** 2


def cross_section(run: SherpaResult) -> tuple[float, float]:
    return run.cross_section_pb, run.error_pb


@pytest.mark.parametrize(("card", "alpha_s_runs"), [("truth", True), ("partonic", False)])
def test_truth_point_by_point(run_directory: Path, card: str, alpha_s_runs: bool) -> None:
    points = record(card, None, run_directory, 40, process=PROCESS, PSI={"ITMIN": 5})
    assert points.from_truth.all()
    assert (np.ptp(points.alpha_s) > 0.01) == alpha_s_runs
    np.testing.assert_allclose(points.me2_summed, truth_summed(points, PROCESS), rtol=1e-9)


def test_surrogate_point_by_point(run_directory: Path) -> None:
    points = record("surrogate", MODEL, run_directory, 1000, process=PROCESS)
    expected, flags = surrogate_summed(MODEL, points)
    assert not points.from_truth.any()
    assert not flags.any()
    np.testing.assert_allclose(points.me2_summed, expected, rtol=1e-12)


@pytest.mark.parametrize("integrator", ["PyAmp", "Rambo"])
def test_partonic_cross_section(tmp_path: Path, run_directory: Path, integrator: str) -> None:
    sample = phase_space(tmp_path, "gg_to_aagg_1tev", {22: [100, 80], 21: 100}).trials(600_000, seed=5)
    settings = {
        "SELECTORS": cuts(100, 80, 100),
        "PROCESSES": process("21 21 -> 22 22 21 21", Order={"QCD": 4, "EW": 2}, Integrator=integrator),
        "EVENT_GENERATION_MODE": "Weighted",
        "PYAMP": {"MODE": "surrogate"},
        "PSI": {"ITMIN": 500},
    }
    result = run_card("partonic", MODEL, run_directory, settings, process=PROCESS, n_events=50_000)
    agree(cross_section(result), sample.integrate(surrogate(sample, 0.118)), 0.03)


HADRONIC = {"SELECTORS": cuts(100, 80, 80), "SCALES": f"VAR{{sqr({SCALE})}}", "PSI": {"ITMIN": 500}}


@dataclass(frozen=True)
class Hadronic:
    """Flat points of p p at 13 TeV, and the surrogate's |M|² with parton densities there, (n,)."""

    sample: PhaseSpaceSample
    integrand: np.ndarray


@pytest.fixture(scope="module")
def hadronic(tmp_path_factory: pytest.TempPathFactory) -> Hadronic:
    directory = tmp_path_factory.mktemp("card")
    sample = phase_space(directory, "gg_to_aagg_lhc13", {22: [100, 80], 21: 80}).trials(3_000_000, seed=11)
    gluon = gluon_density(find_sherpa() / "share" / "SHERPA-MC" / "LHAPDF" / PDF_SET, SCALE)
    x = sample.momenta[:, :2, 0] / 6500
    density = np.maximum(gluon(x), 0.0).prod(axis=1)  # interpolation dips below zero near x = 1
    return Hadronic(sample, density * surrogate(sample, ALPHA_S))


@pytest.fixture(scope="module")
def surrogate_run(tmp_path_factory: pytest.TempPathFactory) -> SherpaResult:
    settings = {**HADRONIC, "EVENT_OUTPUT": "LHEF[events]"}
    directory = tmp_path_factory.mktemp("surrogate")
    return run_card("surrogate", MODEL, directory, settings, process=PROCESS, n_events=10_000)


def test_hadronic_cross_section(hadronic: Hadronic, surrogate_run: SherpaResult) -> None:
    agree(cross_section(surrogate_run), hadronic.sample.integrate(hadronic.integrand), 0.03)


def observables(outgoing: np.ndarray) -> dict[str, np.ndarray]:
    """Of momenta (n, 4, 4) of two photons and two gluons, each (n,)."""
    pt = np.hypot(outgoing[..., 1], outgoing[..., 2])
    eta = np.arcsinh(outgoing[..., 3] / pt)

    def mass(pair: np.ndarray) -> np.ndarray:
        total = pair.sum(axis=1)
        return np.asarray(np.sqrt(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)))

    total = outgoing.sum(axis=1)
    return {
        "softer photon pT": pt[:, :2].min(axis=1),
        "softer gluon pT": pt[:, 2:].min(axis=1),
        "photon pair mass": mass(outgoing[:, :2]),
        "gluon pair mass": mass(outgoing[:, 2:]),
        "photon gluon mass": mass(outgoing[:, [0, 2]]),
        "gluon distance in eta": np.abs(eta[:, 2] - eta[:, 3]),
        "rapidity of all": np.arctanh(total[:, 3] / total[:, 0]),
        "energy of all": mass(outgoing),
    }


def test_spectra(hadronic: Hadronic, surrogate_run: SherpaResult) -> None:
    """Is no part of phase space left out, or counted twice?"""
    events = pylhe.LHEFile.fromfile(str(surrogate_run.log.parent / "events.lhe")).events
    found = observables(np.array([[[p.e, p.px, p.py, p.pz] for p in e.particles[2:]] for e in events]))
    expected = observables(hadronic.sample.momenta[:, 2:])
    weights = hadronic.sample.weights * hadronic.integrand
    for name, values in expected.items():
        edges = np.quantile(found[name], np.linspace(0, 1, 11))
        edges[[0, -1]] = -np.inf, np.inf
        counts = np.histogram(found[name], edges)[0]
        content = np.histogram(values, edges, weights=weights)[0] / weights.sum()
        variance = np.histogram(values, edges, weights=weights**2)[0] / weights.sum() ** 2
        n = counts.sum()
        statistic = ((counts / n - content) ** 2 / (counts / n**2 + variance)).sum()
        assert chi2.sf(statistic, len(counts) - 1) > 1e-4, name


def test_two_stages(hadronic: Hadronic, run_directory: Path) -> None:
    """The mean of truth/surrogate, and the cross section, with the truth where flat points follow the surrogate."""
    weights = hadronic.sample.weights * hadronic.integrand
    drawn = np.random.default_rng(1).choice(len(weights), 700, p=weights / weights.sum())
    momenta = hadronic.sample.momenta[drawn]
    x = truth(PROCESS).me2(momenta) / pyamp.Evaluator(MODEL, policy="nan")(momenta).amplitude
    mean_x = float(x.mean()), float(x.std() / np.sqrt(len(x)))

    settings = {**HADRONIC, "PYAMP": {"X_MAX": 2}}
    result = run_card("two_stage", MODEL, run_directory, settings, process=PROCESS, n_events=400)
    second = result.summary["second_stage"]
    assert second["truth_calls"] == second["seen"] > 400
    spread = np.sqrt((second["mean_x_square"] - second["mean_x"] ** 2) / second["seen"])
    agree((second["mean_x"], float(spread)), mean_x, 0.03)

    total, error = hadronic.sample.integrate(hadronic.integrand)
    expected = total * mean_x[0], float(np.hypot(error * mean_x[0], total * mean_x[1]))
    agree(cross_section(result), expected, 0.07)
