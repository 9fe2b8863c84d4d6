"""Is unweighting behind a screen unbiased for every screen, and without one where nothing leaks?

Points are fixed and the dice thrown again and again, as in test_roulette: a correct code fails each chi-square test of
12 bins with a probability of 1e-4; seeds are fixed.
"""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

import pyamp
from pyamp import _core
from pyamp.datasets import generate
from pyamp.errors import PyampError
from pyamp.report.factors import measured_factors
from pyamp.unweighting import (
    DatasetPoints,
    EventFile,
    Maximum,
    MaximumRule,
    Roulette,
    Times,
    Unweighter,
    UnweightingSettings,
    budget_maximum,
    generate_events,
    run_pilot,
    speed_factors,
    unweight_roulette,
    unweight_two_stage,
)
from pyamp.unweighting.points import Block
from pyamp.unweighting.screen import Screen, screen_bounds, screen_maximum
from tests.python.test_cli_unweight import same_events
from tests.python.test_roulette import P_VALUE, chi_square_p, sample
from tests.python.test_unweight_stream import CARD, MODEL, MODELS

LARGE = str(MODELS / "v1" / "gg_to_aag_ensemble_float32.safetensors")
SETTINGS = UnweightingSettings(pilot=200, s_max=MaximumRule("budget", 0.03), n_eff_over_n=0.9)
ROULETTE = Roulette(3.0, 0.3)


def screen_of(s, kind, seed=8):
    """Weights q of a screen."""
    noise = np.random.default_rng(seed).standard_normal(len(s))
    match kind:
        case "good":
            return s * np.exp(0.05 * noise)
        case "bad":  # wrong by a factor of two as a rule, and sometimes without a value
            q = s * np.exp(np.log(2.0) * noise)
            q[::50] = np.nan
            return q
        case "constant":
            return np.ones_like(s)
    raise ValueError(kind)


def events_of(mode, w, s, sigma, s_max, seed, bounds=None):
    if mode == "two_stage":
        return unweight_two_stage(s, lambda i: w[i], s_max, 1.05, seed, bounds=bounds)
    return unweight_roulette(s, sigma, lambda i: w[i], s_max, ROULETTE, seed, bounds=bounds)


@pytest.mark.parametrize("mode", ["two_stage", "roulette"])
@pytest.mark.parametrize("kind", ["good", "bad", "constant"])
def test_without_leaks_events_are_those_without_a_screen(mode, kind):
    """Bit for bit, with nothing known of s where the screen does not let pass; overweights of s_max included."""
    w, s, sigma, _ = sample("good")
    q = screen_of(s, kind)
    bounds = screen_bounds(q, float(np.nanmax(s / q)))
    assert (s <= bounds).all()
    s_max = budget_maximum(s, 1e-2)
    for seed in range(20):
        passed = _core.unweighting_uniforms(seed, 0, len(s), 2)[:, 0] < bounds / s_max
        hidden = np.where(passed, s, 7.0 * s_max)
        one = events_of(mode, w, s, sigma, s_max, seed)
        other = events_of(mode, w, hidden, sigma, s_max, seed, bounds)
        np.testing.assert_array_equal(one.index, other.index)
        np.testing.assert_array_equal(one.weight, other.weight)
        assert one.n_truth == other.n_truth
        assert one.weight.max() > 2
    if kind == "good":
        assert passed.mean() < 1.5 * np.minimum(s / s_max, 1).mean()


def test_leaks_and_nothing_else_differ():
    w, s, sigma, _ = sample("good")
    q = screen_of(s, "bad")
    bounds, s_max = screen_bounds(q, 1.2), budget_maximum(s, 1e-2)
    leaks = s > bounds
    assert leaks.mean() > 0.2
    one, other = (events_of("two_stage", w, s, sigma, s_max, 3, b) for b in (None, bounds))
    for events in (one, other):
        assert leaks[events.index].any()
    kept = [(e.index[~leaks[e.index]], e.weight[~leaks[e.index]]) for e in (one, other)]
    np.testing.assert_array_equal(kept[0], kept[1])
    assert set(other.index) < set(one.index)


