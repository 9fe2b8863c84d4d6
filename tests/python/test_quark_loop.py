"""Are amplitudes of photons and gluons through a quark loop right for any number of photons, and consistent?

Five legs are compared with the analytic amplitude of gg → γγg, six with closed formulas; poles have to cancel and Ward
identities to hold for every leg.
"""

import itertools
from pathlib import Path

import numpy as np
import pytest

from pyamp import _core
from pyamp.phase_space import PhaseSpace

REFERENCE = Path(__file__).parents[1] / "reference"
loop = _core.quark_loop


@pytest.fixture(scope="module")
def five():
    return PhaseSpace("gg_to_aag_1tev").sample(1000, seed=3).momenta


@pytest.fixture(scope="module")
def six():
    return PhaseSpace("gg_to_aagg_1tev").sample(60, seed=3).momenta


def largest(amplitudes):
    """Root mean square over classes and helicities, per point."""
    return np.sqrt((np.abs(amplitudes) ** 2).mean(axis=(1, 2)))


def test_five_legs_equal_the_analytic_amplitude(five):
    found, poles = loop.amplitudes(five, [2, 3])
    expected = np.sqrt(_core.Amplitude("builtin:gg_to_aag").helicity_amplitudes_squared(five))
    deviation = np.abs(np.abs(found[:, 0]) - expected) / largest(found)[:, None]
    # Numerical unitarity loses digits near zeros of Gram determinants; the analytic formulas do not.
    assert np.median(deviation.max(axis=1)) < 1e-11
    assert np.quantile(deviation.max(axis=1), 0.9) < 1e-9
    # What is left of the poles knows it; the worst of 32 helicities is off by some times more.
    assert (deviation.max(axis=1) < 1e-11 + 1e3 * poles.max(axis=1)).all()


def test_five_legs_in_double_double_equal_the_analytic_amplitude_at_every_helicity(five):
    found, _ = loop.amplitudes_double_double(five[:30], [2, 3])
    expected = np.sqrt(_core.Amplitude("builtin:gg_to_aag").helicity_amplitudes_squared(five[:30]))
    # Rounding of the momenta, and of the analytic amplitude.
    np.testing.assert_allclose(np.abs(found[:, 0]), expected, rtol=1e-9)


def test_poles_cancel(six):
    _, poles = loop.amplitudes(six, [2, 3])
    assert (np.median(poles, axis=0) < 1e-9).all()


def test_poles_cancel_to_the_digits_of_double_double(six):
    _, poles = loop.amplitudes_double_double(six[:8], [2, 3])
    assert (poles < 1e-19).all()


@pytest.mark.parametrize("photons", [[2, 3], [2], [2, 3, 4]])
@pytest.mark.parametrize("leg", range(6))
def test_ward_identity(six, photons, leg):
    # eps = k / sqrt(s): zero up to rounding, against the amplitude with a physical polarisation.
    amplitude, poles = loop.amplitudes(six[:6], photons)
    gauge, _ = loop.amplitudes(six[:6], photons, leg)
    assert (largest(gauge) < (1e-9 + 100 * poles.max(axis=1)) * largest(amplitude)).all()


def test_colour_classes():
    assert loop.colour_classes(6, [2, 3]) == [[0, 1, 4, 5], [0, 1, 5, 4], [0, 4, 1, 5]]
    assert loop.colour_classes(5, [2, 3]) == [[0, 1, 4]]


def spinor_products(momenta):
    """<ij> and [ij] of a point with two incoming legs, all legs taken as outgoing; <ij>[ji] = s_ij."""
    E, x, y, z = momenta.T.astype(complex)
    root = np.sqrt(E + x)
    first, second = np.stack([root, (y + 1j * z) / root]), np.stack([root, (y - 1j * z) / root])
    crossed = np.where(np.arange(len(momenta)) < 2, 1j, 1)
    first, second = first * crossed, second * crossed
    angle = np.outer(first[0], first[1])
    square = np.outer(second[1], second[0])
    return angle - angle.T, square - square.T


def bare_spinors(momenta):
    """Spinors (n, legs, 2) of physical momenta with the light-cone axis x: s s† = E + x σ₃ + y σ₁ + z σ₂."""
    E, x, y, z = np.moveaxis(momenta, -1, 0)
    root = np.sqrt(E + x)
    return np.stack([root + 0j, (y + 1j * z) / root], axis=-1)


