"""Does the amplitude respect the symmetries of nature, and does a batch equal its points?"""

from pathlib import Path

import numpy as np
import pytest

import pyamp

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def momenta():
    with np.load(REFERENCE / "gg_to_aag_openloops.npz") as file:
        return file["momenta"]


@pytest.fixture(scope="module")
def truth():
    return pyamp.truth("gg_to_aag")


def deviation(truth, changed, momenta):
    return np.abs(truth.me2(changed) / truth.me2(momenta) - 1).max()


def test_photons_are_identical(truth, momenta):
    assert deviation(truth, momenta[:, [0, 1, 3, 2, 4]], momenta) < 1e-12


def test_incoming_gluons_are_identical(truth, momenta):
    assert deviation(truth, momenta[:, [1, 0, 2, 3, 4]], momenta) < 1e-12


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_parity(truth, momenta, axis):
    mirrored = momenta.copy()
    mirrored[..., axis] *= -1
    assert deviation(truth, mirrored, momenta) < 1e-12


def test_parity_exchanges_helicities(truth, momenta):
    mirrored = momenta.copy()
    mirrored[..., 2] *= -1
    before, after = truth.helicity_amplitudes_squared(momenta), truth.helicity_amplitudes_squared(mirrored)
    total = sum(before.values())
    flip = str.maketrans("+-", "-+")
    for helicities, value in before.items():
        assert (np.abs(after[helicities.translate(flip)] - value) < 1e-12 * total).all(), helicities


def test_parity_partners_differ_at_a_point(truth, momenta):
    # The amplitude has both logarithms and their phases: only the sum over helicities is even.
    values = truth.helicity_amplitudes_squared(momenta)
    assert np.median(np.abs(values["+++--"] / values["---++"] - 1)) > 0.1


def rotation(seed):
    q = np.random.default_rng(seed).normal(size=(3, 3))
    q, r = np.linalg.qr(q)
    q = q * np.sign(np.diag(r))
    return q * np.linalg.det(q)


@pytest.mark.parametrize("seed", range(5))
def test_rotation(truth, momenta, seed):
    rotated = momenta.copy()
    rotated[..., 1:] = momenta[..., 1:] @ rotation(seed).T
    assert deviation(truth, rotated, momenta) < 1e-11


def test_legs_along_the_spinor_axis(truth, momenta):
    # Beams along ±x are the exceptional directions of the spinors.
    turned = momenta[..., [0, 3, 1, 2]]
    assert deviation(truth, turned, momenta) < 1e-12


@pytest.mark.parametrize("rapidity", [-4.0, -1.0, 0.5, 2.0, 4.0])
def test_longitudinal_boost(truth, momenta, rapidity):
    boosted = momenta.copy()
    c, s = np.cosh(rapidity), np.sinh(rapidity)
    boosted[..., 0] = c * momenta[..., 0] + s * momenta[..., 3]
    boosted[..., 3] = s * momenta[..., 0] + c * momenta[..., 3]
    assert deviation(truth, boosted, momenta) < 1e-12


def test_transverse_boost(truth, momenta):
    boosted = momenta.copy()
    c, s = np.cosh(1.0), np.sinh(1.0)
    boosted[..., 0] = c * momenta[..., 0] + s * momenta[..., 1]
    boosted[..., 1] = s * momenta[..., 0] + c * momenta[..., 1]
    assert deviation(truth, boosted, momenta) < 1e-10


@pytest.mark.parametrize("factor", [0.013, 0.5, 7.0])
def test_scales_like_one_over_energy_squared(truth, momenta, factor):
    assert np.abs(truth.me2(factor * momenta) * factor**2 / truth.me2(momenta) - 1).max() < 1e-12


def test_couplings(momenta):
    a = pyamp.truth(alpha_s=0.1, alpha=0.01)
    b = pyamp.truth(alpha_s=0.2, alpha=0.03)
    np.testing.assert_allclose(b.me2(momenta), 2**3 * 3**2 * a.me2(momenta), rtol=1e-14)
    np.testing.assert_allclose(a.me2(momenta), 0.1**3 * 0.01**2 * a.stripped(momenta), rtol=1e-14)
    assert a.coupling_orders == (3, 2)


def test_batch_equals_single_points_bit_for_bit(truth, momenta):
    batch, accuracy = truth.me2(momenta, return_accuracy=True)
    singles = [truth.me2(p, return_accuracy=True) for p in momenta]
    assert [v for v, _ in singles] == batch.tolist()
    assert [a for _, a in singles] == accuracy.tolist()
    assert truth.me2(momenta[::-1]).tolist() == batch[::-1].tolist()
    assert truth.me2(momenta).tolist() == batch.tolist()
