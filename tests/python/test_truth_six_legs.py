"""Does the g g → γ γ g g amplitude equal what an independent program computed, and keep its symmetries?"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import pyamp
from pyamp import _core
from pyamp.phase_space import PhaseSpace

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def truth():
    return pyamp.truth("gg_to_aagg")


@pytest.fixture(scope="module")
def reference():
    with np.load(REFERENCE / "gg_to_aagg_independent.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def sample(truth):
    """Points inside the cuts, their amplitudes and accuracies."""
    momenta = PhaseSpace("gg_to_aagg_1tev").sample(40, seed=8).momenta
    return momenta, *truth.me2(momenta, return_accuracy=True)


def test_describes_itself(truth):
    assert truth.pdg_ids == (21, 21, 22, 22, 21, 21)
    assert truth.coupling_orders == (4, 2)
    assert truth.spin_colour_average == 256
    assert "gg_to_aagg" in truth.version


def test_feynman_diagrams(truth, reference):
    # Computed in quadruple precision from hexagons, pentagons and boxes by tensor reduction.
    found, accuracy = truth.me2(reference["momenta"], return_accuracy=True)
    deviation = np.abs(found / reference["me2"] - 1)
    assert (deviation < 1e-9).all()
    assert (deviation < 10 * accuracy).all()


def test_feynman_diagrams_helicity_by_helicity(reference):
    # In double-double: limited by the momenta, which are rounded to double.
    classes, _ = _core.quark_loop.amplitudes_double_double(reference["momenta"], [2, 3])
    classes = 8 * classes
    squared = np.einsum("pch,cd,pdh->ph", classes, reference["colour_matrix"], classes.conj()).real
    names = _core.helicity_names(6)
    order = [names.index(name) for name in reference["hel_names"]]
    expected = reference["me2_hel"] / reference["prefactor"]
    np.testing.assert_allclose(squared[:, order], expected, rtol=1e-9)


def test_feynman_diagrams_class_by_class(reference):
    classes, _ = _core.quark_loop.amplitudes_double_double(reference["momenta"][:1], [2, 3])
    assert _core.quark_loop.colour_classes(6, [2, 3]) == reference["classes"].tolist()
    names = _core.helicity_names(6)
    found = 8 * classes[0][:, [names.index(name) for name in reference["hel_names"]]]
    expected = reference["amplitude_class"][0]
    # Moduli, and phases between the classes: conventions of spinors drop out of both. Parity conjugates a half.
    for a, b in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)):
        product = found[a] * found[b].conj()
        wanted = expected[a] * expected[b].conj()
        scale = np.abs(wanted)
        direct, conjugate = np.abs(product - wanted) / scale, np.abs(product.conj() - wanted) / scale
        assert (np.minimum(direct, conjugate) < 1e-9).all()


def test_helicities_sum_to_the_stripped_amplitude(truth, reference):
    momenta = reference["momenta"]
    total = sum(truth.helicity_amplitudes_squared(momenta).values())
    # 64 (4π)⁴ (4π)² (ΣQ²)² / (16π²)² / 256
    np.testing.assert_allclose(truth.stripped(momenta), 4 * np.pi**2 * (11 / 9) ** 2 * total, rtol=1e-13)


@pytest.mark.parametrize("order", [[0, 1, 3, 2, 4, 5], [1, 0, 2, 3, 4, 5], [0, 1, 2, 3, 5, 4]])
def test_identical_bosons(truth, sample, order):
    momenta, value, accuracy = sample
    changed, changed_accuracy = truth.me2(momenta[:, order], return_accuracy=True)
    assert (np.abs(changed / value - 1) < 1e-11 + 10 * np.maximum(accuracy, changed_accuracy)).all()


def test_parity(truth, sample):
    momenta, value, accuracy = sample
    mirrored = momenta.copy()
    mirrored[..., 2] *= -1
    changed, changed_accuracy = truth.me2(mirrored, return_accuracy=True)
    assert (np.abs(changed / value - 1) < 1e-11 + 10 * np.maximum(accuracy, changed_accuracy)).all()
    before = truth.helicity_amplitudes_squared(momenta)
    after = truth.helicity_amplitudes_squared(mirrored)
    flip = str.maketrans("+-", "-+")
    total = sum(before.values())
    for helicities, squared in before.items():
        difference = np.abs(after[helicities.translate(flip)] - squared)
        # Errors of single helicities partly cancel in the sum that the accuracy is about.
        assert (difference < (1e-10 + 100 * accuracy) * total).all(), helicities


@pytest.mark.parametrize("rapidity", [-3.0, 1.5])
def test_boost(truth, sample, rapidity):
    momenta, value, accuracy = sample
    boosted = momenta.copy()
    c, s = np.cosh(rapidity), np.sinh(rapidity)
    boosted[..., 0] = c * momenta[..., 0] + s * momenta[..., 3]
    boosted[..., 3] = s * momenta[..., 0] + c * momenta[..., 3]
    assert (np.abs(truth.me2(boosted) / value - 1) < 1e-10 + 10 * accuracy).all()


def test_scales_like_one_over_energy_to_the_fourth(truth, sample):
    momenta, value, accuracy = sample
    scaled = truth.me2(0.1 * momenta) * 0.1**4
    assert (np.abs(scaled / value - 1) < 1e-11 + 10 * accuracy).all()


def test_bad_points_are_rescued(truth):
    momenta = PhaseSpace("gg_to_aagg_1tev").sample(400, seed=21).momenta
    _, poles = _core.quark_loop.amplitudes(momenta, [2, 3])
    worst = momenta[np.argsort(poles[:, 1])[-4:]]
    assert (np.sort(poles[:, 1])[-4:] > 3e-7).all()
    value, accuracy = truth.me2(worst, return_accuracy=True)
    assert (accuracy < 1e-7).all()
    turned = worst[:, [1, 0, 3, 2, 5, 4]]
    np.testing.assert_allclose(truth.me2(turned), value, rtol=1e-7)


def test_accuracy_flags_points_that_do_not_conserve_momentum(truth, sample):
    momenta, _, _ = sample
    spoiled = momenta[:10].copy()
    spoiled[:, 5, 1] *= 1 + 1e-7
    _, accuracy = truth.me2(spoiled, return_accuracy=True)
    assert (accuracy > 1e-9).all()


def test_threads_and_batches_agree_bit_for_bit(truth, sample):
    momenta, value, _ = sample
    singles = [truth.me2(p) for p in momenta[:10]]
    assert singles == value[:10].tolist()
    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(lambda _: truth.me2(momenta[:10]).tolist(), range(4)):
            assert result == singles


def test_failed_points(truth, sample):
    points = sample[0][:4].copy()
    points[1, 2, 1] = np.nan
    points[2, 4] *= 1.01
    with pytest.raises(pyamp.PyampError, match="2 of 4 points failed, index 1, 2"):
        truth.me2(points)
    value, accuracy = truth.me2(points, return_accuracy=True, on_failure="nan")
    assert np.isnan(value).tolist() == np.isnan(accuracy).tolist() == [False, True, True, False]
    with pytest.raises(pyamp.PyampError, match="5 legs found"):
        truth.me2(points[:, :5])
