"""Do the calibration report's numbers agree with scipy, and does it find a σ that is wrong in a part of phase space?

Statistical tests allow 4.5 standard errors: a false-positive rate of 7e-6 each; seeds are fixed.
"""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pyamp.calibration import (
    CalibrationReport,
    calibration_report,
    core_width,
    effective_number,
    kinematic_variables,
    reliability,
    summarise_pulls,
)
from pyamp.calibration.statistics import CORE_WIDTH_ERROR
from pyamp.calibration.variables import variable_label
from pyamp.errors import PyampError
from pyamp.plotting import plot_calibration

N = 100_000
ALLOWED = 4.5


def normal_pulls(n: int = N, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


def test_pull_summary_of_normal_pulls() -> None:
    t = normal_pulls()
    summary = summarise_pulls(t)
    assert abs(summary.mean) < ALLOWED / np.sqrt(N)
    assert abs(summary.rms - 1) < ALLOWED / np.sqrt(2 * N)
    assert abs(summary.core_width - 1) < ALLOWED * CORE_WIDTH_ERROR / np.sqrt(N)
    for found, limit in ((1 - summary.coverage68, 1), (1 - summary.coverage95, 2), (summary.beyond_3, 3)):
        expected = 2 * stats.norm.sf(limit)
        assert abs(found - expected) < ALLOWED * np.sqrt(expected / N)
    # Poisson with mean 0.057: more than two points have a probability of 3e-5.
    assert summary.beyond_5 * N <= 2
    assert summary.ks_distance == pytest.approx(stats.kstest(t, "norm").statistic, rel=1e-12)
    assert np.sum(summary.density) / 6 == pytest.approx(1)


def test_error_of_the_core_width() -> None:
    widths = [core_width(normal_pulls(1000, seed)) for seed in range(400)]
    # The relative error of a standard deviation from 400 samples is 1/√800.
    assert abs(np.std(widths) * np.sqrt(1000) / CORE_WIDTH_ERROR - 1) < ALLOWED / np.sqrt(800)


def test_pull_summary_by_hand() -> None:
    summary = summarise_pulls(np.array([-6.0, -0.5, 0.5, 4.0]), np.array([1.0, 4.0, 4.0, 1.0]))
    assert summary.mean == pytest.approx(-0.2)
    assert summary.rms == pytest.approx(np.sqrt((36 + 2 + 16) / 10))
    assert (summary.coverage68, summary.coverage95) == pytest.approx((0.8, 0.8))
    assert (summary.beyond_3, summary.beyond_5) == pytest.approx((0.2, 0.1))
    # The largest step: from 0.1 to 0.5 at −0.5, where the normal has 0.3085, and from 0.5 to 0.9 at 0.5.
    assert summary.ks_distance == pytest.approx(stats.norm.cdf(-0.5) - 0.1)
    assert summary.density[0] > 0  # what lies below −5


def test_weighted_distance_equals_repetition() -> None:
    rng = np.random.default_rng(2)
    t, counts = normal_pulls(2000) * 1.1, rng.integers(1, 5, 2000)
    weighted = summarise_pulls(t, counts.astype(float)).ks_distance
    assert weighted == pytest.approx(stats.kstest(np.repeat(t, counts), "norm").statistic, rel=1e-12)


def test_effective_number() -> None:
    assert effective_number(7) == 7
    assert effective_number(4, np.array([1.0, 1.0, 0.0, 0.0])) == 2


@pytest.fixture(scope="module")
def report() -> CalibrationReport:
    """σ_syst = σ_stat; true errors are σ_tot where x > 0.5, twice that elsewhere."""
    rng = np.random.default_rng(3)
    truth = np.exp(rng.normal(size=N))
    x = rng.uniform(size=N)
    sigma = 0.01 * truth / np.sqrt(2)
    amplitude = truth * (1 + 0.01 * np.where(x > 0.5, 1.0, 2.0) * rng.normal(size=N))
    return calibration_report(amplitude, truth, sigma, sigma, {"x": x, "fixed": np.full(N, 3.0)})


def test_reliability_finds_the_miscalibrated_half(report: CalibrationReport) -> None:
    assert list(report.reliability) == ["amplitude", "relative_sigma", "x"]  # nothing about what is fixed
    curve = report.reliability["x"]
    assert len(curve.core_width) == 10
    np.testing.assert_allclose(curve.n_eff, N / 10, atol=2)
    np.testing.assert_allclose(curve.edges, np.linspace(0, 1, 11), atol=ALLOWED * 0.5 / np.sqrt(N))
    expected = np.repeat([2.0, 1.0], 5)
    # Ten bins in each of two comparisons: 20 × 7e-6.
    assert (
        np.abs(np.array(curve.core_width) / expected - 1) < ALLOWED * np.array(curve.core_width_error)
    ).all()
    np.testing.assert_allclose(curve.sigma, 0.01, rtol=1e-9)
    np.testing.assert_allclose(curve.deviation, 0.01 * expected, rtol=ALLOWED * 0.0096)
    coverage = 1 - 2 * stats.norm.sf(1 / expected)
    np.testing.assert_allclose(curve.coverage68, coverage, atol=ALLOWED * 0.5 / np.sqrt(N / 10))
    np.testing.assert_allclose(curve.pull_mean, 0.0, atol=ALLOWED * 2 / np.sqrt(N / 10))


def test_three_uncertainties(report: CalibrationReport) -> None:
    syst, stat, tot = (report.pulls[name] for name in ("syst", "stat", "tot"))
    assert syst is not None
    assert stat is not None
    assert tot is not None
    assert syst.core_width == pytest.approx(np.sqrt(2) * tot.core_width)
    assert stat == syst
    assert report.accuracy.pull_width == pytest.approx(tot.core_width)
    assert report.ks_limit == pytest.approx(stats.kstwo(N).isf(0.05), rel=0.01)


def test_weights_choose_a_part() -> None:
    rng = np.random.default_rng(4)
    truth = np.ones(20_000)
    amplitude = truth + 0.1 * rng.normal(size=len(truth)) * np.repeat([1.0, 3.0], 10_000)
    sigma, zero = 0.1 * truth, 0 * truth
    weights = np.repeat([1.0, 0.0], 10_000)
    report = calibration_report(amplitude, truth, sigma, zero, weights=weights)
    alone = calibration_report(amplitude[:10_000], truth[:10_000], sigma[:10_000], zero[:10_000])
    assert report.n_eff == 10_000
    assert report.pulls["stat"] is None
    tot, expected = report.pulls["tot"], alone.pulls["tot"]
    assert tot is not None
    assert expected is not None
    assert tot.core_width == pytest.approx(expected.core_width, rel=1e-3)
    assert tot.rms == pytest.approx(expected.rms)


def test_few_and_heavy_points() -> None:
    delta = normal_pulls(500) * 0.1
    few = reliability(np.arange(500.0), delta, np.full(500, 0.1), n_bins=40)
    assert few is not None
    assert len(few.core_width) == 10  # of 50 points
    weights = np.ones(500)
    weights[[100, 101, 400]] = 2000.0
    heavy = reliability(np.arange(500.0), delta, np.full(500, 0.1), weights)
    assert heavy is not None
    assert len(heavy.edges) == len(heavy.core_width) + 1
    assert np.isfinite(heavy.core_width).all()


def test_plain_json_and_plot(tmp_path: Path, report: CalibrationReport) -> None:
    plain = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert plain["pulls"]["tot"]["core_width"] == report.pulls["tot"].core_width  # type: ignore[union-attr]
    assert plain["reliability"]["x"]["edges"] == report.reliability["x"].edges
    path = tmp_path / "calibration.png"
    plot_calibration(path, {"one": report, "another": report}, "a title")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_unusable_predictions() -> None:
    one = np.ones(3)
    with pytest.raises(PyampError, match=r"σ_tot of 1 of 3 points is not finite or σ_tot is 0"):
        calibration_report(one, one, np.array([0.0, 1.0, 1.0]), 0 * one)
    with pytest.raises(PyampError, match="no points; give some"):
        calibration_report(*(np.zeros(0),) * 4)


def mass(momenta: np.ndarray) -> np.ndarray:
    total = momenta.sum(axis=1)
    return np.asarray(np.sqrt(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)))