def leaky(mode, budget, *, weighted=True):
    """Events behind a bad screen with so small a y_max that leaks carry `budget` of the cross section in excess."""
    w, s, sigma, bins = sample("good")
    q = screen_of(s, "bad")
    known = ~np.isnan(q)
    bounds = screen_bounds(q, budget_maximum(s[known] / q[known], budget, q[known]))
    s_max = budget_maximum(s, 1e-2)

    def events_of_seed(seed):
        events = events_of(mode, w, s, sigma, s_max, seed, bounds)
        if not weighted:
            i = events.index
            events.weight[:] *= np.maximum(1, s[i] / s_max) / np.maximum(
                1, s[i] / np.minimum(s_max, bounds[i])
            )
        return events

    return w, bins, events_of_seed


@pytest.mark.parametrize("mode", ["two_stage", "roulette"])
@pytest.mark.parametrize("budget", [0.01, 0.3])
def test_unbiased_with_a_bad_screen_that_leaks(mode, budget):
    assert chi_square_p(*leaky(mode, budget)) > P_VALUE


@pytest.mark.parametrize("mode", ["two_stage", "roulette"])
def test_a_bias_of_one_percent_is_caught(mode):
    """Leaks without their weight, of 1 % of the cross section; or 1 % more of everything behind the screen."""
    assert chi_square_p(*leaky(mode, 0.01, weighted=False)) < P_VALUE
    assert chi_square_p(*leaky(mode, 0.01), spoil=1.01) < P_VALUE


def test_a_budget_is_the_share_of_the_leaks():
    _, s, _, _ = sample("good")
    q = screen_of(s, "bad")
    known = ~np.isnan(q)
    y_max = screen_maximum(MaximumRule("budget", 0.02), s, q, seed=1)
    excess = np.maximum(s - y_max.value * q, 0)[known].sum() / s[known].sum()
    assert excess == pytest.approx(0.02, rel=0.1)  # the median of replicas
    assert 0 < y_max.error < 0.1 * y_max.value
    counts = np.random.default_rng(2).integers(1, 3, len(s)).astype(float)
    many = [np.repeat(a, counts.astype(int)) for a in (s, q)]
    found = [
        screen_maximum(MaximumRule(), s, q, counts, seed=1),
        screen_maximum(MaximumRule(), *many, seed=1),
    ]
    assert found[0].value == pytest.approx(found[1].value, abs=4 * found[0].error)
    with pytest.raises(PyampError, match="screen: it knows 0 of 3 points"):
        screen_maximum(MaximumRule(), np.ones(3), np.full(3, np.nan), seed=1)


def test_efficiencies_are_what_unweighting_gives():
    w, s, _, _ = sample("good", n=200_000)
    q = screen_of(s, "bad")
    bounds = screen_bounds(q, 1.5)
    value = speed_factors(w, s, Times(1, 1, 1), bounds=bounds, budget=0.01, n_bootstrap=2).value
    events = unweight_two_stage(s, lambda i: w[i], value.s_max, value.x_max, 2, bounds=bounds)
    assert events.n_truth / len(w) == pytest.approx(value.epsilon_1st, rel=4 / np.sqrt(events.n_truth))
    assert len(events) / events.n_truth == pytest.approx(value.epsilon_2nd, rel=4 / np.sqrt(len(events)))
    assert events.n_eff / len(events) == pytest.approx(value.n_eff_over_n, abs=0.01)
    assert value.n_eff_over_n < 0.95  # 0.985 without the leaks
    plain, infinite = (
        speed_factors(w, s, Times(1, 1, 1), bounds=b, n_bootstrap=2) for b in (None, np.full(len(s), np.inf))
    )
    assert plain == infinite


@pytest.mark.parametrize(
    ("bounds", "text"),
    [([1.0, 0.0], "bounds: 1 of 2 are not above 0; give infinity"), ([1.0], r"bounds have shape \(1,\)")],
)
def test_bounds_that_are_none(bounds, text):
    with pytest.raises(PyampError, match=text):
        unweight_two_stage([1.0, 2.0], lambda i: np.ones(len(i)), 1.0, 1.0, 1, bounds=bounds)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    path = tmp_path_factory.mktemp("points") / "points.h5"
    generate(CARD, 8000, path, seed=5)
    return path


