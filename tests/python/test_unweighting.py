"""Is two-stage unweighting unbiased, for good and bad surrogates, and would a bias of 1 % show?

Points of phase space are fixed and unweighted again and again, so every bin of an observable has a known expectation
and variance. Five observables of two-stage events are compared with direct unweighting by chi-square, each p-value
above 1e-4: with another seed a correct code would fail one of these tests with a probability of at most 5e-4.
"""

import numpy as np
import pytest
from scipy import stats

import pyamp
from pyamp.phase_space import PhaseSpace
from pyamp.processes import Energy, load_process
from pyamp.unweighting import budget_maximum, unweight, unweight_two_stage

P_MIN = 1e-4
N_POINTS = 60_000
REPEATS = 500
N_BINS = 12


@pytest.fixture(scope="module")
def points():
    """Momenta (n, 5, 4) and true weights (n,) of gg -> aag at 150 GeV, some points with weight 0."""
    card = load_process("gg_to_aag_1tev").model_copy(update={"energy": Energy(sqrt_s_hat=150)})
    sample = PhaseSpace(card).sample(N_POINTS, seed=11)
    w = sample.weights * pyamp.truth("gg_to_aag").me2(sample.momenta)
    w[::1000] = 0.0
    return sample.momenta, w


@pytest.fixture(scope="module")
def observables(points):
    """Bin of every point in five observables, (5, n), each bin with about the same cross section."""
    p, w = points
    pt = np.hypot(p[:, :, 1], p[:, :, 2])
    pair = p[:, 2] + p[:, 3]
    values = {
        "leading photon pT": pt[:, 2:4].max(axis=1),
        "gluon pT": pt[:, 4],
        "photon pair mass": np.sqrt(pair[:, 0] ** 2 - (pair[:, 1:] ** 2).sum(axis=1)),
        "pair rapidity": np.arctanh(pair[:, 3] / pair[:, 0]),
        "photon |eta|": np.abs(np.arcsinh(p[:, 2, 3] / pt[:, 2])),
    }
    bins = []
    for value in values.values():
        order = np.argsort(value)
        cumulative = np.cumsum(w[order]) / w.sum()
        bin_of = np.empty(len(w), dtype=np.int64)
        bin_of[order] = np.minimum((cumulative * N_BINS).astype(np.int64), N_BINS - 1)
        bins.append(bin_of)
    return np.array(bins)


def surrogate(kind: str, w: np.ndarray) -> np.ndarray:
    """Surrogate weights s for true weights w."""
    generator = np.random.default_rng(5)
    noise = generator.standard_normal(len(w))
    floor = w[w > 0].min()
    match kind:
        case "good":
            return np.maximum(w, floor) * np.exp(0.01 * noise)
        case "bad":  # wrong by a factor of three, up or down, as a rule
            return np.maximum(w, floor) * np.exp(np.log(3.0) * noise)
        case "biased":  # far too small where the cross section is
            return np.maximum(w, floor) ** 0.7
    raise ValueError(kind)


def histograms(events_of_seed, observables):
    """Sums over repeats of unit * weight by bin, and of its square: (5, N_BINS) each."""
    total, square = np.zeros((2, len(observables), N_BINS))
    for repeat in range(REPEATS):
        events = events_of_seed(repeat)
        contribution = events.unit * events.weight
        for k, bins in enumerate(observables):
            chosen = bins[events.index]
            total[k] += np.bincount(chosen, contribution, N_BINS)
            square[k] += np.bincount(chosen, contribution**2, N_BINS)
    return total, square


def two_stage_histograms(points, observables, s, seed=1000, spoil=None):
    _, w = points
    s_max = budget_maximum(s, 1e-3)
    x_max = budget_maximum(w / s, 1e-3, weights=s)

    def events_of_seed(repeat):
        truth = (lambda index: spoil(w, index)) if spoil else (lambda index: w[index])
        return unweight_two_stage(s, truth, s_max, x_max, seed + repeat)

    return histograms(events_of_seed, observables)


@pytest.fixture(scope="module")
def direct(points, observables):
    _, w = points
    w_max = budget_maximum(w, 1e-3)
    return histograms(lambda repeat: unweight(w, w_max, 5_000_000 + repeat), observables)


def p_values(first, second):
    """Of equality of two sets of histograms, one for each observable."""
    chi2 = ((first[0] - second[0]) ** 2 / (first[1] + second[1])).sum(axis=1)
    return stats.chi2.sf(chi2, N_BINS)


