"""Is the roulette unbiased for every surrogate and every uncertainty, and does the pilot choose what it claims?

Points are fixed and the dice thrown again and again, so that the expectation of every bin is known: Σ w. A correct code
fails each of the chi-square tests, of 12 bins, with a probability of 1e-4; seeds are fixed.
"""

import numpy as np
import pytest
from scipy import stats

from pyamp import _core
from pyamp.errors import PyampError
from pyamp.unweighting import (
    Roulette,
    Times,
    budget_maximum,
    choose_roulette,
    speed_factors,
    unweight_roulette,
    unweight_two_stage,
)

N_POINTS = 20_000
REPEATS = 300
N_BINS = 12
P_VALUE = 1e-4


def sample(kind, n=N_POINTS, seed=3):
    """True weights, surrogate weights and σ/A of a kind of surrogate; and the bin of an observable."""
    generator = np.random.default_rng(seed)
    w = generator.lognormal(sigma=1.0, size=n)
    sigma = 0.02 * generator.lognormal(sigma=0.5, size=n)
    if kind == "good":
        deviation = sigma * generator.standard_normal(n)
    elif kind == "biased":  # 20 % too small on average, and sure of itself
        deviation = 0.2 + sigma * generator.standard_normal(n)
    elif kind == "heavy-tailed":  # Cauchy, cut at a factor of e
        deviation = np.clip(sigma * generator.standard_cauchy(n), -1, 1)
    else:  # uncertainties that say nothing
        deviation, sigma = (
            sigma * generator.standard_normal(n),
            np.where(generator.random(n) < 0.5, 0.0, 1e-9),
        )
    s = w * np.exp(-deviation)
    bins = np.argsort(np.argsort(w * generator.lognormal(sigma=0.3, size=n))) * N_BINS // n
    return w, s, sigma, bins


def chi_square_p(w, bins, events_of_seed, spoil=1.0):
    """p-value of the histogram of events against its exact expectation."""
    total, square = np.zeros((2, N_BINS))
    for seed in range(REPEATS):
        events = events_of_seed(seed)
        contribution = events.unit * events.weight * spoil
        total += np.bincount(bins[events.index], contribution, N_BINS)
        square += np.bincount(bins[events.index], contribution**2, N_BINS)
    exact = np.bincount(bins, w, N_BINS) * REPEATS
    return stats.chi2.sf(((total - exact) ** 2 / square).sum(), N_BINS)


def roulette_events(w, s, sigma, roulette, spoil=None):
    s_max = budget_maximum(s, 1e-2)

    def events_of_seed(seed):
        truth = spoil or (lambda index: w[index])
        return unweight_roulette(s, sigma, truth, s_max, roulette, seed)

    return events_of_seed


@pytest.mark.parametrize("kind", ["good", "biased", "heavy-tailed", "uninformed"])
@pytest.mark.parametrize("p_min", [0.02, 0.3])
def test_unbiased(kind, p_min):
    w, s, sigma, bins = sample(kind)
    assert chi_square_p(w, bins, roulette_events(w, s, sigma, Roulette(3.0, p_min))) > P_VALUE


@pytest.mark.parametrize(("kind", "p_min"), [("good", 0.02), ("biased", 0.5), ("heavy-tailed", 0.3)])
def test_a_bias_of_one_percent_is_caught(kind, p_min):
    w, s, sigma, bins = sample(kind)
    events = roulette_events(w, s, sigma, Roulette(3.0, p_min), spoil=lambda index: 1.01 * w[index])
    assert chi_square_p(w, bins, events) < P_VALUE


def test_forgetting_to_divide_by_p_is_caught():
    """The weight x for what is evaluated and 1 for the rest, the mistake that one would make."""
    w, s, sigma, bins = sample("biased")
    s_max = budget_maximum(s, 1e-2)

    def events_of_seed(seed):
        asked = []
        events = unweight_roulette(
            s, sigma, lambda index: asked.append(index) or w[index], s_max, Roulette(3.0, 0.1), seed
        )
        evaluated = np.isin(events.index, asked[0])
        events.weight[evaluated] = w[events.index[evaluated]] / s[events.index[evaluated]]
        return events

    assert chi_square_p(w, bins, events_of_seed) < P_VALUE