@pytest.fixture(scope="module")
def large():
    return pyamp.Evaluator(LARGE, policy="nan")


class Partial:
    """The small model, which says nothing of some points and something odd of others."""

    def __init__(self):
        self.small = pyamp.Evaluator(MODEL, policy="nan")

    def __call__(self, momenta):
        found = self.small(momenta)
        amplitude, flags = np.array(found.amplitude), np.array(found.flags)
        pt = np.hypot(momenta[:, 4, 1], momenta[:, 4, 2])
        flags[pt > 60] = 64  # with an amplitude that is not to be believed
        amplitude[pt > 60] *= 1e-9
        for low, odd in ((56, 0.0), (52, -1.0), (48, np.nan), (44, np.inf)):
            amplitude[(pt > low) & (pt <= low + 4)] = odd
        return SimpleNamespace(amplitude=amplitude, flags=flags)


def test_points_that_the_screen_does_not_know_are_passed(dataset, large):
    source = DatasetPoints([dataset])
    pilot = run_pilot(source, large, None, SETTINGS, Partial())
    block = next(source.blocks(pilot.end, 8000))
    pt = np.hypot(block.momenta[:, 4, 1], block.momenta[:, 4, 2])
    bounds, passed = Screen(Partial(), 2.0, pilot.s_max.value, 1).look(block)
    np.testing.assert_array_equal(np.isinf(bounds), pt > 44)
    assert 0.05 < (pt > 44).mean() < 0.95
    assert np.isin(np.flatnonzero(pt > 44), passed).all()
    assert len(passed) < len(block)
    without = run_pilot(source, large, None, SETTINGS)
    one = Unweighter(without, SETTINGS, large).feed(block)
    wide = dataclasses.replace(pilot, y_max=Maximum(3.0, 0.0))
    other = Unweighter(wide, SETTINGS, large, screen=Partial()).feed(block)
    np.testing.assert_array_equal(one.events.index, other.events.index)
    np.testing.assert_array_equal(one.events.weight, other.events.weight)
    unknown = pt[other.events.index - block.start] > 44
    assert 0 < unknown.mean() < 1
    assert other.n_surrogate == len(Screen(Partial(), 3.0, pilot.s_max.value, 1).look(block)[1])


@pytest.mark.parametrize("mode", ["two_stage", "roulette"])
def test_a_stream_behind_a_screen_is_that_without(dataset, large, mode):
    """The truth is asked as often, the large model for few points; with the pilot's y_max no event is new."""
    settings = dataclasses.replace(SETTINGS, mode=mode)
    source, small = DatasetPoints([dataset]), pyamp.Evaluator(MODEL, policy="nan")
    without, pilot = (run_pilot(source, large, None, settings, screen) for screen in (None, small))
    assert (pilot.s_max, pilot.x_max) == (without.s_max, without.x_max)
    assert pilot.watch.t_surr == []
    assert without.bounds is None
    wide = dataclasses.replace(pilot, y_max=Maximum(3.0, 0.0), choice=without.choice)
    unweighters = Unweighter(without, settings, large), Unweighter(wide, settings, large, screen=small)
    block = next(source.blocks(pilot.end, 8000))
    one, other = (u.feed(block) for u in unweighters)
    for name in ("index", "weight", "n_truth", "unit"):
        np.testing.assert_array_equal(getattr(one.events, name), getattr(other.events, name))
    assert (one.n_outside, one.n_asked) == (other.n_outside, other.n_asked)
    assert one.n_surrogate == len(block) > 3 * other.n_surrogate
    assert len(unweighters[1].watch.t_surr) == 1
    leaking = Unweighter(dataclasses.replace(wide, y_max=pilot.y_max), settings, large, screen=small).feed(
        block
    )
    assert leaking.n_surrogate < other.n_surrogate
    assert set(leaking.events.index) <= set(one.events.index)
    with pytest.raises(PyampError, match="screen: in the pilot or after it only"):
        Unweighter(pilot, settings, large)


