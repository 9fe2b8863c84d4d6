"""The second stage's decisions and what a pilot gives it, in C++ as the hosts use it, against Python.

Statistical comparisons allow 4 standard errors, 6e-5 of seeds would fail each; the seeds are fixed.
"""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from pyamp import _core
from pyamp.errors import PyampError
from pyamp.paths import library
from pyamp.unweighting import budget_maximum, unweight_two_stage

SEED, START, N = 7, 1000, 20_000


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    return np.random.default_rng(1).lognormal(0, 0.3, N)


@pytest.fixture(scope="module")
def sigma(x: np.ndarray) -> np.ndarray:
    """Uncertainties that know half of how far x is from 1."""
    return np.abs(x - 1) * np.random.default_rng(2).uniform(0.1, 2, N)


def test_two_stages_decide_as_in_python(x: np.ndarray) -> None:
    """With a first stage that accepts all."""
    events = unweight_two_stage(np.ones(N), lambda index: x[index], 1.0, 1.5, SEED, START)
    accepted, weight = _core.two_stage_decisions(SEED, START, x, 1.5)
    np.testing.assert_array_equal(np.flatnonzero(accepted), events.index)
    np.testing.assert_array_equal(weight[accepted], events.weight)


def test_what_a_screen_lets_through_is_decided_by_the_first_draw(x: np.ndarray) -> None:
    uniform = _core.unweighting_uniforms(SEED, START, N, 2)[:, 0]
    accepted, weight = _core.screen_decisions(SEED, START, x, 1.2)
    np.testing.assert_array_equal(accepted, uniform < x / 1.2)
    np.testing.assert_array_equal(weight, np.maximum(1.0, x / 1.2))


def test_roulette_decides_by_the_second_draw(sigma: np.ndarray) -> None:
    uniform = _core.unweighting_uniforms(SEED, START, N, 2)[:, 1]
    expected = np.clip(0.8 * sigma, 0.05, 1.0)
    evaluate, probability = _core.roulette_decisions(SEED, START, sigma, 0.8, 0.05)
    np.testing.assert_array_equal(probability, expected)
    np.testing.assert_array_equal(evaluate, uniform < expected)
    assert (probability == 0.05).any()
    assert (probability == 1).any()


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1])
def test_an_uncertainty_that_is_none_asks_the_truth(value: float) -> None:
    evaluate, probability = _core.roulette_decisions(1, 0, np.full(1000, value), 1.0, 0.01)
    assert evaluate.all()
    assert (probability == 1).all()


def test_roulette_weights(x: np.ndarray) -> None:
    p = np.random.default_rng(3).uniform(0.01, 1, N)
    np.testing.assert_array_equal(_core.roulette_weights(x, p), 1 + (x - 1) / p)


@pytest.mark.parametrize("p_min", [0.2, 0.5])
def test_roulette_has_the_mean_of_x_and_the_expected_square(
    x: np.ndarray, sigma: np.ndarray, p_min: float
) -> None:
    evaluate, p = _core.roulette_decisions(SEED, START, sigma, 0.5, p_min)
    weight = np.where(evaluate, _core.roulette_weights(x, p), 1.0)
    square = x**2 + (x - 1) ** 2 * (1 / p - 1)
    for found, expected in ((weight, x), (weight**2, square)):
        difference = found - expected
        assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(N)


@pytest.mark.parametrize("budget", [0.0, 1e-3, 0.05])
def test_budget_maximum_is_that_of_python(x: np.ndarray, budget: float) -> None:
    assert _core.budget_maximum(x, budget, 1)[0] == pytest.approx(budget_maximum(x, budget), rel=1e-12)


def test_error_of_the_maximum() -> None:
    """Against the scatter of the maxima of other pilots; 100 of each know a deviation to 7 %."""
    drawn = np.random.default_rng(5).lognormal(0, 0.3, (100, 2000))
    found = np.array([_core.budget_maximum(x, 5e-3, 1) for x in drawn])
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(), rel=0.3)


def outcome(x: np.ndarray, sigma: np.ndarray, kappa: float, p_min: float) -> tuple[float, float, float]:
    """Mean p, expected N_eff/N and smallest weight."""
    p = np.clip(kappa * sigma, p_min, 1.0)
    square = x**2 + (x - 1) ** 2 * (1 / p - 1)
    return p.mean(), x.mean() ** 2 / square.mean(), (1 + (x - 1) / p).min()


@pytest.mark.parametrize("target", [0.6, 0.8, 0.89])
def test_choice_of_roulette_is_the_best_of_a_scan(x: np.ndarray, sigma: np.ndarray, target: float) -> None:
    x, sigma = x[:2000], sigma[:2000]
    kappa, p_min, mean_p, n_eff_over_n, reached = _core.choose_roulette(x, sigma, target)
    assert reached
    expected = outcome(x, sigma, kappa, p_min)
    assert (mean_p, n_eff_over_n) == pytest.approx(expected[:2], rel=1e-12)
    assert n_eff_over_n >= target
    assert expected[2] >= 0
    assert p_min >= 10 / 2000
    assert mean_p < 1
    scanned = [
        (outcome(x, sigma, k, p), k, p)
        for k in np.geomspace(0.01, 100, 60)
        for p in np.geomspace(10 / 2000, 1, 60)
    ]
    best = min(found[0] for found, _, _ in scanned if found[1] >= target and found[2] >= 0)
    assert mean_p < 1.02 * best


