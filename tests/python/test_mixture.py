"""Are events of several channels or subprocesses unbiased with maxima of their own, and of equal weight when wanted?

Points are fixed and unweighted again and again; a correct code fails a 4 sigma test with a probability of 6e-5.
"""

import numpy as np
import pytest

from pyamp.errors import PyampError
from pyamp.unweighting import MaximumRule, unweight, unweight_two_stage
from pyamp.unweighting.mixture import component_maxima, selection_probabilities, unweight_mixture

REPEATS = 300
LABELS = np.array(["flat", "peaked"])


def drawn(n, probabilities, seed):
    """Labels, w and s of points of two channels, whose weights differ by a factor of 20 and in width."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(LABELS, size=n, p=[probabilities[name] for name in LABELS])
    flat = labels == "flat"
    w = np.where(flat, generator.lognormal(0.0, 0.3, n), generator.lognormal(3.0, 1.0, n))
    return labels.tolist(), w, w * generator.lognormal(0.0, 0.2, n)


def expected_mean(labels, w, probabilities):
    """Sum over the channels of the mean weight: every point stands for 1/probability of its own."""
    return np.mean(w / np.array([probabilities[label] for label in labels]))


@pytest.mark.parametrize("way", ["direct", "two_stage"])
def test_channels_with_different_maxima_are_unbiased(way):
    probabilities = {"flat": 0.7, "peaked": 0.3}
    labels, w, s = drawn(4000, probabilities, seed=1)
    rule = MaximumRule("budget", 0.02)
    w_max, s_max = component_maxima(labels, w, rule), component_maxima(labels, s, rule)
    x_max = component_maxima(labels, w / s, rule, weights=s)
    assert s_max["peaked"] > 10 * s_max["flat"]

    def events(seed):
        def of_one(label, points):
            if way == "direct":
                return unweight(w[points], w_max[label], seed)
            return unweight_two_stage(
                s[points], lambda index: w[points][index], s_max[label], x_max[label], seed
            )

        return unweight_mixture(labels, probabilities, of_one)

    found = [events(seed) for seed in range(REPEATS)]
    means = np.array([one.mean_weight()[0] for one in found])
    error = means.std(ddof=1) / np.sqrt(REPEATS)
    assert error < 0.01 * means.mean()
    assert abs(means.mean() - expected_mean(labels, w, probabilities)) < 4 * error
    # A part of the points too: the events of one channel alone.
    flat = np.array([label == "flat" for label in labels])
    parts = np.array([one.unit * one.weight[flat[one.index]].sum() / len(labels) for one in found])
    expected = w[flat].sum() / probabilities["flat"] / len(labels)
    assert abs(parts.mean() - expected) < 4 * parts.std(ddof=1) / np.sqrt(REPEATS)
    assert (np.diff(found[0].index) > 0).all()


def test_selection_probabilities_give_equal_weights():
    labels, w, _ = drawn(4000, {"flat": 0.5, "peaked": 0.5}, seed=2)
    units = component_maxima(labels, w, MaximumRule("largest"))
    probabilities = selection_probabilities(units)
    assert sum(probabilities.values()) == pytest.approx(1.0)
    assert probabilities["peaked"] / probabilities["flat"] == pytest.approx(units["peaked"] / units["flat"])
    labels, w, _ = drawn(4000, probabilities, seed=3)
    w = np.minimum(w, [units[label] for label in labels])  # no overweights among other points
    events = unweight_mixture(labels, probabilities, lambda label, i: unweight(w[i], units[label], seed=4))
    assert len(events) > 100
    np.testing.assert_allclose(events.weight, 1.0, rtol=1e-12)
    otherwise = {"flat": 0.5, "peaked": 0.5}
    uneven = unweight_mixture(labels, otherwise, lambda label, i: unweight(w[i], units[label], seed=4))
    assert uneven.weight.max() / uneven.weight.min() > 5


def test_mapped_subprocesses_share_their_maximum():
    generator = np.random.default_rng(5)
    labels = generator.choice(["u ubar", "c cbar", "g g"], size=600).tolist()
    values = generator.exponential(size=600)
    mapped = {"c cbar": "u ubar"}
    rule = MaximumRule("budget", 0.05)
    maxima = component_maxima(labels, values, rule, mapped=mapped)
    together = np.array([label != "g g" for label in labels])
    assert maxima["u ubar"] == maxima["c cbar"] == rule(values[together])
    assert maxima["g g"] == rule(values[~together])
    apart = component_maxima(labels, values, rule)
    assert apart["u ubar"] != apart["c cbar"]
    # A chain of names, and one whose representative has no points of its own.
    chain = component_maxima(["a", "b"], [1.0, 3.0], MaximumRule("largest"), mapped={"a": "b", "b": "c"})
    assert chain == {"a": 3.0, "b": 3.0}


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: component_maxima(["a"], [1.0, 2.0], MaximumRule()), "2 values but 1 labels"),
        (
            lambda: component_maxima(["a"], [1.0], MaximumRule(), mapped={"a": "b", "b": "a"}),
            "subprocess 'a' is mapped to itself",
        ),
        (lambda: selection_probabilities({"a": 0.0}), "unit of 'a' is 0.0; expected a positive number"),
        (lambda: unweight_mixture(["a"], {"a": 0.5}, None), "add up to 0.5; expected 1"),
        (lambda: unweight_mixture(["a", "b"], {"a": 1.0}, None), "components without a probability: 'b'"),
        (
            lambda: unweight_mixture(["a"], {"a": 0.0, "b": 1.0}, None),
            "'a' has points but the probability 0.0",
        ),
        (lambda: unweight_mixture([], {"a": 1.0}, None), "no points to unweight"),
    ],
)
def test_bad_input_is_explained(call, text):
    with pytest.raises(PyampError) as error:
        call()
    assert text in str(error.value)
