"""Does a recalibration undo a known miscalibration, on points it was not fitted to, without being led by outliers?

Statistical tests allow 4.5 standard errors: a false-positive rate of 7e-6 each; seeds are fixed. The error of
the core width of n normal pulls is 0.962/√n.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats

from pyamp.calibration import core_width, pulls
from pyamp.errors import PyampError
from pyamp.recalibration import (
    Isotonic,
    Recalibration,
    Scale,
    fit_recalibration,
    recalibration_from_header,
)

ALLOWED = 4.5
WIDTH_ERROR = 0.962

Sample = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def sample(n: int, miscalibration: Callable[[np.ndarray], np.ndarray], seed: int) -> Sample:
    """Amplitude, truth, σ_syst and σ_stat whose deviations are normal with σ_tot × miscalibration(σ_tot/A)."""
    rng = np.random.default_rng(seed)
    amplitude = np.exp(2 * rng.normal(size=n))
    relative = 10 ** rng.uniform(-4, -1, n)
    deviation = relative * miscalibration(relative) * rng.normal(size=n)
    sigma = relative * amplitude
    return amplitude, amplitude * (1 - deviation), 0.6 * sigma, 0.8 * sigma


def calibrated_pulls(recalibration: Recalibration, points: Sample) -> np.ndarray:
    amplitude, truth, sigma_syst, sigma_stat = points
    sigma = [s.numpy() for s in recalibration(*map(torch.from_numpy, (amplitude, sigma_syst, sigma_stat)))]
    return pulls(amplitude, truth, np.hypot(*sigma))


@pytest.mark.parametrize(("n", "factor"), [(1000, 0.4), (100_000, 2.5)])
def test_scale_is_found(n: int, factor: float) -> None:
    recalibration = fit_recalibration("scale", *sample(n, lambda u: factor, seed=1))
    assert isinstance(recalibration, Scale)
    assert abs(recalibration.scale / factor - 1) < ALLOWED * WIDTH_ERROR / np.sqrt(n)
    assert core_width(calibrated_pulls(recalibration, sample(n, lambda u: factor, seed=1))) == pytest.approx(
        1
    )


def test_outliers_do_not_widen_the_bulk() -> None:
    n = 100_000
    amplitude, truth, *sigma = sample(n, lambda u: 1.0, seed=2)
    truth[: n // 1000] = amplitude[: n // 1000] * 0.3
    recalibration = fit_recalibration("scale", amplitude, truth, *sigma)
    # 0.1 % of the points may shift the core width by 1e-3/(2 φ(1)) = 0.002; the RMS of the pulls is above 10.
    assert isinstance(recalibration, Scale)
    assert abs(recalibration.scale - 1) < 0.002 + ALLOWED * WIDTH_ERROR / np.sqrt(n)
    assert np.sqrt(np.mean(pulls(amplitude, truth, np.hypot(*sigma)) ** 2)) > 10


def slope(u: np.ndarray) -> np.ndarray:
    """Six times too small a σ for the best points, six times too large for the worst."""
    return np.asarray((u / 10**-2.5) ** -0.52)


# The slope varies within the range of a node, at both ends: with 5 nodes that is a bias of 0.07, with 50 below 0.01.
@pytest.mark.parametrize(("n", "bias"), [(1000, 0.08), (20_000, 0.03)])
def test_isotonic_undoes_what_a_scale_cannot(n: int, bias: float) -> None:
    fitted, other = sample(n, slope, seed=3), sample(200_000, slope, seed=4)
    isotonic = fit_recalibration("isotonic", *fitted)
    assert isinstance(isotonic, Isotonic)
    assert isotonic.header() == recalibration_from_header(isotonic.header()).header()
    n_nodes = len(isotonic.sigma)
    assert n_nodes == min(50, n // 200)
    assert (np.diff(isotonic.sigma) > 0).all()
    assert (np.diff(isotonic.calibrated) >= 0).all()
    relative = np.hypot(*other[2:]) / other[0]
    scale = fit_recalibration("scale", *fitted)
    # Thirds of the range of σ: the width there comes from about a third of the nodes.
    for low in (1e-4, 1e-3, 1e-2):
        inside = (relative >= low) & (relative < 10 * low)
        width = core_width(calibrated_pulls(isotonic, other)[inside])
        assert abs(width - 1) < ALLOWED * WIDTH_ERROR / np.sqrt(n / 3) + bias
        if low != 1e-3:
            assert not 0.6 < core_width(calibrated_pulls(scale, other)[inside]) < 1.6


def test_isotonic_keeps_what_is_right() -> None:
    n = 50_000
    isotonic = fit_recalibration("isotonic", *sample(n, np.ones_like, seed=5))
    u = np.geomspace(1e-5, 1, 100)
    # 50 nodes of 1000 points; pooling only brings them closer: probability of a false alarm 50 × 7e-6.
    assert np.abs(np.log(isotonic.ratio(u))).max() < ALLOWED * WIDTH_ERROR / np.sqrt(n / 50)
    pulled = calibrated_pulls(isotonic, sample(n, np.ones_like, seed=6))
    # Errors of the nodes of 3 % make the sample a mixture of normals; its distance to the normal is below 1e-3.
    # A distance of 2.52/√n has the probability 2 exp(−2 · 2.52²) = 6e-6.
    assert stats.kstest(pulled, "norm").statistic < 2.52 / np.sqrt(n) + 1e-3


def test_violators_are_pooled() -> None:
    # Deviations that know nothing of σ: the best monotonic map is a constant σ of 0.01, up to noise.
    points = sample(20_000, lambda u: 0.01 / u, seed=7)
    isotonic = fit_recalibration("isotonic", *points)
    assert isinstance(isotonic, Isotonic)
    np.testing.assert_allclose(isotonic.calibrated[5:-5], 0.01, rtol=ALLOWED * WIDTH_ERROR / np.sqrt(2000))
    assert len(set(isotonic.calibrated)) < 15


def test_weights_count_as_repetition() -> None:
    points = sample(5000, slope, seed=8)
    counts = np.random.default_rng(9).integers(1, 4, 5000)
    repeated = fit_recalibration("scale", *(np.repeat(x, counts) for x in points))
    weighted = fit_recalibration("scale", *points, weights=counts.astype(float))
    assert isinstance(repeated, Scale)
    assert isinstance(weighted, Scale)
    assert weighted.scale == pytest.approx(repeated.scale, rel=2e-3)
    once, thrice = (
        fit_recalibration("isotonic", *points, weights=np.full(5000, w)).ratio(points[0]) for w in (1.0, 3.0)
    )
    np.testing.assert_allclose(once, thrice, rtol=1e-9)
    np.testing.assert_allclose(once, fit_recalibration("isotonic", *points).ratio(points[0]), rtol=1e-9)


def test_ties_at_an_upper_limit_share_a_node() -> None:
    n = 4000
    rng = np.random.default_rng(10)
    relative = np.minimum(10 ** rng.uniform(-3, 0, n), 0.1)
    amplitude = np.ones(n)
    truth = 1 - 2 * relative * rng.normal(size=n)
    isotonic = fit_recalibration("isotonic", amplitude, truth, relative, np.zeros(n))
    assert isinstance(isotonic, Isotonic)
    # A third of all points, and at most half a bin of those just below.
    assert isotonic.sigma[-1] == pytest.approx(0.1, rel=0.01)
    assert (np.diff(isotonic.sigma) > 0).all()


def test_degenerate_input() -> None:
    good = sample(1000, np.ones_like, seed=11)
    amplitude, truth, sigma_syst, sigma_stat = good
    with pytest.raises(
        PyampError, match=r"99 \(effective\) points found, at least 100 expected for scale; give more$"
    ):
        fit_recalibration("scale", *(x[:99] for x in good))
    with pytest.raises(PyampError, match="at least 400 expected for isotonic; give more, or fit a scale"):
        fit_recalibration("isotonic", *(x[:399] for x in good))
    with pytest.raises(PyampError, match=r"0 .* points found"):
        fit_recalibration("scale", *(x[:0] for x in good))
    for kind in ("scale", "isotonic"):
        with pytest.raises(PyampError, match="positive uncertainties expected"):
            fit_recalibration(kind, amplitude, truth, 0 * sigma_syst, 0 * sigma_stat)  # type: ignore[arg-type]
        with pytest.raises(PyampError, match="positive uncertainties expected"):
            fit_recalibration(kind, amplitude, truth, sigma_syst * np.nan, sigma_stat)  # type: ignore[arg-type]
        with pytest.raises(PyampError, match="deviations are the same"):
            fit_recalibration(kind, amplitude, amplitude, sigma_syst, sigma_stat)  # type: ignore[arg-type]
    with pytest.raises(
        PyampError, match="nearly everywhere, different values expected for isotonic; fit a scale"
    ):
        fit_recalibration("isotonic", amplitude, truth, 0.01 * amplitude, 0 * amplitude)
