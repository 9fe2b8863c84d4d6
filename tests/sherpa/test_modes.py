"""Do the modes agree: is the second stage unbiased, and do the summaries count right?

Runs at 13 TeV with 8000 events each. Cross sections must agree within 4 standard errors (false-positive rate 6e-5 per
comparison), spectra with a p-value above 1e-4; the seeds are fixed. The second surrogate has random weights: by itself
it is wrong by tens of percent.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pylhe
import pytest
import torch
from scipy.stats import chi2

from pyamp.model_file import write_model
from pyamp.phase_space import PhaseSpace
from pyamp.processes import load_process
from pyamp.sherpa import SherpaResult, run_card
from tests.sherpa.conftest import selectors
from tests.support import model_info, random_surrogate

N_EVENTS = 8000


@pytest.fixture(scope="module")
def bad_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A surrogate with random weights and the domain of an LHC run."""
    momenta = PhaseSpace("gg_to_aag_lhc13").sample(500, seed=2).momenta
    path = tmp_path_factory.mktemp("bad") / "random.safetensors"
    info = model_info(domain=load_process("gg_to_aag_lhc13").domain(), metrics={})
    write_model(path, random_surrogate(momenta), info, torch.from_numpy(momenta[:16]))
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, golden: Path, bad_model: Path) -> dict[str, SherpaResult]:
    directory = tmp_path_factory.mktemp("modes")

    def result(
        name: str, mode: str, model: Path | None, seed: int, x_max: float | None = None
    ) -> SherpaResult:
        settings = {"EVENT_OUTPUT": "LHEF[events]", "PYAMP": {} if x_max is None else {"X_MAX": x_max}}
        return run_card(mode, model, directory / name, settings, n_events=N_EVENTS, seed=seed)

    return {
        "truth": result("truth", "truth", None, 11),
        "surrogate": result("surrogate", "surrogate", golden, 12),
        "two_stage": result("two_stage", "two_stage", golden, 13),
        "bad_surrogate": result("bad_surrogate", "surrogate", bad_model, 14),
        "bad_two_stage": result("bad_two_stage", "two_stage", bad_model, 15, 3.0),
    }


def deviation(a: tuple[float, float], b: tuple[float, float]) -> float:
    return abs(a[0] - b[0]) / float(np.hypot(a[1], b[1]))


def cross_section(run: SherpaResult) -> tuple[float, float]:
    return run.cross_section_pb, run.error_pb


@pytest.mark.parametrize("name", ["two_stage", "bad_two_stage"])
def test_two_stages_give_the_cross_section_of_the_truth(runs: dict[str, SherpaResult], name: str) -> None:
    assert runs[name].error_pb < 0.03 * runs[name].cross_section_pb
    assert deviation(cross_section(runs[name]), cross_section(runs["truth"])) < 4


def test_surrogate_alone_is_off_by_the_mean_ratio(runs: dict[str, SherpaResult]) -> None:
    """⟨x⟩ over its events is the truth's cross section over the surrogate's own."""
    second = runs["two_stage"].summary["second_stage"]
    spread = np.sqrt((second["mean_x_square"] - second["mean_x"] ** 2) / second["seen"])
    surrogate, error = cross_section(runs["surrogate"])
    corrected = surrogate * second["mean_x"], float(np.hypot(error * second["mean_x"], surrogate * spread))
    assert 0.95 < second["mean_x"] < 1.05
    assert deviation(corrected, cross_section(runs["truth"])) < 4


def test_bad_surrogate_is_bad(runs: dict[str, SherpaResult]) -> None:
    assert deviation(cross_section(runs["bad_surrogate"]), cross_section(runs["truth"])) > 10


