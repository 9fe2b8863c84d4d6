"""Flags and cuts, which the evaluator decides by quick bounds, at the borders: against the checks as they are defined.

The expectation evaluates the definitions point by point in double precision, with the cuts as ``Cuts`` applies them
outside of the evaluator; decisions must be equal, however close to a border a point is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyamp
from pyamp import _core
from pyamp.phase_space import PhaseSpace
from pyamp.processes import load_process
from tests.handmade_models import PDG_IDS, make_model, write_model

CUTS = {
    "pt_min": {"22": [40, 30], "21": 20},
    "abs_eta_max": {"22": 2.37, "21": 5},
    "delta_r_min": {"22,22": 0.4, "22,21": 0.4},
}
LOWEST, HIGHEST = 90.0, 13000.0
NOT_FINITE, OFF_SHELL, NOT_CONSERVED, OUTSIDE = 1, 2, 4, 8
# Distances from a border, from beyond all rounding to below it.
OFFSETS = np.concatenate([[0.0], *[sign * 10.0 ** -np.arange(1, 17) for sign in (1, -1)]])


def expected_flags(momenta: np.ndarray, cuts: dict[str, Any]) -> np.ndarray:
    passes = _core.Cuts(pyamp.cuts.Cuts(**cuts).model_dump_json(exclude_none=True), PDG_IDS, 2)
    flags = np.zeros(len(momenta), np.int32)
    with np.errstate(all="ignore"):
        for k, p in enumerate(momenta):
            if not np.isfinite(p).all():
                flags[k] = NOT_FINITE
                continue
            norm = np.sqrt(p[:, 1] * p[:, 1] + p[:, 2] * p[:, 2] + p[:, 3] * p[:, 3])
            if not ((np.abs(p[:, 0] - norm) <= 1e-8 * p[:, 0]) & (p[:, 0] > 0)).all():
                flags[k] |= OFF_SHELL
            balance = np.zeros(4)
            for leg, sign in zip(p, (1, 1, -1, -1, -1), strict=True):
                balance += sign * leg
            if not (np.abs(balance) <= 1e-8 * (p[0, 0] + p[1, 0])).all():
                flags[k] |= NOT_CONSERVED
            if flags[k]:
                continue
            e, x, y, z = p[0] + p[1]
            energy = np.sqrt((e - z) * (e + z) - x * x - y * y)
            inside = LOWEST * (1 - 1e-9) <= energy <= HIGHEST * (1 + 1e-9)
            if not (inside and passes.passes(p[None])[0]):
                flags[k] = OUTSIDE
    return flags


@pytest.fixture(scope="module")
def uncut() -> np.ndarray:
    process = load_process("gg_to_aag_1tev").model_copy(update={"cuts": pyamp.cuts.Cuts()})
    return PhaseSpace(process).sample(2000, seed=8).momenta


@pytest.fixture(scope="module")
def inside() -> np.ndarray:
    return PhaseSpace("gg_to_aag_1tev").sample(64, seed=9).momenta


def check(path: Path, sound: np.ndarray, momenta: np.ndarray, cuts: dict[str, Any] | None = None) -> None:
    """Flags of all points, of both kinds of representations, in a batch and alone."""
    cuts = CUTS if cuts is None else cuts
    expected = expected_flags(momenta, cuts)
    for representation, n_features in (("momenta", 20), ("ordered", 9), ("unordered", 9)):
        network = {"type": "mlp", "widths": [n_features, 4, 2], "activation": "tanh"}
        header, tensors = make_model(sound, representation=representation, network=network)
        header["domain"] = {"sqrt_s_hat": [LOWEST, HIGHEST], "cuts": cuts}
        evaluate = pyamp.Evaluator(write_model(path, header, tensors, sound), policy="nan")
        prediction = evaluate(momenta)
        # Points that can be evaluated and still give no number, such as with |s_ij| = 0, are flagged for that.
        no_number = (expected == 0) & (prediction.flags == 32)
        assert not np.isfinite(prediction.amplitude[no_number]).any()
        np.testing.assert_array_equal(np.where(no_number, 0, prediction.flags), expected)
        np.testing.assert_array_equal(np.isnan(prediction.amplitude), prediction.flags != 0)
        for k in range(0, len(momenta), 37):
            alone = evaluate(momenta[k])
            assert alone.flags[0] == prediction.flags[k]
            np.testing.assert_array_equal(alone.amplitude, prediction.amplitude[k : k + 1])


def with_axis(outgoing: np.ndarray) -> np.ndarray:
    """Events of massless outgoing legs ``(n, 3, 3)`` that balance across the beam, with their incoming legs."""
    momenta = np.zeros((len(outgoing), 5, 4))
    momenta[:, 2:, 1:] = outgoing
    momenta[:, 2:, 0] = np.linalg.norm(outgoing, axis=2)
    energy, z = momenta[:, 2:, 0].sum(axis=1), outgoing[:, :, 2].sum(axis=1)
    momenta[:, 0, 0] = momenta[:, 0, 3] = (energy + z) / 2
    momenta[:, 1, 0], momenta[:, 1, 3] = (energy - z) / 2, (z - energy) / 2
    return momenta


def from_angles(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Events of two photons ``(n, 2)`` and a gluon that balances them, at rapidity 0.3."""
    photons = np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=2)
    gluon = -photons.sum(axis=1)
    gluon[:, 2] = np.hypot(gluon[:, 0], gluon[:, 1]) * np.sinh(0.3)
    return with_axis(np.concatenate([photons, gluon[:, None]], axis=1))


