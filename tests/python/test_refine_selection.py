"""The choice of points: probabilities are as stated, and weights with them give the integrals of all candidates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import pyamp
from pyamp.datasets import Dataset, generate
from pyamp.datasets.joining import joined, write_dataset
from pyamp.phase_space import PhaseSpace, PhaseSpaceSample
from pyamp.refinement import inclusion_probabilities, select, systematic
from pyamp.refinement.evaluation import evaluated

CARD = "gg_to_aag_1tev"


def importances(n: int, seed: int = 1) -> np.ndarray:
    """With a tail as heavy as that of event weights."""
    return np.random.default_rng(seed).pareto(0.7, n)


@pytest.mark.parametrize("n", [1, 30, 900, 1000])
@pytest.mark.parametrize("flat_share", [0.01, 0.1, 1.0])
def test_probabilities_follow_the_importance_add_up_and_have_a_floor(n: int, flat_share: float) -> None:
    v = importances(1000)
    p = inclusion_probabilities(v, n, flat_share)
    assert p.sum() == pytest.approx(n, rel=1e-12)
    assert p.max() <= 1.0
    assert p.min() >= flat_share * n / 1000 * (1 - 1e-12)
    below = p < 1.0
    if below.sum() > 2 and flat_share < 1:
        excess = (p - flat_share * n / 1000)[below]
        np.testing.assert_allclose(excess / v[below], excess[0] / v[below][0], rtol=1e-6)
        assert v[below].max() <= v[~below].min(initial=np.inf)


def test_probabilities_without_use_of_the_importance() -> None:
    np.testing.assert_allclose(inclusion_probabilities(np.zeros(10), 3, 0.1), 0.3)
    np.testing.assert_allclose(inclusion_probabilities([np.nan, np.inf, 0.0, 0.0], 1, 0.5), 0.25)
    # More wanted than have an importance: all of these, and the rest evenly.
    np.testing.assert_allclose(
        inclusion_probabilities([1.0, 0.0, 0.0, 2.0, 0.0], 4, 0.1), [1, 2 / 3, 2 / 3, 1, 2 / 3]
    )
    for n, share, message in (
        (0, 0.1, "0 points"),
        (6, 0.1, "6 points"),
        (2, 0.0, "flat_share"),
        (2, 1.1, "flat_share"),
    ):
        with pytest.raises(pyamp.PyampError, match=message):
            inclusion_probabilities(np.ones(5), n, share)


def test_systematic_sample_has_its_size_and_its_probabilities() -> None:
    """Over a grid of the one random number frequencies are p to the width of the grid, no dice thrown."""
    p = inclusion_probabilities(importances(200), 20, 0.1)
    grid = (np.arange(2000) + 0.5) / 2000
    counts = np.zeros(200)
    for uniform in grid:
        chosen = systematic(p, uniform)
        assert len(chosen) == 20
        assert len(np.unique(chosen)) == 20
        counts[chosen] += 1
    np.testing.assert_allclose(counts / 2000, p, atol=1.01 / 2000)


@pytest.fixture(scope="module")
def exact() -> pyamp.truth.Truth:
    return pyamp.truth("gg_to_aag", alpha_s=1.0, alpha=1.0)


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return generate(CARD, 1000, tmp_path_factory.mktemp("data") / "flat.h5", seed=3)


def rough(exact: object, power: float) -> object:
    """An importance that is far from the event weight, as that of a bad surrogate."""

    def importance(sample: PhaseSpaceSample) -> np.ndarray:
        value = exact.me2(sample.momenta) * sample.weights  # type: ignore[attr-defined]
        return value**power * np.exp(np.sin(sample.momenta[:, 2, 1]))

    return importance


def test_integrals_are_those_of_all_candidates(exact: object) -> None:
    """16 choices, each against all its candidates: within 4σ, which a t of 15 degrees exceeds in 1e-3 of cases."""
    space = PhaseSpace(CARD)
    n_trials = 5_000
    pulls = {"cross section": [], "fiducial": [], "number": []}
    for k in range(16):
        start = k * n_trials
        everything = space.trials(n_trials, 5, start)
        chosen = select(space, rough(exact, 0.7), 300, n_trials, 5, start, flat_share=0.1)
        assert len(chosen.trial) == 300
        assert chosen.n_candidates == len(everything.weights)
        assert set(chosen.trial) <= set(everything.trials)
        found = np.isin(everything.trials, chosen.trial)
        np.testing.assert_array_equal(chosen.momenta, everything.momenta[found])
        np.testing.assert_allclose(
            chosen.phase_space_weight, chosen.sampling_weight * everything.weights[found]
        )
        w_all, w = (exact.me2(s) for s in (everything.momenta, chosen.momenta))
        hard_all, hard = (s[:, 4, 1] > 100.0 for s in (everything.momenta, chosen.momenta))
        pulls["cross section"].append((w * chosen.sampling_weight).sum() / w_all.sum() - 1)
        pulls["fiducial"].append((w * chosen.sampling_weight)[hard].sum() / w_all[hard_all].sum() - 1)
        pulls["number"].append(chosen.sampling_weight.sum() / len(w_all) - 1)
    for name, values in pulls.items():
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        assert abs(np.mean(values)) < 4 * error, (name, np.mean(values), error)
        assert error < 0.1, name


def test_truth_is_stored_with_the_weights_and_goes_on(flat: Dataset, exact: object, tmp_path: Path) -> None:
    chosen = select(PhaseSpace(CARD), rough(exact, 0.7), 700, 10_000, 9)
    path = tmp_path / "points.h5"
    done = evaluated(chosen, flat.info, path, 9, {"why": "test"}, workers=2)
    np.testing.assert_array_equal(done.amplitude, exact.me2(chosen.momenta))
    np.testing.assert_array_equal(done.sampling_weight, chosen.sampling_weight)
    np.testing.assert_array_equal(done.measure, chosen.phase_space_weight)
    assert not path.with_name("points.h5.parts").exists()
    assert done.info.n_trials == 10_000
    assert json.loads(done.info.refined) == {"why": "test"}
    assert not done.info.is_flat

    # A part that is there is taken as it is if it is of these points, and otherwise made again.
    parts = path.with_name("points.h5.parts")
    parts.mkdir()
    path.unlink()
    evaluated(chosen, flat.info, path, 9, {"why": "test"})
    assert Dataset.open(path).sha256() == done.sha256()


def test_joined_points_integrate_to_the_same(flat: Dataset, exact: object, tmp_path: Path) -> None:
    """Flat and chosen points together against 60,000 other trials: within 4σ, false alarm 6e-5."""
    chosen = select(PhaseSpace(CARD), rough(exact, 1.0), 700, 30_000, 9)
    more = evaluated(chosen, flat.info, tmp_path / "more.h5", 9, {})
    whole = joined([flat, more], flat.info.n_trials + more.info.n_trials, "{}")
    write_dataset(tmp_path / "whole.h5", whole)
    again = Dataset.open(tmp_path / "whole.h5")
    assert again.sha256() == whole.sha256()
    w = again.me2 * again.measure
    n = again.info.n_trials
    value, error = w.sum() / n, np.sqrt((w**2).sum()) / n  # of independent choices, more than of these
    other = PhaseSpace(CARD).trials(60_000, 77)
    reference, reference_error = other.integrate(exact.me2(other.momenta) * again.info.couplings)
    assert abs(value - reference) < 4 * np.hypot(error, reference_error)
    assert np.hypot(error, reference_error) < 0.3 * reference
