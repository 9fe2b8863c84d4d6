"""Are classical interpolations exact where they can be, and do they converge on a known function and on the truth?"""

import math

import numpy as np
import pytest
import torch

from pyamp import truth
from pyamp.errors import PyampError
from pyamp.interpolation import Polynomial, RadialBasis
from pyamp.phase_space import PhaseSpace
from pyamp.processes import load_process
from pyamp.representations import RepresentationConfig

PDG_IDS = [21, 21, 22, 22, 21]


def points(n, seed=1):
    return PhaseSpace(load_process("gg_to_aag_1tev")).sample(n, seed).momenta


def amplitude_of(momenta, function):
    """An amplitude whose logarithm, without the known factor, is a function of the logarithms of the invariants."""
    representation = RepresentationConfig().build(PDG_IDS)
    x = representation.raw_features(torch.from_numpy(momenta)).numpy()
    return np.exp(function(x) + representation.log_factor(torch.from_numpy(momenta)).numpy())


def largest_deviation(interpolation, function, n_known, n_asked=50):
    known, asked = points(n_known, seed=1), points(n_asked, seed=2)
    interpolation.fit(known, amplitude_of(known, function))
    return np.abs(interpolation.predict(asked) / amplitude_of(asked, function) - 1)


def linear(x):
    return 0.3 + x @ np.linspace(-0.2, 0.4, x.shape[1])


def cubic(x):
    return linear(x) + 0.05 * x[:, 0] * x[:, 4] - 0.01 * x[:, 3] ** 2 * x[:, 5]


def test_radial_basis_with_its_linear_part_is_exact_on_linear_functions():
    assert largest_deviation(RadialBasis(PDG_IDS, kernel="cubic"), linear, 400).max() < 1e-8


@pytest.mark.parametrize("kernel", ["gaussian", "multiquadric", "cubic"])
def test_radial_basis_goes_through_the_known_points(kernel):
    known = points(300)
    amplitude = amplitude_of(known, cubic)
    found = RadialBasis(PDG_IDS, kernel=kernel, neighbours=40).fit(known, amplitude).predict(known)
    np.testing.assert_allclose(found, amplitude, rtol=1e-5)


def test_polynomial_is_exact_on_polynomials_of_its_degree():
    polynomial = Polynomial(PDG_IDS, degree=3)
    known = points(1500)
    amplitude = amplitude_of(known, cubic)
    np.testing.assert_allclose(polynomial.fit(known, amplitude).predict(known), amplitude, rtol=1e-9)
    # Other points may lie outside of the range that is known, where nothing is exact.
    assert np.median(largest_deviation(Polynomial(PDG_IDS, degree=3), cubic, 1500)) < 1e-9
    assert np.median(largest_deviation(Polynomial(PDG_IDS, degree=2), cubic, 1500)) > 1e-4


@pytest.mark.parametrize(
    ("make", "factor"),
    [(lambda: RadialBasis(PDG_IDS), 8.0), (lambda: RadialBasis(PDG_IDS, kernel="cubic"), 2.0)],
    ids=["gaussian", "cubic"],
)
def test_more_points_interpolate_a_smooth_function_better(make, factor):
    def function(x):
        return np.sin(x[:, 0]) + 0.3 * np.cos(x[:, 2] - x[:, 5])

    few, many = (np.median(largest_deviation(make(), function, n, 200)) for n in (500, 8000))
    assert many < few / factor


def test_higher_degrees_approximate_a_smooth_function_better():
    def function(x):
        return np.sin(x[:, 0]) + 0.3 * np.cos(x[:, 2] - x[:, 5])

    coarse, fine = (
        np.median(largest_deviation(Polynomial(PDG_IDS, degree=d), function, 3000, 200)) for d in (2, 4)
    )
    assert fine < coarse / 3


def test_radial_basis_interpolates_the_truth_within_a_few_per_mille():
    me2 = truth("gg_to_aag").me2
    known, asked = points(5000), points(200, seed=2)
    found = RadialBasis(PDG_IDS).fit(known, me2(known)).predict(asked)
    assert np.median(np.abs(found / me2(asked) - 1)) < 3e-3


def test_predictions_do_not_know_which_of_two_photons_is_the_first():
    known, asked = points(500), points(20, seed=2)
    interpolation = RadialBasis(PDG_IDS).fit(known, amplitude_of(known, cubic))
    np.testing.assert_allclose(
        interpolation.predict(asked[:, [0, 1, 3, 2, 4]]), interpolation.predict(asked), rtol=1e-10
    )


def test_memory_is_that_of_points_or_coefficients():
    known = points(600)
    amplitude = amplitude_of(known, cubic)
    assert RadialBasis(PDG_IDS).fit(known, amplitude).n_bytes == 600 * (9 + 1) * 8
    n_coefficients = math.comb(9 + 2, 2)
    assert Polynomial(PDG_IDS, degree=2).fit(known, amplitude).n_bytes == n_coefficients * (1 + 9) * 8


def test_no_points_no_predictions():
    known = points(20)
    amplitude = amplitude_of(known, cubic)
    assert RadialBasis(PDG_IDS).fit(known, amplitude).predict(known[:0]).shape == (0,)
    with pytest.raises(PyampError, match="call fit first"):
        Polynomial(PDG_IDS).predict(known)


def test_too_few_points_are_refused():
    known = points(20)
    amplitude = amplitude_of(known, cubic)
    with pytest.raises(PyampError, match="20 points found, at least 55 expected for degree 2"):
        Polynomial(PDG_IDS, degree=2).fit(known, amplitude)
    with pytest.raises(PyampError, match="5 neighbours found, at least 10"):
        RadialBasis(PDG_IDS, neighbours=5).fit(known, amplitude)
    with pytest.raises(PyampError, match="representation momenta found"):
        RadialBasis(PDG_IDS, representation=RepresentationConfig(type="momenta"))
