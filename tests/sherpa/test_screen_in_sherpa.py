"""A screen in Sherpa, event by event: a cheap surrogate accepts first, the surrogate then, the truth last.

The screen is the rough surrogate. A run with MODE: surrogate, that model and the same seed writes the events that
Sherpa accepts by it; from their momenta follow y = surrogate/screen and x = truth/surrogate, and what must have been
done.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pyamp
from pyamp import _core
from pyamp.sherpa import SherpaResult
from pyamp.unweighting import budget_maximum
from tests.sherpa.second_stage_runs import DECISIONS, FirstStage, first_stage, same_events, sherpa

Y_MAX = 1.5


@pytest.fixture(scope="module")
def screened(tmp_path_factory: pytest.TempPathFactory, rough: Path) -> FirstStage:
    return first_stage(tmp_path_factory.mktemp("screened"), rough, 4000)


@pytest.fixture(scope="module")
def x(screened: FirstStage, golden: Path) -> np.ndarray:
    """truth/surrogate of the events that the screen accepts."""
    amplitude = np.asarray(pyamp.Evaluator(golden, policy="nan")(screened.run.momenta).amplitude)
    return np.asarray(pyamp.truth("gg_to_aag").me2(screened.run.momenta) / amplitude)


def test_decisions_are_those_of_python(
    run_directory: Path, golden: Path, rough: Path, screened: FirstStage, x: np.ndarray
) -> None:
    run = sherpa(run_directory, "two_stage", golden, 1000, SCREEN=str(rough), Y_MAX=Y_MAX, X_MAX=1.1)
    y = screened.x / x
    behind, first_weight = _core.screen_decisions(DECISIONS, 0, y, Y_MAX)
    passed = np.flatnonzero(behind)
    accepted, second_weight = _core.two_stage_decisions(DECISIONS, 0, x[passed], 1.1)
    index = passed[accepted][:1000]
    same_events(run, screened, index)
    weight = Y_MAX * first_weight[index] * 1.1 * second_weight[accepted][:1000]
    np.testing.assert_allclose(run.weights / screened.run.weights[index], weight, rtol=1e-6)

    seen = int(index[-1]) + 1
    screen, second = run.result.summary["screen"], run.second_stage
    assert screen["seen"] == screen["surrogate_calls"] == seen
    assert screen["accepted"] == second["seen"] == behind[:seen].sum()
    assert screen["overweights"] == (first_weight[:seen][behind[:seen]] > 1).sum() > 10
    assert screen["mean_y"] == pytest.approx(y[:seen].mean(), rel=1e-6)
    assert screen["largest_y"] == pytest.approx(y[:seen].max(), rel=1e-6)
    kish = run.weights.sum() ** 2 / (1000 * (run.weights**2).sum())
    assert second["n_eff_over_n"] == pytest.approx(kish, rel=1e-4)

    gain, events = run.result.summary["gain"], run.result.summary["events"]
    assert gain["epsilon_1st"] == pytest.approx(screen["accepted"] / events["points"])
    time = (screen["s"] + screen["surrogate_s"] + events["surrogate_s"]) / events["points"]
    assert gain["t_surr_ms"] == pytest.approx(1e3 * time)


def test_warm_up_behind_the_screen(
    run_directory: Path, golden: Path, rough: Path, screened: FirstStage, x: np.ndarray
) -> None:
    """Weight y first; then the maximum that Python finds in these y. The second stage decides all the time."""
    block = {"SCREEN": str(rough), "WARM_UP": 500, "BUDGET": 2e-3, "N_EFF_OVER_N": 0.95}
    run = sherpa(run_directory, "roulette", golden, 900, **block)
    y = screened.x / x
    y_max = budget_maximum(y[:500], 2e-3)
    screen = run.result.summary["screen"]
    assert screen["y_max"] == pytest.approx(y_max, rel=1e-6)
    assert screen["y_max_error"] == pytest.approx(_core.budget_maximum(y[:500], 2e-3, DECISIONS)[1], rel=1e-5)
    assert screen["warm_up"]["seen"] == 500
    assert f"screen: warm-up of 500 events: y_max {y_max:.6g} +- " in run.result.log.read_text()
    # The second stage has a warm-up of the same length, in which its events have the weight x.
    np.testing.assert_allclose(run.momenta[:500], screened.run.momenta[:500], atol=1e-6)
    ratio = run.weights[:500] / screened.run.weights[:500]
    np.testing.assert_allclose(ratio, y[:500] * x[:500], rtol=1e-6)
    behind, _ = _core.screen_decisions(DECISIONS, 500, y[500:], y_max)
    later = 500 + np.flatnonzero(behind)[:400]
    np.testing.assert_allclose(run.momenta[500:], screened.run.momenta[later], atol=1e-6)
    asked = run.second_stage["evaluated"]
    unchanged = np.isclose(
        run.weights[500:] / screened.run.weights[later], y_max * np.maximum(1, y[later] / y_max)
    )
    assert (~unchanged).sum() <= asked < 400


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> SherpaResult:
    return sherpa(tmp_path_factory.mktemp("truth"), "truth", None, 8000, seed=43).result


@pytest.mark.parametrize("mode", ["two_stage", "roulette"])
def test_cross_section_is_that_of_the_truth(
    run_directory: Path, exact: SherpaResult, golden: Path, rough: Path, mode: str
) -> None:
    """With a y_max that is too small and a screen that is far off; 4 standard errors, a false-positive rate of 6e-5."""
    block = {"SCREEN": str(rough), "Y_MAX": 1.05, "WARM_UP": 1000, "N_EFF_OVER_N": 0.9}
    run = sherpa(run_directory, mode, golden, 8000, 44, **block).result
    error = float(np.hypot(run.error_pb, exact.error_pb))
    assert error < 0.04 * exact.cross_section_pb
    assert abs(run.cross_section_pb - exact.cross_section_pb) < 4 * error
    screen = run.summary["screen"]
    assert screen["overweight_share"] > 0.05
    assert abs(screen["mean_y"] - 1) * exact.cross_section_pb > 2 * error
    assert "of the cross section lie above y_max 1.05" in run.log.read_text()


def test_screen_has_no_effect_without_a_second_stage(run_directory: Path, golden: Path, rough: Path) -> None:
    run = sherpa(run_directory, "surrogate", golden, 100, SCREEN=str(rough)).result
    assert "screen" not in run.summary
    assert run.summary["events"]["screen_calls"] == 0