def spectra(run: SherpaResult) -> tuple[np.ndarray, np.ndarray]:
    """Leading-photon p_T, gluon p_T and photon-pair mass of the events, (3, n), and their weights."""
    momenta, weights = [], []
    for event in pylhe.LHEFile.fromfile(str(run.log.parent / "events.lhe")).events:
        momenta.append([[p.e, p.px, p.py, p.pz] for p in event.particles[2:]])
        weights.append(event.eventinfo.weight)
    p = np.array(momenta)
    pt = np.hypot(p[..., 1], p[..., 2])
    pair = p[:, 0] + p[:, 1]
    mass = np.sqrt(pair[:, 0] ** 2 - (pair[:, 1:] ** 2).sum(axis=1))
    return np.array([pt[:, :2].max(axis=1), pt[:, 2], mass]), np.array(weights)


@pytest.mark.parametrize("observable", [0, 1, 2], ids=["leading photon pT", "gluon pT", "diphoton mass"])
@pytest.mark.parametrize("name", ["two_stage", "bad_two_stage"])
def test_two_stages_give_the_spectra_of_the_truth(
    runs: dict[str, SherpaResult], name: str, observable: int
) -> None:
    (expected, expected_weights), (found, weights) = spectra(runs["truth"]), spectra(runs[name])
    edges = np.quantile(expected[observable], np.linspace(0, 1, 13))
    edges[[0, -1]] = 0, np.inf

    def shape(values: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        total = w.sum()
        content = np.histogram(values, edges, weights=w)[0] / total
        return content, np.histogram(values, edges, weights=w**2)[0] / total**2

    (a, variance_a), (b, variance_b) = (
        shape(expected[observable], expected_weights),
        shape(found[observable], weights),
    )
    statistic = ((a - b) ** 2 / (variance_a + variance_b)).sum()
    assert chi2.sf(statistic, len(a) - 1) > 1e-4


def test_overweights_keep_their_weight(runs: dict[str, SherpaResult]) -> None:
    second = runs["bad_two_stage"].summary["second_stage"]
    weights = spectra(runs["bad_two_stage"])[1]
    unit = np.median(weights)
    heavy = weights[weights > (1 + 1e-7) * unit] / unit
    assert len(heavy) == second["overweights"] > 100
    assert heavy.sum() / (weights.sum() / unit) == pytest.approx(second["overweight_share"], rel=1e-4)
    kish = weights.sum() ** 2 / (len(weights) * (weights**2).sum())
    assert kish == pytest.approx(second["n_eff_over_n"], rel=1e-4)
    assert kish < 0.9


def test_summary_counts(runs: dict[str, SherpaResult]) -> None:
    for name, run in runs.items():
        summary = run.summary
        assert run.n_events == summary["sherpa"]["events"] == N_EVENTS
        for phase in ("integration", "events"):
            counts = summary[phase]
            assert counts["points"] == counts["surrogate_calls"] + counts["truth_calls"]
            assert counts["outside_domain"] == counts["failed"] == counts["lost"] == 0
            assert (counts["truth_calls"] == 0) == (name != "truth")
        assert summary["events"]["points"] < summary["sherpa"]["trials"]
        # Sherpa asks for every accepted point twice, and is answered from memory
        assert summary["events"]["repeated"] > 0.9 * N_EVENTS
        if "two_stage" in name:
            second = summary["second_stage"]
            assert second["accepted"] == N_EVENTS < second["seen"] == second["truth_calls"]


def test_speed_factor(runs: dict[str, SherpaResult]) -> None:
    """f_eff from its ingredients, in the notation of arXiv:2301.13562."""
    gain = runs["two_stage"].summary["gain"]
    second, events = runs["two_stage"].summary["second_stage"], runs["two_stage"].summary["events"]
    assert gain["epsilon_1st"] == pytest.approx(second["seen"] / events["points"])
    assert gain["epsilon_2nd"] == pytest.approx(second["accepted"] / second["seen"])
    assert gain["epsilon_full"] == pytest.approx(gain["epsilon_1st"] * second["mean_x"])
    standard = (gain["t_me_ms"] + gain["t_ps_ms"]) / gain["epsilon_full"]
    first = (gain["t_surr_ms"] + gain["t_ps_ms"]) / gain["epsilon_1st"]
    surrogate = (first + gain["t_me_ms"]) / gain["epsilon_2nd"]
    assert gain["f_eff"] == pytest.approx(standard / surrogate * gain["n_eff_over_n"])
    spent = events["points"] * (gain["t_ps_ms"] + gain["t_surr_ms"]) + second["truth_calls"] * gain["t_me_ms"]
    assert 1e-3 * spent == pytest.approx(events["wall_s"], rel=1e-6)


def test_epsilon_full_from_the_card(run_directory: Path, golden: Path) -> None:
    gain = run_card(
        "two_stage",
        golden,
        run_directory,
        {"PYAMP": {"EPSILON_FULL": 0.02}, "PSI": {"ITMIN": 100}},
        n_events=5,
    ).summary["gain"]
    assert gain["epsilon_full"] == 0.02
    assert gain["epsilon_full_from"] == "run card"


def test_points_outside_the_domain_in_two_stages(run_directory: Path, golden: Path) -> None:
    """They were evaluated with the truth already: x = 1."""
    settings = {"SELECTORS": selectors(35, 25, 15), "PSI": {"ITMIN": 500}}
    summary = run_card("two_stage", golden, run_directory, settings, n_events=500).summary
    second = summary["second_stage"]
    assert summary["events"]["outside_domain"] == summary["events"]["truth_calls"] > 0
    assert 0 < second["from_truth"] < second["seen"]
    assert second["truth_calls"] == second["seen"] - second["from_truth"]


def test_second_stage_after_a_parton_shower(
    run_directory: Path, golden: Path, runs: dict[str, SherpaResult]
) -> None:
    """The hook finds the point of the first stage again, whatever the shower added."""
    settings = {
        "SHOWER_GENERATOR": "CSS",
        "BEAM_REMNANTS": True,
        "SCALES": "METS" + 3 * "{Abs2(p[2]+p[3])}",
        "PSI": {"ITMIN": 1000},
    }
    run = run_card("two_stage", golden, run_directory, settings, n_events=1000)
    counts, second = run.summary["events"], run.summary["second_stage"]
    assert counts["surrogate_calls"] == counts["points"]
    assert second["accepted"] == 1000
    assert deviation(cross_section(run), cross_section(runs["truth"])) < 4


def test_hook_does_nothing_in_other_modes(tmp_path: Path) -> None:
    settings = {"PSI": {"ITMIN": 100}}
    without = run_card("truth", None, tmp_path / "without", settings, n_events=200)
    hook = run_card("truth", None, tmp_path / "with", {**settings, "USERHOOKS": ["PyAmp"]}, n_events=200)
    assert hook.cross_section_pb == without.cross_section_pb
    assert "second_stage" not in hook.summary


def test_seeds(tmp_path: Path, golden: Path) -> None:
    """The same seeds give the same events; SEED changes the second stage alone, not the points that Sherpa draws."""

    def outcome(name: str, **pyamp_block: int) -> tuple[np.ndarray, str]:
        block = {"RECORD_POINTS": 200_000, "X_MAX": 2, **pyamp_block}
        settings = {"PSI": {"ITMIN": 100}, "EVENT_OUTPUT": "LHEF[events]", "PYAMP": block}
        run = run_card("two_stage", golden, tmp_path / name, settings, n_events=200)
        return spectra(run)[0], (tmp_path / name / "pyamp_points.csv").read_text()

    events, points = outcome("first")
    events_again, points_again = outcome("again")
    events_other, points_other = outcome("other", SEED=2)
    assert points == points_again
    assert (events == events_again).all()
    assert (events != events_other).any()
    shared = min(len(points), len(points_other))
    assert points[:shared] == points_other[:shared]
