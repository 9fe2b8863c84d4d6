"""The second stage in Sherpa, event by event: the decisions of Python for the same numbers, warm-up, roulette.

A run with MODE: surrogate and the same seed writes the events of the first stage; from their momenta follow x and the
uncertainty, and from these what a second stage must have done. Cross sections must agree within 4 standard errors
(false-positive rate 6e-5 per comparison); the seeds are fixed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pyamp import _core
from pyamp.sherpa import SherpaResult
from pyamp.unweighting import budget_maximum
from tests.sherpa.conftest import process
from tests.sherpa.second_stage_runs import DECISIONS, FirstStage, first_stage, same_events, sherpa


@pytest.fixture(scope="module")
def golden_first(tmp_path_factory: pytest.TempPathFactory, golden: Path) -> FirstStage:
    return first_stage(tmp_path_factory.mktemp("golden"), golden, 3000)


@pytest.fixture(scope="module")
def rough_first(tmp_path_factory: pytest.TempPathFactory, rough: Path) -> FirstStage:
    return first_stage(tmp_path_factory.mktemp("rough_first"), rough, 3000)


def test_two_stages_decide_as_python(run_directory: Path, golden: Path, golden_first: FirstStage) -> None:
    run = sherpa(run_directory, "two_stage", golden, 1500, X_MAX=1.1)
    accepted, weight = _core.two_stage_decisions(DECISIONS, 0, golden_first.x, 1.1)
    index = np.flatnonzero(accepted)[:1500]
    same_events(run, golden_first, index)
    np.testing.assert_allclose(run.weights / golden_first.run.weights[index], 1.1 * weight[index], rtol=1e-6)
    assert run.second_stage["seen"] == index[-1] + 1
    assert run.second_stage["overweights"] == (weight[index] > 1).sum() > 10


def test_roulette_decides_as_python(run_directory: Path, rough: Path, rough_first: FirstStage) -> None:
    run = sherpa(run_directory, "roulette", rough, 2000, KAPPA=0.5, P_MIN=0.02)
    n = np.arange(2000)
    evaluate, p = _core.roulette_decisions(DECISIONS, 0, rough_first.relative_sigma[n], 0.5, 0.02)
    weight = np.where(evaluate, _core.roulette_weights(rough_first.x[n], p), 1.0)
    same_events(run, rough_first, n)
    np.testing.assert_allclose(run.weights / rough_first.run.weights[n], weight, rtol=1e-5, atol=1e-5)
    second = run.second_stage
    assert second["accepted"] == second["seen"] == 2000
    assert second["evaluated"] == second["truth_calls"] == evaluate.sum()
    assert second["mean_p"] == pytest.approx(p.mean(), rel=1e-6)
    assert second["negative"] == (weight < 0).sum() > 0
    assert second["n_eff_over_n"] == pytest.approx(weight.sum() ** 2 / (2000 * (weight**2).sum()), rel=1e-5)
    assert "warm_up" not in second


def test_effective_sample_size_knows_copies(run_directory: Path, golden: Path) -> None:
    """Sherpa makes several events of a point above its maximum; together they know what one of their weight knows."""
    more = {"PROCESSES": process(Max_Epsilon=0.3)}
    run = sherpa(run_directory, "two_stage", golden, 1500, more=more, X_MAX=1.3)
    _, point = np.unique(run.momenta[:, 2].round(4), axis=0, return_inverse=True)
    of_point = np.bincount(point.ravel(), run.weights)
    assert len(of_point) < 0.9 * len(run.weights)
    kish = run.weights.sum() ** 2 / (len(run.weights) * (of_point**2).sum())
    assert kish < 0.8
    assert run.second_stage["n_eff_over_n_with_copies"] == pytest.approx(kish, rel=1e-4)
    assert run.second_stage["n_eff_over_n"] > 0.99


def test_warm_up_of_two_stages(run_directory: Path, golden: Path, golden_first: FirstStage) -> None:
    """Weight x first; then the maximum that Python finds in these x."""
    run = sherpa(run_directory, "two_stage", golden, 1500, WARM_UP=1000, BUDGET=2e-3)
    x = golden_first.x[:1000]
    x_max = budget_maximum(x, 2e-3)
    second, warm_up = run.second_stage, run.second_stage["warm_up"]
    assert second["x_max"] == pytest.approx(x_max, rel=1e-6)
    assert second["x_max_error"] == pytest.approx(_core.budget_maximum(x, 2e-3, DECISIONS)[1], rel=1e-5)
    assert warm_up["seen"] == warm_up["accepted"] == warm_up["truth_calls"] == 1000
    np.testing.assert_allclose(run.weights[:1000] / golden_first.run.weights[:1000], x, rtol=1e-6)
    accepted, weight = _core.two_stage_decisions(DECISIONS, 1000, golden_first.x[1000:], x_max)
    index = 1000 + np.flatnonzero(accepted)[:500]
    np.testing.assert_allclose(
        run.weights[1000:] / golden_first.run.weights[index], x_max * weight[index - 1000], rtol=1e-6
    )
    kish = run.weights.sum() ** 2 / (1500 * (run.weights**2).sum())
    assert warm_up["n_eff_over_n_of_all"] == pytest.approx(kish, rel=1e-4)
    assert f"warm-up of 1000 events: x_max {x_max:.6g} +- " in run.result.log.read_text()


def test_warm_up_of_roulette(run_directory: Path, rough: Path, rough_first: FirstStage) -> None:
    run = sherpa(run_directory, "roulette", rough, 1500, WARM_UP=1000, N_EFF_OVER_N=0.7)
    expected = _core.choose_roulette(rough_first.x[:1000], rough_first.relative_sigma[:1000], 0.7)
    second = run.second_stage
    assert (second["kappa"], second["p_min"]) == pytest.approx(expected[:2], rel=1e-4)
    np.testing.assert_allclose(
        run.weights[:1000] / rough_first.run.weights[:1000], rough_first.x[:1000], rtol=1e-5
    )
    evaluate, p = _core.roulette_decisions(
        DECISIONS, 1000, rough_first.relative_sigma[1000:1500], second["kappa"], second["p_min"]
    )
    weight = np.where(evaluate, _core.roulette_weights(rough_first.x[1000:1500], p), 1.0)
    np.testing.assert_allclose(
        run.weights[1000:] / rough_first.run.weights[1000:1500], weight, rtol=1e-4, atol=1e-4
    )


def test_histogram_of_x(run_directory: Path, rough: Path, rough_first: FirstStage) -> None:
    """Roulette knows x of some events only, which stand for the others."""
    histogram = sherpa(run_directory, "two_stage", rough, 500, X_MAX=2).second_stage["x_histogram"]
    seen = int(sum(histogram["content"]) + histogram["underflow"] + histogram["overflow"])
    x = rough_first.x[:seen]
    np.testing.assert_array_equal(histogram["content"], np.histogram(x, histogram["edges"])[0])
    assert histogram["underflow"] == (x < histogram["edges"][0]).sum()
    np.testing.assert_array_equal(histogram["variance"], histogram["content"])

    roulette = sherpa(run_directory, "roulette", rough, 2000, KAPPA=0.5, P_MIN=0.02).second_stage
    estimated = roulette["x_histogram"]
    deviation = np.array(estimated["content"]) - np.histogram(rough_first.x[:2000], estimated["edges"])[0]
    filled = np.array(estimated["variance"]) > 0
    assert (np.abs(deviation[filled]) < 5 * np.sqrt(np.array(estimated["variance"])[filled])).all()


def test_target_that_cannot_be_reached(run_directory: Path, rough: Path) -> None:
    run = sherpa(run_directory, "roulette", rough, 400, WARM_UP=200, N_EFF_OVER_N=0.999)
    log = run.result.log.read_text()
    assert "N_eff/N 0.999 cannot be reached" in log
    assert run.second_stage["mean_p"] == run.second_stage["p_min"] == 1
    assert "pyamp: warning" not in log


def test_run_that_ends_in_its_warm_up(run_directory: Path, golden: Path) -> None:
    run = sherpa(run_directory, "two_stage", golden, 50, X_MAX="auto")
    assert run.second_stage["x_max"] is None
    assert run.second_stage["seen"] == 0
    assert not run.second_stage["warm_up"]["complete"]
    assert "of 1000: the run ended before anything was chosen" in run.result.log.read_text()


def test_warnings(run_directory: Path, rough: Path) -> None:
    """Once for each factor of 2, not for each event; none where the maximum serves."""
    run = sherpa(run_directory, "two_stage", rough, 2000, X_MAX=1.2)
    warnings = [line for line in run.result.log.read_text().splitlines() if line.startswith("pyamp: warning")]
    assert 1 <= len(warnings) <= 3
    assert "of the cross section lie above x_max 1.2, BUDGET is 0.1 %" in warnings[0]
    assert run.second_stage["overweights"] > 100
    assert run.second_stage["excess_share"] > 0.01
    enough = sherpa(run_directory, "two_stage", rough, 300, X_MAX=50)
    assert "pyamp: warning" not in enough.result.log.read_text()

    roulette = sherpa(run_directory, "roulette", rough, 2000, KAPPA=1e-6, P_MIN=0.05)
    assert "0.99 was aimed at" in roulette.result.log.read_text()


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> SherpaResult:
    return sherpa(tmp_path_factory.mktemp("truth"), "truth", None, 8000, seed=41).result


@pytest.mark.parametrize("model", ["golden", "rough"])
@pytest.mark.parametrize("mode", ["two_stage", "roulette"])
def test_cross_section_is_that_of_the_truth(
    request: pytest.FixtureRequest, run_directory: Path, exact: SherpaResult, model: str, mode: str
) -> None:
    """With warm-ups; the rough surrogate by itself is far off."""
    path = request.getfixturevalue(model)
    target = {"golden": 0.99, "rough": 0.7}[model]
    run = sherpa(run_directory, mode, path, 8000, 42, WARM_UP=1000, N_EFF_OVER_N=target).result
    error = float(np.hypot(run.error_pb, exact.error_pb))
    assert error < 0.04 * exact.cross_section_pb
    assert abs(run.cross_section_pb - exact.cross_section_pb) < 4 * error
    if mode == "roulette":
        second = run.summary["second_stage"]
        assert second["mean_p"] < 0.9
        assert second["n_eff_over_n"] > target - 0.1
    if model == "rough":
        mean_x = run.summary["second_stage"]["mean_x"]
        assert abs(mean_x - 1) * exact.cross_section_pb > 2 * error


def test_gain_of_roulette(run_directory: Path, rough: Path) -> None:
    """f_eff from its ingredients: the truth is asked for a share mean_p of the events of the first stage."""
    run = sherpa(run_directory, "roulette", rough, 2000, KAPPA=0.5, P_MIN=0.05).result
    gain, second, events = run.summary["gain"], run.summary["second_stage"], run.summary["events"]
    assert gain["epsilon_2nd"] == 1
    assert gain["x_max"] is None
    assert gain["mean_p"] == second["mean_p"]
    assert gain["epsilon_1st"] == pytest.approx(second["seen"] / events["points"])
    assert gain["epsilon_full"] == pytest.approx(gain["epsilon_1st"] * second["mean_x"])
    standard = (gain["t_me_ms"] + gain["t_ps_ms"]) / gain["epsilon_full"]
    surrogate = (gain["t_surr_ms"] + gain["t_ps_ms"]) / gain["epsilon_1st"] + gain["mean_p"] * gain["t_me_ms"]
    assert gain["T_surrogate_ms"] == pytest.approx(surrogate)
    assert gain["f_eff"] == pytest.approx(standard / surrogate * gain["n_eff_over_n"])