def test_roulette_without_a_useful_uncertainty_takes_one_probability(x: np.ndarray) -> None:
    _, p_min, mean_p, n_eff_over_n, reached = _core.choose_roulette(x, np.zeros(N), 0.8)
    assert reached
    assert mean_p == pytest.approx(p_min)
    assert p_min < 1
    assert n_eff_over_n >= 0.8


def test_target_out_of_reach(x: np.ndarray, sigma: np.ndarray) -> None:
    """Even with the truth everywhere weights are x."""
    _, p_min, mean_p, n_eff_over_n, reached = _core.choose_roulette(x, sigma, 0.999)
    assert not reached
    assert p_min == mean_p == 1
    assert n_eff_over_n == pytest.approx(x.mean() ** 2 / (x**2).mean())
    assert n_eff_over_n < 0.999


def test_pilots_without_a_choice() -> None:
    with pytest.raises(PyampError, match="no x_max"):
        _core.budget_maximum(np.zeros(5), 1e-3, 1)
    with pytest.raises(PyampError, match="finite"):
        _core.budget_maximum(np.array([1.0, np.nan]), 1e-3, 1)
    with pytest.raises(PyampError, match="no event"):
        _core.choose_roulette(np.empty(0), np.empty(0), 0.9)
    with pytest.raises(PyampError, match="3 ratios but 2"):
        _core.choose_roulette(np.ones(3), np.ones(2), 0.9)


@pytest.fixture(scope="module")
def c_interface() -> ctypes.CDLL:
    loaded = ctypes.CDLL(str(library("pyamp")))
    loaded.pyamp_last_error.restype = ctypes.c_char_p
    return loaded


def test_c_interface(c_interface: ctypes.CDLL, x: np.ndarray, sigma: np.ndarray) -> None:
    """The same numbers again, one event a call."""
    flag, number, weight = ctypes.c_int(), ctypes.c_double(), ctypes.c_double()
    accepted, weights = _core.two_stage_decisions(SEED, START, x, 1.2)
    evaluate, probability = _core.roulette_decisions(SEED, START, sigma, 0.8, 0.05)
    for i in range(200):
        event = (ctypes.c_uint64(SEED), ctypes.c_uint64(START + i))
        status = c_interface.pyamp_two_stage(
            *event, ctypes.c_double(x[i]), ctypes.c_double(1.2), ctypes.byref(flag), ctypes.byref(number)
        )
        assert (status, flag.value, number.value) == (0, accepted[i], weights[i])
        screened = _core.screen_decisions(SEED, START + i, x[i : i + 1], 1.2)
        status = c_interface.pyamp_screen(
            *event, ctypes.c_double(x[i]), ctypes.c_double(1.2), ctypes.byref(flag), ctypes.byref(number)
        )
        assert (status, flag.value, number.value) == (0, screened[0][0], screened[1][0])
        status = c_interface.pyamp_roulette(
            *event,
            *map(ctypes.c_double, (sigma[i], 0.8, 0.05)),
            ctypes.byref(flag),
            ctypes.byref(number),
        )
        assert (status, flag.value, number.value) == (0, evaluate[i], probability[i])
        assert c_interface.pyamp_roulette_weight(ctypes.c_double(x[i]), number, ctypes.byref(weight)) == 0
        assert weight.value == 1 + (x[i] - 1) / probability[i]

    pointer = ctypes.POINTER(ctypes.c_double)
    n, values = ctypes.c_size_t(N), x.ctypes.data_as(pointer)
    maximum, error = ctypes.c_double(), ctypes.c_double()
    arguments = (n, values, ctypes.c_double(1e-3), ctypes.c_uint64(3), ctypes.byref(maximum))
    assert c_interface.pyamp_budget_maximum(*arguments, ctypes.byref(error)) == 0
    assert (maximum.value, error.value) == _core.budget_maximum(x, 1e-3, 3)
    assert c_interface.pyamp_budget_maximum(*arguments, None) == 0

    chosen = [ctypes.c_double() for _ in range(4)]
    status = c_interface.pyamp_choose_roulette(
        n,
        values,
        sigma.ctypes.data_as(pointer),
        ctypes.c_double(0.8),
        *map(ctypes.byref, chosen),
        ctypes.byref(flag),
    )
    assert status == 0
    assert (*(value.value for value in chosen), bool(flag.value)) == _core.choose_roulette(x, sigma, 0.8)


def test_c_interface_refuses(c_interface: ctypes.CDLL) -> None:
    flag, number = ctypes.c_int(), ctypes.c_double()
    event = (ctypes.c_uint64(1), ctypes.c_uint64(0))
    outputs = (ctypes.byref(flag), ctypes.byref(number))
    refused = {
        b"x_max is not positive": (c_interface.pyamp_two_stage, (1.0, 0.0), outputs),
        b"y_max is not positive": (c_interface.pyamp_screen, (1.0, 0.0), outputs),
        b"y is no finite number": (c_interface.pyamp_screen, (np.nan, 1.0), outputs),
        b"x is no finite number": (c_interface.pyamp_two_stage, (np.nan, 1.0), outputs),
        b"null pointer": (c_interface.pyamp_two_stage, (1.0, 1.0), (None, None)),
        b"p_min is not positive": (c_interface.pyamp_roulette, (0.1, 1.0, 0.0), outputs),
    }
    for reason, (function, numbers, out) in refused.items():
        assert function(*event, *map(ctypes.c_double, numbers), *out) == 1
        assert reason in c_interface.pyamp_last_error()