def test_truth_is_asked_with_the_probability_stated_and_always_where_nothing_is_known():
    w, s, sigma, _ = sample("good")
    sigma[::7] = np.nan
    sigma[::11] = np.inf
    roulette = Roulette(2.0, 0.02)
    p = roulette.probability(sigma)
    assert (p[::7] == 1).all()
    assert (p[::11] == 1).all()
    known = np.isfinite(sigma)
    np.testing.assert_array_equal(p[known], np.clip(2.0 * sigma[known], 0.02, 1.0))
    asked, expected = 0, 0.0
    for seed in range(20):
        events = unweight_roulette(s, sigma, lambda index: w[index], s.max(), roulette, seed)
        asked += events.n_truth
        expected += p[events.index].sum()
    assert abs(asked - expected) < 5 * np.sqrt(expected)  # 6e-7


def test_first_stage_is_that_of_two_stages():
    w, s, sigma, _ = sample("good")
    two = unweight_two_stage(s, lambda index: w[index], s.max(), 1e-3, seed=9)  # x_max so small that all pass
    one = unweight_roulette(s, sigma, lambda index: w[index], s.max(), Roulette(0.0, 1.0), seed=9)
    np.testing.assert_array_equal(one.index, two.index)
    # With p = 1 the weights are x.
    np.testing.assert_allclose(one.weight, w[one.index] / s[one.index], rtol=1e-12)


@pytest.mark.parametrize("target", [0.95, 0.99, 0.998])
def test_chosen_roulette_keeps_its_promises(target):
    w, s, sigma, _ = sample("good", n=100_000)
    s_max = budget_maximum(s, 1e-3)
    accepted, weight = np.minimum(1, s / s_max), np.maximum(1, s / s_max)
    choice = choose_roulette(w / s, sigma, accepted, first_weights=weight, n_eff_over_n=target)
    assert choice.n_eff_over_n >= target
    assert choice.negative_share == 0.0
    runs = [
        unweight_roulette(s, sigma, lambda index: w[index], s_max, choice.roulette, seed)
        for seed in range(40)
    ]
    events = sum(len(run) for run in runs)
    p = sum(run.n_truth for run in runs) / events
    assert p == pytest.approx(choice.mean_p, abs=5 * np.sqrt(choice.mean_p / events))
    weights = np.concatenate([run.weight for run in runs])
    assert (weights >= 0).all()
    n_eff = weights.sum() ** 2 / (weights**2).sum() / len(weights)
    assert n_eff == pytest.approx(choice.n_eff_over_n, abs=0.1 * (1 - target) + 1e-4)
    # No other choice does better: neither a smaller κ nor a smaller p_min alone would keep it.
    found = speed_factors(w, s, Times(1, 1, 1), roulette=choice.roulette, relative_sigma=sigma, n_bootstrap=2)
    assert found.value.n_eff_over_n == pytest.approx(choice.n_eff_over_n, rel=1e-9)
    assert found.value.mean_p == pytest.approx(choice.mean_p, rel=1e-9)


@pytest.mark.parametrize(("kind", "target"), [("good", 0.99), ("good", 0.998), ("heavy-tailed", 0.8)])
def test_the_plugin_chooses_as_well(kind, target):
    """C++ and Python search the same κ and p_min in different ways; of mean p they miss 1 % at most."""
    w, s, sigma, _ = sample(kind, n=3000)
    kappa, p_min, mean_p, n_eff, reached = _core.choose_roulette(w / s, sigma, target)
    choice = choose_roulette(w / s, sigma, n_eff_over_n=target)
    assert reached
    assert mean_p == pytest.approx(choice.mean_p, rel=0.01)
    assert n_eff >= target
    p = Roulette(kappa, p_min).probability(sigma)
    assert p.mean() == pytest.approx(mean_p, rel=1e-12)


