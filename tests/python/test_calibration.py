"""Accuracy and calibration summaries against what a normal distribution gives.

Statistical tests allow 4.5 standard errors: a false-positive rate of 7e-6 each; seeds are fixed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pyamp.calibration import accuracy, pulls, relative_deviation, weighted_quantile
from pyamp.plotting import plot_pulls

N = 200_000
ALLOWED = 4.5


@pytest.fixture(scope="module")
def gaussian_surrogate() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Amplitude, truth and σ of a surrogate that errs by exactly its σ of 1e-3 to 1e-2, relative."""
    rng = np.random.default_rng(7)
    truth = np.exp(2 * rng.normal(size=N))
    sigma = truth * rng.uniform(1e-3, 1e-2, N)
    return truth + sigma * rng.normal(size=N), truth, sigma


@pytest.mark.parametrize("weighted", [False, True])
def test_calibrated_surrogate(gaussian_surrogate: tuple[np.ndarray, ...], weighted: bool) -> None:
    amplitude, truth, sigma = gaussian_surrogate
    weights = np.sqrt(truth) if weighted else None
    n_eff = N if weights is None else weights.sum() ** 2 / (weights**2).sum()
    summary = accuracy(amplitude, truth, sigma, weights)
    for coverage, expected in ((summary.coverage68, 0.6826895), (summary.coverage95, 0.9544997)):
        assert abs(coverage - expected) < ALLOWED * np.sqrt(expected * (1 - expected) / n_eff)
    # Error of a quantile: √(q(1−q)/n)/density; the width is half a difference of two.
    error = np.sqrt(0.1587 * 0.8413 / n_eff) / stats.norm.pdf(1.0)
    assert abs(summary.pull_width - 1.0) < ALLOWED * error
    assert summary.rms_delta == pytest.approx(np.sqrt((1e-6 + 1e-5 + 1e-4) / 3), rel=0.03)


def test_too_small_sigma_shows(gaussian_surrogate: tuple[np.ndarray, ...]) -> None:
    amplitude, truth, sigma = gaussian_surrogate
    summary = accuracy(amplitude, truth, sigma / 2)
    assert summary.pull_width == pytest.approx(2.0, rel=0.02)
    assert summary.coverage68 == pytest.approx(stats.norm.cdf(0.5) - stats.norm.cdf(-0.5), abs=0.01)


def test_known_values() -> None:
    truth = np.array([1.0, 2.0, 4.0])
    amplitude = np.array([1.1, 1.8, 4.0])
    np.testing.assert_allclose(relative_deviation(amplitude, truth), [0.1, -0.1, 0.0], atol=1e-15)
    np.testing.assert_allclose(
        pulls(amplitude, truth, np.array([0.1, 0.1, 1.0])), [1.0, -2.0, 0.0], atol=1e-12
    )


def test_weighted_quantile_equals_repetition() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=4000)
    counts = rng.integers(1, 5, 4000)
    repeated = np.repeat(values, counts)
    for q in (0.1, 0.5, 0.9):
        weighted = weighted_quantile(values, q, counts.astype(float))
        assert weighted == pytest.approx(np.quantile(repeated, q), abs=5e-3)


def test_largest_amplitudes_are_chosen_by_the_truth() -> None:
    truth = np.arange(1.0, 1001.0)
    amplitude = truth.copy()
    amplitude[-10:] *= 1.5
    summary = accuracy(amplitude, truth, np.ones(1000))
    assert summary.top1pct_abs_delta == pytest.approx(0.5)
    assert summary.median_abs_delta == 0.0


def test_plot_is_written(tmp_path: Path, gaussian_surrogate: tuple[np.ndarray, ...]) -> None:
    amplitude, truth, sigma = gaussian_surrogate
    path = tmp_path / "pulls.png"
    plot_pulls(path, pulls(amplitude, truth, sigma), relative_deviation(amplitude, truth), "a title")
    assert path.read_bytes().startswith(b"\x89PNG")