def test_nothing_passes(dataset, large):
    source = DatasetPoints([dataset])
    pilot = run_pilot(source, large, None, SETTINGS, pyamp.Evaluator(MODEL, policy="nan"))
    pilot = dataclasses.replace(pilot, y_max=Maximum(1e-12, 0.0))
    block = next(source.blocks(pilot.end, 100))
    found = Unweighter(pilot, SETTINGS, large, screen=pyamp.Evaluator(MODEL, policy="nan")).feed(block)
    assert (len(found.events), found.n_surrogate, found.events.n_truth) == (0, 0, 0)


def test_points_outside_the_domain_of_the_model(momenta, large):
    """Where they pass the screen the truth is asked; elsewhere not."""
    outside = np.repeat(momenta[:1], 400, axis=0)
    outside[:, :, 0] *= 2  # no momenta of massless particles
    block = Block(0, outside, np.ones(400), np.arange(1, 401), me2=np.ones(400))

    def half(points):
        return SimpleNamespace(amplitude=np.full(len(points), 0.5), flags=np.zeros(len(points)))

    pilot = SimpleNamespace(
        y_max=Maximum(1.0, 0.0), s_max=Maximum(1.0, 0.0), x_max=Maximum(1.0, 0.0), roulette=None
    )
    found = Unweighter(pilot, SETTINGS, large, screen=half).feed(block)
    assert found.n_outside == found.n_surrogate == found.n_asked == len(found.events)
    assert abs(found.n_outside - 200) < 4 * np.sqrt(100)  # 6e-5
    np.testing.assert_array_equal(found.events.weight, 2.0)


@pytest.mark.parametrize("mode", ["two_stage", "roulette"])
def test_blocks_and_interruptions_do_not_matter(dataset, tmp_path, monkeypatch, mode):
    settings = dataclasses.replace(SETTINGS, mode=mode, seed=3)
    arguments = {"datasets": [dataset], "screen": MODEL, "n_events": 151}
    one, other = (
        generate_events(LARGE, tmp_path / f"{size}.h5", settings, **arguments, block_size=size)
        for size in (100_000, 333)
    )
    same_events(one, other)
    assert len(one) == 151
    assert 151 < one.info.n_surrogate < 0.5 * one.info.n_points
    feed, fed = Unweighter.feed, []

    def interrupted(self, block, most_events=None):
        if len(fed) == 3:
            raise KeyboardInterrupt
        fed.append(block.start)
        return feed(self, block, most_events)

    monkeypatch.setattr(Unweighter, "feed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        generate_events(LARGE, tmp_path / "cut.h5", settings, **arguments, block_size=200)
    monkeypatch.undo()
    with pytest.raises(PyampError, match="holds shards of another run"):
        generate_events(LARGE, tmp_path / "cut.h5", settings, datasets=[dataset], n_events=151)
    same_events(generate_events(LARGE, tmp_path / "cut.h5", settings, **arguments), one)
    np.testing.assert_array_equal(one.pilot["bounds"], other.pilot["bounds"])
    factors = measured_factors(one)
    assert factors.times.t_surr == one.info.t_surr
    assert np.isfinite(factors.f_eff)


def test_files_without_a_screen_say_nothing_of_one(dataset, tmp_path):
    """They are as they were, and what is of a screen is None."""
    events = generate_events(LARGE, tmp_path / "events.h5", SETTINGS, datasets=[dataset], n_points=500)
    with h5py.File(tmp_path / "events.h5") as file:
        assert not {"screen", "screen_sha256", "y_max", "y_max_error", "n_surrogate"} & set(file.attrs)
        assert "bounds" not in file["pilot"]
        assert "y_max" not in file.attrs["request"]
    info = EventFile.open(tmp_path / "events.h5").info
    assert (info.screen, info.y_max, info.n_surrogate, info.surrogate_share) == (None, None, None, 1.0)
    assert set(events.pilot) == {"truth", "surrogate", "relative_sigma", "counts"}