@pytest.mark.parametrize("photons", [[2, 3], [2, 3, 4]])
def test_little_group(six, photons):
    """In a rotated frame every spinor is the rotated one times a phase t_i; an amplitude takes Π t_i^(−2 h_i)."""
    points = six[:8]
    axis, angle = np.array([0.36, 0.48, 0.8]), 1.1
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    rotation = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    rotated = points.copy()
    rotated[..., 1:] = points[..., 1:] @ rotation.T
    x, y, z = axis
    generator = np.array([[x, y - 1j * z], [y + 1j * z, -x]])
    unitary = np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * generator
    before = bare_spinors(points) @ unitary.T
    after = bare_spinors(rotated)
    phase = (before.conj() * after).sum(axis=-1) / (np.abs(before) ** 2).sum(axis=-1)
    np.testing.assert_allclose(np.abs(phase), 1, rtol=1e-10)
    assert np.ptp(np.angle(phase), axis=0).max() > 0.1  # or nothing is tested

    helicity = 1 - 2 * (np.arange(64)[:, None] >> np.arange(6) & 1)  # bit i: leg i has negative helicity
    weight = np.exp(-2j * np.angle(phase) @ helicity.T)
    amplitude, errors = loop.amplitudes(points, photons)
    found, rotated_errors = loop.amplitudes(rotated, photons)
    difference = np.abs(found - weight[:, None] * amplitude).max(axis=(1, 2))
    worst = np.maximum(errors, rotated_errors).max(axis=1)
    assert (difference < (1e-9 + 100 * worst) * largest(amplitude)).all()


@pytest.mark.parametrize("photons", [[2, 3], [2, 3, 4], [2]])
def test_all_plus(six, photons):
    """arXiv:hep-ph/9312333, summed over the places of the photons."""
    amplitude, poles = loop.amplitudes(six[:5], photons)
    for point, found, pole in zip(six[:5], amplitude, poles, strict=True):
        angle, square = spinor_products(point)
        for word, value in zip(loop.colour_classes(6, photons), found[:, 0], strict=True):
            total = 0
            for rest in itertools.permutations(range(1, 6)):
                order = (0, *rest)
                if [leg for leg in order if leg not in photons] != word:
                    continue
                denominator = np.prod([angle[order[k], order[(k + 1) % 6]] for k in range(6)])
                total += (
                    sum(
                        angle[a, b] * square[b, c] * angle[c, d] * square[d, a]
                        for a, b, c, d in itertools.combinations(order, 4)
                    )
                    / denominator
                )
            # 1/3 as in the amplitude of five legs, arXiv:hep-ph/9302280
            assert abs(value) == pytest.approx(abs(total) / 3, rel=1e-7 + 100 * pole.max())


def test_finite_box_of_equal_kind_joins_its_limits():
    # A mass that goes to zero must take its box to the one without it, up to the pole terms that are left out.
    # -(-s)^-eps/eps^2 of the vanishing mass has no finite part; the boxes are continuous but for logarithms of it.
    s, t = -1.3, -0.7
    opposite = loop.finite_box([0, 1e-12, 0, -0.4], s, t)
    single = loop.finite_box([0, 0, 0, -0.4], s, t)
    assert opposite == pytest.approx(single, rel=1e-9)


@pytest.mark.parametrize("masses", [(-1.0, -2.0, -9.0), (-5.0, -0.3, -0.4), (-0.2, -7.0, -1.0)])
def test_three_mass_triangle_for_spacelike_masses(masses):
    # int_0^1 dx of the Feynman parameters, one of them done analytically; x = 1/(1 + exp(-w)) tames the ends.
    a, b, c = (-m for m in masses)
    w = np.linspace(-60, 60, 24001)
    x = np.exp(w)
    integrand = x * np.log((1 + x) * (a * x + b) / (c * x)) / (a * x**2 + (a + b - c) * x + b)
    expected = -np.trapezoid(integrand, w)
    assert loop.three_mass_triangle(masses) == pytest.approx(expected, rel=1e-8)


def test_three_mass_triangle_is_symmetric_and_homogeneous():
    masses = (0.6, -0.9, -1.7)
    value = loop.three_mass_triangle(masses)
    for order in itertools.permutations(masses):
        assert loop.three_mass_triangle(order) == pytest.approx(value, rel=1e-13)
    assert loop.three_mass_triangle([3 * m for m in masses]) == pytest.approx(value / 3, rel=1e-13)