def test_everywhere(tmp_path: Path, inside: np.ndarray, uncut: np.ndarray) -> None:
    check(tmp_path / "m.safetensors", inside, uncut)
    check(tmp_path / "m.safetensors", inside, uncut[:300], {})
    equal = {"pt_min": {"22": [50, 50], "21": 0}, "delta_r_min": {"22,22": 0.0}}
    check(tmp_path / "m.safetensors", inside[:16], uncut[:300], equal)


def test_borders_of_transverse_momenta(tmp_path: Path, inside: np.ndarray) -> None:
    """Whole events scaled until the transverse momentum of one leg is a threshold, or nearly."""
    pt = np.hypot(inside[:, 2:, 1], inside[:, 2:, 2])
    points = [
        event * (threshold * (1 + offset) / value)
        for event, values in zip(inside, pt, strict=True)
        for value, threshold in ((values[:2].max(), 40), (values[:2].min(), 30), (values[2], 20))
        for offset in OFFSETS
    ]
    check(tmp_path / "m.safetensors", inside, np.array(points))


def test_borders_of_rapidities_and_separations(tmp_path: Path, inside: np.ndarray) -> None:
    rng = np.random.default_rng(10)
    n = 40 * len(OFFSETS)
    offset = np.tile(OFFSETS, 40)
    pt = np.stack([rng.uniform(60, 300, n), rng.uniform(310, 600, n)], axis=1)
    phi = rng.uniform(0, 2 * np.pi, (n, 1)) + np.array([0.0, 2.0])
    eta = np.stack([rng.choice([-1, 1], n) * 2.37 * (1 + offset), rng.uniform(-0.5, 0.5, n)], axis=1)
    at_rapidity = from_angles(pt, eta, phi)
    distance, angle = 0.4 * (1 + offset), rng.uniform(0, 2 * np.pi, n)
    eta = rng.uniform(-1.5, 1.5, (n, 1)) + np.stack([np.zeros(n), distance * np.cos(angle)], axis=1)
    phi = phi[:, :1] + np.stack([np.zeros(n), distance * np.sin(angle)], axis=1)
    at_separation = from_angles(pt, eta, phi)
    for points in (at_rapidity, at_separation):
        flags = expected_flags(points, CUTS)
        assert 0.2 < (flags == 0).mean() < 0.8
        check(tmp_path / "m.safetensors", inside, points)


def test_tiny_separations(tmp_path: Path, inside: np.ndarray) -> None:
    """Where the limit itself is so small that rounding decides."""
    rng = np.random.default_rng(11)
    n = 300
    pt = np.stack([rng.uniform(60, 300, n), rng.uniform(310, 600, n)], axis=1)
    phi = rng.uniform(0, 2 * np.pi, (n, 1)) + np.stack([np.zeros(n), 10 ** rng.uniform(-17, -2, n)], axis=1)
    points = from_angles(pt, rng.uniform(-1.5, 1.5, (n, 1)) + np.zeros(2), phi)
    for limit in (0.0, 1e-12, 1e-6, 1e-4):
        check(tmp_path / "m.safetensors", inside, points, {"delta_r_min": {"22,22": limit}})


def test_borders_of_shell_balance_and_energy(tmp_path: Path, inside: np.ndarray) -> None:
    points = []
    for event, leg, offset in zip(
        np.tile(inside, (4, 1, 1)), np.tile(range(5), 52), OFFSETS.repeat(8), strict=False
    ):
        for sign in (1, -1):
            off_shell = event.copy()
            off_shell[leg, 0] *= 1 + sign * 1e-8 * (1 + offset)
            unbalanced = event.copy()
            unbalanced[4] *= 1 + sign * 1e-8 * (1 + offset) * 1000 / event[4, 0]
            points += [off_shell, unbalanced]
        energy = event[0, 0] + event[1, 0]
        points += [
            event * (HIGHEST * (1 + 1e-9) * (1 + offset) / energy),
            event * (LOWEST * (1 + offset) / energy),
        ]
    for cuts in (CUTS, {}):
        check(tmp_path / "m.safetensors", inside, np.array(points), cuts)


def test_what_is_no_event(tmp_path: Path, inside: np.ndarray) -> None:
    points = []
    for leg in range(5):
        for component in range(4):
            for value in (np.nan, np.inf, -np.inf, 0.0, 1e200, -1e200, 1e-200, 5e-324):
                event = inside[leg].copy()
                event[leg, component] = value
                points.append(event)
        for scale in (0.0, -1.0, np.nan, 1e-170, 1e160):
            event = inside[leg + 5].copy()
            event[leg] *= scale
            points += [event, inside[leg + 5] * scale]
    backwards = inside[:5].copy()
    backwards[:, :, 0] *= -1
    along_beam = with_axis(
        np.array([[[0, 0, 500.0], [100, 0, 0], [-100, 0, 0]], [[0, 0, 1.0], [0, 0, -1], [0, 0, 2]]])
    )
    parallel = inside[10:12].copy()
    parallel[:, 3] = parallel[:, 2]
    one_soft = inside[12].copy()
    one_soft[2] *= 1e-300 / one_soft[2, 0]
    boosted = np.array(inside[13:18])
    boosted[..., 0], boosted[..., 3] = (
        np.cosh(7) * boosted[..., 0] + np.sinh(7) * boosted[..., 3],
        np.sinh(7) * boosted[..., 0] + np.cosh(7) * boosted[..., 3],
    )
    everything = [*points, *backwards, *along_beam, *parallel, one_soft, *boosted]
    for cuts in (CUTS, {}):
        check(tmp_path / "m.safetensors", inside, np.array(everything), cuts)