def test_kinematic_variables(momenta: np.ndarray) -> None:
    variables = kinematic_variables(momenta, [21, 21, 22, 22, 21])
    assert list(variables) == ["pt_a1", "pt_g1", "m_aa", "m_ag_min", "m_aag", "sqrt_s_min"]
    p_t = np.sqrt(momenta[..., 1] ** 2 + momenta[..., 2] ** 2)
    np.testing.assert_allclose(variables["pt_a1"], p_t[:, 2:4].max(axis=1))
    np.testing.assert_allclose(variables["pt_g1"], p_t[:, 4])
    np.testing.assert_allclose(variables["m_aa"], mass(momenta[:, 2:4]), rtol=1e-9)
    smallest = np.minimum(mass(momenta[:, [2, 4]]), mass(momenta[:, [3, 4]]))
    np.testing.assert_allclose(variables["m_ag_min"], smallest, rtol=1e-9)
    np.testing.assert_allclose(variables["m_aag"], 1000.0, rtol=1e-12)
    signs = np.array([1, 1, -1, -1, -1])[:, None]
    all_pairs = []
    for i, j in combinations(range(5), 2):
        p = signs[i] * momenta[:, i] + signs[j] * momenta[:, j]
        all_pairs.append(np.abs(p[:, 0] ** 2 - (p[:, 1:] ** 2).sum(axis=1)))
    np.testing.assert_allclose(variables["sqrt_s_min"], np.sqrt(np.min(all_pairs, axis=0)), rtol=1e-7)


def test_variables_of_other_processes(momenta: np.ndarray) -> None:
    assert list(kinematic_variables(momenta, [1, -1, 22, 2, -2])) == [
        "pt_a1", "pt_u1", "m_au_min", "m_uu", "m_auu", "sqrt_s_min",
    ]  # fmt: skip
    assert list(kinematic_variables(momenta[:, :4], [21, 21, 22, 22])) == ["pt_a1", "m_aa", "sqrt_s_min"]
    assert variable_label("m_ag_min") == r"$m(\gamma g)$, smallest [GeV]"
