"""Does Sherpa get the numbers that pyamp gives in Python, point by point?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyamp
from pyamp.sherpa import run_card
from pyamp.truth import truth
from tests.sherpa.conftest import process, selectors

AVERAGE = 256  # Sherpa wants the sum over initial helicities and colours
MODEL_ALPHA = 1 / 137.035999084
OUTSIDE_DOMAIN = 8


@dataclass
class Points:
    """Points recorded by the plugin, momenta in the model's order of legs."""

    alpha_s: np.ndarray
    alpha: np.ndarray
    from_truth: np.ndarray
    me2_summed: np.ndarray
    momenta: np.ndarray


def record(
    card: str, model: Path | None, directory: Path, n: int, process: str = "gg_to_aag", **settings: Any
) -> Points:
    """Record the first points of a run, those of the integration."""
    pyamp_block = {"RECORD_POINTS": n, "RECORD_FILE": "points.csv"}
    settings = {"PYAMP": pyamp_block, "PSI": {"ITMIN": 100}, **settings}
    run_card(card, model, directory, settings, process=process, n_events=1)
    rows = np.loadtxt(directory / "points.csv", delimiter=",", skiprows=1)
    assert len(rows) == n
    return Points(rows[:, 0], rows[:, 1], rows[:, 2].astype(bool), rows[:, 3], rows[:, 4:].reshape(n, -1, 4))


def truth_summed(points: Points, process: str = "gg_to_aag") -> np.ndarray:
    provider = truth(process, alpha_s=1.0, alpha=1.0)
    alpha_s_power, alpha_power = provider.coupling_orders
    stripped = np.asarray(provider.me2(points.momenta))
    return AVERAGE * stripped * points.alpha_s**alpha_s_power * points.alpha**alpha_power


def surrogate_summed(model: Path, points: Points) -> tuple[np.ndarray, np.ndarray]:
    prediction = pyamp.Evaluator(model, policy="nan")(points.momenta, alpha_s=points.alpha_s)
    scale = (points.alpha / MODEL_ALPHA) ** 2
    return AVERAGE * np.asarray(prediction.amplitude) * scale, np.asarray(prediction.flags)


def test_truth(run_directory: Path) -> None:
    points = record("truth", None, run_directory, 1000)
    assert points.from_truth.all()
    assert np.ptp(points.alpha_s) > 0.01  # the running coupling of every point
    np.testing.assert_allclose(points.me2_summed, truth_summed(points), rtol=1e-12)


@pytest.mark.parametrize("mode", ["surrogate", "two_stage"])
def test_surrogate(run_directory: Path, golden: Path, mode: str) -> None:
    points = record(mode, golden, run_directory, 1000)
    expected, flags = surrogate_summed(golden, points)
    assert not points.from_truth.any()
    assert not flags.any()
    np.testing.assert_allclose(points.me2_summed, expected, rtol=1e-12)


def test_other_order_of_legs(run_directory: Path, golden: Path) -> None:
    points = record("surrogate", golden, run_directory, 200, PROCESSES=process("21 21 -> 21 22 22"))
    np.testing.assert_allclose(points.me2_summed, surrogate_summed(golden, points)[0], rtol=1e-12)


def test_points_outside_the_domain_come_from_the_truth(run_directory: Path, golden: Path) -> None:
    points = record("surrogate", golden, run_directory, 1000, SELECTORS=selectors(35, 25, 15))
    expected, flags = surrogate_summed(golden, points)
    outside = flags == OUTSIDE_DOMAIN
    assert 0.1 < outside.mean() < 0.9
    assert (outside == points.from_truth).all()
    np.testing.assert_allclose(points.me2_summed[~outside], expected[~outside], rtol=1e-12)
    np.testing.assert_allclose(points.me2_summed[outside], truth_summed(points)[outside], rtol=1e-12)


def test_cuts_of_the_ready_cards(run_directory: Path) -> None:
    """Eq. (2) of arXiv:2206.14831, either photon being the harder one."""
    momenta = record("truth", None, run_directory, 2000).momenta[:, 2:]
    pt = np.hypot(momenta[..., 1], momenta[..., 2])
    eta = np.arcsinh(momenta[..., 3] / pt)
    phi = np.arctan2(momenta[..., 2], momenta[..., 1])
    photons = np.sort(pt[:, :2])
    assert photons[:, 1].min() > 40
    assert 30 < photons[:, 0].min() < 31
    assert pt[:, 2].min() > 20
    assert np.abs(eta[:, :2]).max() < 2.37
    assert np.abs(eta[:, 2]).max() < 5
    for a, b in ((0, 1), (0, 2), (1, 2)):
        delta_phi = np.abs((phi[:, a] - phi[:, b] + np.pi) % (2 * np.pi) - np.pi)
        assert np.hypot(eta[:, a] - eta[:, b], delta_phi).min() > 0.4
    for softer in (pt[:, 0], pt[:, 1]):
        assert softer.min() < 40  # both orders occur
