"""Is the cross section by control variates unbiased for any surrogate, with errors that hold, and does it gain?

Pulls over 300 seeds: with fresh points for each their mean is 0 +- 0.058 and their width 1 +- 0.041 if the estimate is
normal, so 4 sigma are 0.23 and 0.16; a correct code fails one of these with a probability of 1.3e-4. With a heavy tail
the width of the pulls is known less well, and bounds are wider.
"""

import numpy as np
import pytest

from pyamp.errors import PyampError
from pyamp.unweighting.control_variate import control_variate
from pyamp.unweighting.inclusion import inclusion_probabilities

SEEDS = 300
N_POINTS = 5000
N_TRUTH = 500
SPREAD = 0.6
EXACT = np.exp(0.5 * SPREAD**2)


def points(kind, seed):
    """w of mean EXACT, s and σ/A of a surrogate."""
    generator = np.random.default_rng([1, seed])
    w = generator.lognormal(sigma=SPREAD, size=N_POINTS)
    noise = generator.standard_normal(N_POINTS)
    match kind:
        case "good":
            sigma = generator.uniform(0.005, 0.05, N_POINTS)
            return w, w * (1 + sigma * noise), sigma
        case "biased":  # by 30 %, and it does not know
            return w, 1.3 * w * (1 + 0.02 * noise), np.full(N_POINTS, 0.02)
        case "heavy-tailed":
            return w, w * np.exp(0.1 * generator.standard_t(3, N_POINTS).clip(-8, 8)), np.full(N_POINTS, 0.1)
    raise ValueError(kind)


def estimates(kind, change=1.0):
    found = []
    for seed in range(SEEDS):
        w, s, sigma = points(kind, seed)
        found.append(control_variate(s, sigma, lambda i, w=w: change * w[i], N_TRUTH, seed))
    return found


@pytest.mark.parametrize(
    ("kind", "largest_mean", "width"),
    [("good", 0.23, (0.84, 1.16)), ("biased", 0.23, (0.84, 1.16)), ("heavy-tailed", 0.25, (0.82, 1.20))],
)
def test_pulls(kind, largest_mean, width):
    found = estimates(kind)
    pulls = np.array([(one.value - EXACT) / one.error for one in found])
    assert abs(pulls.mean()) < largest_mean
    assert width[0] < pulls.std(ddof=1) < width[1]
    # As many evaluations as were asked for: their number is Poisson-like, its mean known to 1.3.
    assert np.mean([one.n_truth for one in found]) == pytest.approx(N_TRUTH, abs=0.02 * N_TRUTH)


def test_a_bias_of_one_per_cent_is_caught():
    """300 estimates with an error of 0.9 % each: 1 % are 18 sigma of their mean, and the test above would fail."""
    pulls = np.array([(one.value - EXACT) / one.error for one in estimates("good", change=1.01)])
    assert abs(pulls.mean()) > 4 * 0.23


def test_gain():
    gains = {kind: np.median([one.gain for one in estimates(kind)]) for kind in ("good", "biased")}
    # With 5000 points for 500 evaluations the error is that of ⟨s⟩ alone, so 10 is the limit for a perfect surrogate.
    assert 7 < gains["good"] < 11
    assert 1 < gains["biased"] < gains["good"]


def test_claimed_plain_error_is_that_of_a_plain_mean():
    w, s, sigma = points("good", 1)
    found = control_variate(s, sigma, lambda i: w[i], N_TRUTH, seed=1)
    assert found.error_plain == pytest.approx(w.std() / np.sqrt(found.n_truth), rel=0.05)
    assert found.n_points == N_POINTS


def test_decisions_do_not_depend_on_the_blocks():
    asked = []
    uniform = np.ones(2000), np.full(2000, 0.1)

    def truth(offset):
        def weights(index):
            asked.append(index + offset)
            return np.ones(len(index))

        return weights

    control_variate(*uniform, truth(0), 200, seed=3)
    control_variate(uniform[0][:800], uniform[1][:800], truth(0), 80, seed=3)
    control_variate(uniform[0][800:], uniform[1][800:], truth(800), 120, seed=3, start=800)
    np.testing.assert_array_equal(asked[0], np.concatenate(asked[1:]))


def test_points_without_an_uncertainty_are_asked():
    sigma = np.full(1000, 0.01)
    sigma[:5], sigma[5:8] = np.nan, np.inf
    asked = []
    control_variate(np.ones(1000), sigma, lambda i: asked.extend(i) or np.ones(len(i)), 50, seed=1)
    assert set(range(8)) <= set(asked)


@pytest.mark.parametrize("n", [10, 300, 900, 980])
def test_evaluation_probabilities(n):
    """As many as asked for, all alike but for what is proportional to the importance, and cut at 1."""
    importance = np.random.default_rng(1).lognormal(sigma=2.0, size=1000)
    importance[:50] = 0.0
    p = inclusion_probabilities(importance, n, 0.1)
    assert p.sum() == pytest.approx(n)
    assert (p <= 1).all()
    assert p.min() >= 0.1 * n / 1000 * (1 - 1e-12)
    inside = (p < 1) & (importance > 0)
    slope = (p[inside] - p[0]) / importance[inside]
    np.testing.assert_allclose(slope, slope[:1].repeat(len(slope)), rtol=1e-9)
    assert (importance[(p == 1)] >= importance[inside].max(initial=0.0)).all()
    assert (inclusion_probabilities(np.zeros(8), 4, 0.1) == 0.5).all()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (([1.0, 1.0], [0.1], lambda i: [1.0], 2, 1), "2 surrogate weights but 1 uncertainties"),
        (([1.0, 1.0], [0.1, 0.1], lambda i: [1.0], 3, 1), "n_truth is 3; expected from 2 to 2"),
        (([1.0, -1.0], [0.1, 0.1], lambda i: [1.0], 2, 1), "1 of 2 are negative"),
        (([1.0, 1.0], [9.0, 9.0], lambda i: [1.0], 2, 1), "truth_weights: 1 weights for 2 points"),
        (([1.0, 1.0], [9.0, 9.0], lambda i: [1.0, np.nan], 2, 1), "1 of 2 are NaN"),
    ],
)
def test_bad_input_is_explained(arguments, text):
    with pytest.raises(PyampError) as error:
        control_variate(*arguments)
    assert text in str(error.value)