@pytest.mark.parametrize("kind", ["good", "bad", "biased"])
def test_five_observables_agree_with_direct_unweighting(points, observables, direct, kind):
    found = two_stage_histograms(points, observables, surrogate(kind, points[1]))
    assert (p_values(found, direct) > P_MIN).all()
    # More sharply: the expectation is known, the sum of w by bin.
    exact = np.array([np.bincount(bins, points[1], N_BINS) for bins in observables]) * REPEATS
    chi2 = ((found[0] - exact) ** 2 / found[1]).sum(axis=1)
    assert (stats.chi2.sf(chi2, N_BINS) > P_MIN).all()


def test_direct_unweighting_gives_the_exact_histograms(points, observables, direct):
    exact = np.array([np.bincount(bins, points[1], N_BINS) for bins in observables]) * REPEATS
    chi2 = ((direct[0] - exact) ** 2 / direct[1]).sum(axis=1)
    assert (stats.chi2.sf(chi2, N_BINS) > P_MIN).all()


def test_a_bias_of_one_percent_is_caught(points, observables, direct):
    s = surrogate("good", points[1])
    one_percent = two_stage_histograms(points, observables, s, spoil=lambda w, index: 1.01 * w[index])
    assert (p_values(one_percent, direct) < P_MIN).all()


def test_a_slope_of_two_percent_is_caught_where_it_is(points, observables, direct):
    # 2 % up at one end of the leading photon's pT and 2 % down at the other, the cross section as it was.
    slope = 1 + 0.02 * np.linspace(-1, 1, N_BINS)

    def spoil(w, index):
        return w[index] * slope[observables[0][index]]

    found = two_stage_histograms(points, observables, surrogate("good", points[1]), spoil=spoil)
    assert p_values(found, direct)[0] < P_MIN


def test_dropping_the_weights_of_overweights_is_caught(points, observables):
    """The test would notice a second stage that throws overweights' weights away: they are 5 % here."""
    _, w = points
    s = surrogate("bad", w)
    s_max, x_max = budget_maximum(s, 1e-3), budget_maximum(w / s, 0.05, weights=s)
    exact = np.array([np.bincount(bins, w, N_BINS) for bins in observables]) * REPEATS

    def clipped(repeat):
        events = unweight_two_stage(s, lambda index: w[index], s_max, x_max, repeat)
        events.weight[:] = 1.0
        return events

    total, square = histograms(clipped, observables)
    assert (stats.chi2.sf(((total - exact) ** 2 / square).sum(axis=1), N_BINS) < P_MIN).all()


def test_truth_is_asked_for_what_the_first_stage_accepts_only(points):
    _, w = points
    s = surrogate("bad", w)
    asked = []

    def truth(index):
        asked.append(index)
        return w[index]

    events = unweight_two_stage(s, truth, budget_maximum(s, 1e-3), 10.0, seed=1)
    assert len(asked) == 1
    assert events.n_truth == len(asked[0]) < 0.05 * N_POINTS
    assert set(events.index) <= set(asked[0])
    assert (w[events.index] > 0).all()


def test_cross_section_and_its_error(points):
    _, w = points
    s = surrogate("bad", w)
    s_max, x_max = budget_maximum(s, 1e-3), budget_maximum(w / s, 1e-2, weights=s)
    results = [unweight_two_stage(s, lambda i: w[i], s_max, x_max, seed).mean_weight() for seed in range(300)]
    means, errors = np.array(results).T
    # The stated error contains that of the points, which are the same here: pulls may be narrower than 1, not wider.
    pulls = (means - w.mean()) / errors
    assert abs(pulls.mean()) < 4 / np.sqrt(300)
    assert 0.7 < pulls.std() < 1 + 4 / np.sqrt(600)


def test_decisions_depend_on_seed_and_index_alone(points):
    _, w = points
    w_max = budget_maximum(w, 1e-3)
    whole = unweight(w, w_max, seed=3)
    first, second = unweight(w[:777], w_max, seed=3), unweight(w[777:], w_max, seed=3, start=777)
    np.testing.assert_array_equal(whole.index, np.concatenate([first.index, second.index + 777]))
    assert not np.array_equal(whole.index, unweight(w, w_max, seed=4).index)


def test_effective_sample_size_and_no_events():
    events = unweight([2.0, 2.0, 8.0], 2.0, seed=1)
    np.testing.assert_array_equal(events.weight, [1, 1, 4])
    assert events.n_eff == pytest.approx(36 / 18)
    assert events.overweight_share == pytest.approx(4 / 6)
    assert events.mean_weight()[0] == pytest.approx(4.0)
    nothing = unweight_two_stage([1e-12], lambda index: [1.0], 1.0, 1.0, seed=1)
    assert (len(nothing), nothing.n_eff, nothing.overweight_share, nothing.n_truth) == (0, 0, 0, 0)
