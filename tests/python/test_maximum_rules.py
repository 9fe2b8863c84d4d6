"""Do the rules for maxima give what they promise, by direct evaluation, and are their errors the spread of samples?"""

import numpy as np
import pytest

from pyamp.errors import PyampError
from pyamp.unweighting import MaximumRule

VALUES = np.random.default_rng(1).lognormal(sigma=1.2, size=3000)
WEIGHTS = np.random.default_rng(2).exponential(size=3000)
WEIGHTS[::7] = 0.0


def n_eff_over_n(maximum, v, omega):
    """Kish's N_eff/N of events accepted with min(1, v/m) and of weight max(1, v/m), by definition."""
    accepted, weight = omega * np.minimum(1.0, v / maximum), np.maximum(1.0, v / maximum)
    return (accepted * weight).sum() ** 2 / (accepted * weight**2).sum() / accepted.sum()


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("budget", [1e-3, 0.05])
def test_budget(budget, weights):
    omega = np.ones_like(VALUES) if weights is None else weights
    maximum = MaximumRule("budget", budget)(VALUES, weights)
    excess = (omega * np.maximum(VALUES - maximum, 0.0)).sum() / (omega * VALUES).sum()
    assert excess == pytest.approx(budget, rel=1e-9)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("quantile", [0.5, 0.99, 0.999, 1.0])
def test_quantile(quantile, weights):
    """At most a share 1 − q of the events, which go with Σ ω v, is above the maximum; more above the next value."""
    omega = np.ones_like(VALUES) if weights is None else weights
    maximum = MaximumRule("quantile", quantile)(VALUES, weights)

    def above(m):
        return (omega * VALUES)[m < VALUES].sum() / (omega * VALUES).sum()

    smaller = VALUES[(maximum > VALUES) & (omega > 0)].max()
    assert above(maximum) <= 1 - quantile + 1e-12
    assert above(smaller) > 1 - quantile


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("wanted", [0.7, 0.95, 0.99, 0.9999])
def test_n_eff(wanted, weights):
    """N_eff/N is kept exactly, and a maximum that is smaller by 1e-6 keeps less."""
    omega = np.ones_like(VALUES) if weights is None else weights
    maximum = MaximumRule("n_eff", wanted)(VALUES, weights)
    assert maximum < VALUES.max()
    assert n_eff_over_n(maximum, VALUES, omega) == pytest.approx(wanted, rel=1e-9)
    assert n_eff_over_n(maximum * (1 - 1e-6), VALUES, omega) < wanted


def test_n_eff_is_monotonic_and_ends_at_the_largest():
    shares = [0.5, 0.9, 0.99, 0.999, 1.0]
    maxima = [MaximumRule("n_eff", share)(VALUES) for share in shares]
    assert maxima == sorted(maxima)
    assert maxima[-1] == pytest.approx(VALUES.max(), rel=1e-6)
    assert MaximumRule("n_eff", 0.99)([2.0, 2.0, 2.0]) <= 2.0


def test_largest():
    assert MaximumRule("largest")(VALUES) == VALUES.max()
    assert MaximumRule("largest")(VALUES, WEIGHTS) == pytest.approx(VALUES[WEIGHTS > 0].max(), rel=1e-14)


@pytest.mark.parametrize("text", ["budget:0.001", "quantile:0.999", "n_eff:0.99", "largest"])
def test_texts_are_read_as_they_are_written(text):
    assert str(MaximumRule.parse(text)) == text
    assert MaximumRule.parse(text.partition(":")[0]) == MaximumRule.parse(text)  # these are the defaults


@pytest.mark.parametrize("text", ["budget:0.01", "quantile:0.95", "n_eff:0.97"])
def test_bootstrap_errors_are_the_spread_of_independent_samples(text):
    """150 samples of 2000 points: spread and mean of the claims to 8 %, so a factor of 1.35 is beyond 3.5 sigma."""
    rule = MaximumRule.parse(text)
    generator = np.random.default_rng(3)
    found = [
        rule.with_error(generator.lognormal(sigma=0.5, size=2000), n_bootstrap=60, seed=seed)
        for seed in range(150)
    ]
    spread = np.std([maximum.value for maximum in found], ddof=1)
    claimed = np.mean([maximum.error for maximum in found])
    assert 1 / 1.35 < claimed / spread < 1.35


def test_median_of_replicas_does_not_hang_on_one_weight():
    values = np.concatenate([np.ones(1000), [50.0]])
    assert MaximumRule("quantile", 0.99)(values) == 50.0
    # The one is part of 1 − 1/e of the replicas: the median is still the largest, and the error says how uncertain.
    found = MaximumRule("quantile", 0.99).with_error(values, n_bootstrap=400)
    assert found.value == 50.0
    assert found.error == pytest.approx(49.0 * np.sqrt(np.exp(-1) * (1 - np.exp(-1))), rel=0.1)
    assert MaximumRule("largest").with_error(values, seed=4) == MaximumRule("largest").with_error(
        values, seed=4
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: MaximumRule.parse("buget:1"), "rule 'buget' found; did you mean 'budget'?"),
        (lambda: MaximumRule.parse("budget:x"), "'budget:x' found; as budget:1e-3, quantile:0.999"),
        (lambda: MaximumRule("budget", 1.0), "budget of 1; expected a share between 0 and 1"),
        (lambda: MaximumRule("quantile", 0.0), "quantile of 0; expected a share"),
        (lambda: MaximumRule()([1.0, -1.0]), "1 of 2 are negative"),
        (lambda: MaximumRule("n_eff", 0.9)([0.0]), "no maximum: all weights are 0"),
        (lambda: MaximumRule().with_error([1.0], n_bootstrap=1), "n_bootstrap is 1; expected 2 or more"),
    ],
)
def test_bad_input_is_explained(call, text):
    with pytest.raises(PyampError) as error:
        call()
    assert text in str(error.value)
