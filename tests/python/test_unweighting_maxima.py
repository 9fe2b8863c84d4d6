"""Does the maximum leave to overweights what was asked, and are bad weights refused?"""

import numpy as np
import pytest

from pyamp.errors import PyampError
from pyamp.unweighting import budget_maximum, unweight, unweight_two_stage

VALUES = np.random.default_rng(1).lognormal(sigma=1.5, size=5000)
WEIGHTS = np.random.default_rng(2).exponential(size=5000)


@pytest.mark.parametrize("budget", [1e-4, 1e-3, 0.05, 0.5])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_excess_is_the_budget(budget, weights):
    maximum = budget_maximum(VALUES, budget, weights)
    omega = np.ones_like(VALUES) if weights is None else weights
    excess = (omega * np.maximum(VALUES - maximum, 0)).sum() / (omega * VALUES).sum()
    assert excess == pytest.approx(budget, rel=1e-9)


def test_without_budget_it_is_the_largest_that_occurs():
    assert budget_maximum(VALUES, 0.0) == VALUES.max()
    weights = np.ones_like(VALUES)
    weights[VALUES.argmax()] = 0.0
    assert budget_maximum(VALUES, 0.0, weights) == np.sort(VALUES)[-2]


def test_equal_values_and_a_single_one():
    assert budget_maximum([3.0, 3.0, 3.0], 0.1) == pytest.approx(2.7)
    assert budget_maximum([2.0], 0.0) == 2.0
    assert budget_maximum([0.0, 2.0, 0.0], 0.0) == 2.0


@pytest.mark.parametrize(
    ("values", "budget", "weights", "text"),
    [
        ([1.0], 1.0, None, "overweight budget is 1.0; expected a share from 0 to below 1"),
        ([], 0.0, None, "values has shape (0,); expected (n,) with n > 0"),
        ([[1.0]], 0.0, None, "values has shape (1, 1)"),
        ([1.0, np.nan], 0.0, None, "1 of 2 are NaN or infinite"),
        ([1.0, -1.0], 0.0, None, "1 of 2 are negative; unweighting is for weights >= 0"),
        ([0.0, 0.0], 0.0, None, "all weights are 0"),
        ([1.0, 2.0], 0.0, [1.0], "2 values but 1 weights"),
    ],
)
def test_bad_input_is_explained(values, budget, weights, text):
    with pytest.raises(PyampError) as error:
        budget_maximum(values, budget, weights)
    assert text in str(error.value)


def test_bad_weights_never_become_events():
    with pytest.raises(PyampError, match="negative"):
        unweight([1.0, -0.5], 1.0, seed=1)
    with pytest.raises(PyampError, match=r"s_max is 0\.0; expected a positive number"):
        unweight_two_stage([1.0], lambda index: [1.0], 0.0, 1.0, seed=1)
    with pytest.raises(PyampError, match="truth_weights: 1 of 2 are NaN"):
        unweight_two_stage([1.0, 1.0], lambda index: [1.0, np.nan], 1.0, 1.0, seed=1)
    with pytest.raises(PyampError, match="truth_weights: 1 weights for 2 points"):
        unweight_two_stage([1.0, 1.0], lambda index: [1.0], 1.0, 1.0, seed=1)
