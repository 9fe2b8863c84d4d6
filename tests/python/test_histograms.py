"""Kinematic distributions: observables and uncertainties by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from pyamp.errors import PyampError
from pyamp.histograms import (
    delta_r,
    histogram,
    histogram_of_surrogate,
    mass,
    plot_histogram,
    transverse_momentum,
)
from tests.support import random_surrogate

# Beams, then legs of pT 3, 5 and 4 GeV: along x, against x and along y; the second has p_z = 12.
POINT = np.array(
    [[[20, 0, 0, 20], [20, 0, 0, -20], [3, 3, 0, 0], [13, -5, 0, 12], [4, 0, 4, 0]]], dtype=float
)


def test_observables_by_hand() -> None:
    assert mass(POINT, [0, 1]) == pytest.approx(40.0)
    assert mass(POINT, [2, 3]) == pytest.approx(math.sqrt(16**2 - 2**2 - 12**2))
    assert mass(POINT, [2]) == pytest.approx(0.0, abs=1e-7)
    assert [float(transverse_momentum(POINT, [2, 3, 4], rank)[0]) for rank in range(3)] == [5.0, 4.0, 3.0]
    assert transverse_momentum(POINT, [2, 4]) == pytest.approx(4.0)
    assert delta_r(POINT, 2, 4) == pytest.approx(math.pi / 2)
    assert delta_r(POINT, 2, 3) == pytest.approx(math.hypot(math.pi, math.asinh(12 / 5)))


def test_azimuth_is_a_circle() -> None:
    around = POINT.copy()
    around[0, 2, 1:3] = np.cos(3.0), np.sin(3.0)
    around[0, 4, 1:3] = np.cos(-3.0), np.sin(-3.0)
    assert delta_r(around, 2, 4) == pytest.approx(2 * math.pi - 6.0)


def test_uncertainties_of_bins_by_hand() -> None:
    """Two points in the first bin, one in the second, one outside; two members."""
    result = histogram(
        np.array([0.5, 0.6, 1.5, 2.0]),
        np.array([0.0, 1.0, 2.0]),
        np.array([[1.0, 2.0, 5.0, 9.0], [3.0, 2.0, 5.0, 9.0]]),
        np.array([0.3, 0.4, 0.5, 9.0]),
        weights=np.array([1.0, 2.0, 3.0, 9.0]),
        truth=np.array([2.0, 3.0, 4.0, 9.0]),
    )
    np.testing.assert_allclose(result.value, [2 + 4, 15])
    # members: 1 + 4 and 3 + 4; 15 and 15
    np.testing.assert_allclose(result.sigma_stat, [1.0, 0.0], atol=1e-14)
    np.testing.assert_allclose(result.sigma_syst, [math.sqrt(0.3**2 + 0.8**2), 1.5])
    np.testing.assert_allclose(result.sigma_points, [math.sqrt(4 + 16), 15])
    assert result.truth is not None
    np.testing.assert_allclose(result.truth, [8, 12])


def test_coherent_shifts_add_up_and_independent_ones_in_quadrature() -> None:
    n = 100
    members = np.stack([np.full(n, 0.9), np.full(n, 1.1)])
    result = histogram(np.full(n, 0.5), np.array([0.0, 1.0]), members, np.full(n, 0.1))
    assert result.sigma_stat[0] == pytest.approx(n * 0.1)
    assert result.sigma_syst[0] == pytest.approx(math.sqrt(n) * 0.1)


def test_histogram_of_a_surrogate(momenta: np.ndarray, tmp_path: Path) -> None:
    surrogate = random_surrogate(momenta, members=3)
    observable, edges = mass(momenta, [2, 3]), np.array([0.0, 300.0, 1000.0])
    result = histogram_of_surrogate(surrogate, momenta, observable, edges)
    with torch.inference_mode():
        means = surrogate.member_means(torch.from_numpy(momenta)).numpy()
        prediction = surrogate(torch.from_numpy(momenta))
    for number, chosen in enumerate((observable < 300.0, observable >= 300.0)):
        assert result.value[number] == pytest.approx(prediction.amplitude.numpy()[chosen].sum())
        assert result.sigma_stat[number] == pytest.approx(means[:, chosen].sum(axis=1).std())
        squares = prediction.sigma_syst.numpy()[chosen] ** 2
        assert result.sigma_syst[number] == pytest.approx(math.sqrt(squares.sum()))
    plot_histogram(tmp_path / "mass.png", result, r"$m_{\gamma\gamma}$ [GeV]", "random weights")
    assert (tmp_path / "mass.png").stat().st_size > 10_000


def test_arrays_of_other_points_are_refused() -> None:
    with pytest.raises(PyampError, match=r"sigma_syst of shape \(2,\) found, 3 points expected"):
        histogram(np.zeros(3), np.array([0.0, 1.0]), np.ones((2, 3)), np.ones(2))