def test_probability_after_sigma_beats_the_same_probability_for_all():
    """Uncertainties that know where the errors are save evaluations; here they vary by a factor of e."""
    w, s, sigma, _ = sample("good", n=50_000)
    target = {"n_eff_over_n": 0.995, "allow_negative": True}
    informed = choose_roulette(w / s, sigma, **target)
    blind = choose_roulette(w / s, np.full_like(sigma, sigma.mean()), **target)
    assert informed.mean_p < 0.95 * blind.mean_p


def test_negative_weights_only_where_allowed():
    w, s, sigma, _ = sample("heavy-tailed", n=50_000)
    free = choose_roulette(w / s, sigma, n_eff_over_n=0.8, allow_negative=True)
    strict = choose_roulette(w / s, sigma, n_eff_over_n=0.8)
    assert free.negative_share > 0
    assert strict.negative_share == 0
    assert strict.mean_p > free.mean_p


def test_speed_factors_of_a_roulette():
    w, s, sigma, _ = sample("good", n=50_000)
    times = Times(t_me=50.0, t_ps=0.01, t_surr=0.001)
    two = speed_factors(w, s, times, n_bootstrap=20)
    choice = choose_roulette(w / s, sigma, s / s.max())
    one = speed_factors(w, s, times, roulette=choice.roulette, relative_sigma=sigma, n_bootstrap=20)
    value = one.value
    by_hand = (50.01 / value.epsilon_full / value.n_eff_over_n_standard) / (
        (0.011 / value.epsilon_1st + value.mean_p * 50.0) / value.n_eff_over_n
    )
    assert one.f_eff == pytest.approx(by_hand, rel=1e-12)
    assert two.f_eff < one.f_eff < one.as_row()["f_eff_limit_roulette"]
    assert one.as_row()["f_eff_limit_roulette"] == pytest.approx(50.01 / 0.01)
    assert one.as_row()["x_max"] is None
    assert (one.as_row()["kappa"], one.as_row()["p_min"]) == (choice.roulette.kappa, choice.roulette.p_min)
    assert 0 < one.error.mean_p < 0.1 * value.mean_p


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Roulette(-1.0, 0.1), "kappa is -1.0; expected a number from 0 on"),
        (lambda: Roulette(1.0, 0.0), "p_min is 0.0; expected a probability above 0"),
        (lambda: Roulette(1.0, 0.1).probability([-1.0]), "relative_sigma: 1 of 1 are negative"),
        (lambda: choose_roulette([1.0, 3.0], [0.1, 0.1]), "N_eff/N = 0.99 cannot be kept: 0.8 is left"),
        (lambda: choose_roulette([1.0], [0.1, 0.1]), "1 ratios but 2 uncertainties"),
        (
            lambda: choose_roulette([1.0], [0.1], n_eff_over_n=0),
            "n_eff_over_n is 0; expected a share above 0",
        ),
        (lambda: choose_roulette([0.0], [0.1]), "no roulette: all weights of the pilot run are 0"),
        (
            lambda: unweight_roulette([1.0], [0.1, 0.1], lambda i: [1.0], 1.0, Roulette(1, 1), 1),
            "1 surrogate weights but 2 uncertainties",
        ),
        (
            lambda: unweight_roulette([-1.0], [0.1], lambda i: [1.0], 1.0, Roulette(1, 1), 1),
            "1 of 1 are negative; unweighting is for weights >= 0",
        ),
        (lambda: speed_factors([1.0], [1.0], Times(1, 1, 1), roulette=Roulette(1, 1)), "need relative_sigma"),
    ],
)
def test_bad_input_is_explained(call, text):
    with pytest.raises(PyampError) as error:
        call()
    assert text in str(error.value)
