"""Accepting and rejecting: direct unweighting, and with a surrogate in front of the truth."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pyamp import _core
from pyamp.errors import PyampError
from pyamp.unweighting.compiled import compiled
from pyamp.unweighting.events import Events
from pyamp.unweighting.maxima import asked_weights, event_weights
from pyamp.unweighting.screen import allowed_share

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def unweight(weights: npt.ArrayLike, maximum: float, seed: int, start: int = 0) -> Events:
    """Direct unweighting: accept with probability min(1, w/maximum).

    Parameters
    ----------
    weights : array_like, shape (n,)
        True weight of every point.
    maximum : float
        See :func:`budget_maximum`.
    seed, start : int
        The decision on point i depends on (seed, start + i) alone.
    """
    w = event_weights("weights", weights)
    check_maximum("maximum", maximum)
    uniform = _core.unweighting_uniforms(seed, start, len(w), 1)[:, 0]
    accepted, event_weight = accept(w / maximum, uniform, np.ones_like(w))
    return Events(np.flatnonzero(accepted), event_weight[accepted], maximum, len(w), len(w))


def unweight_two_stage(
    surrogate_weights: npt.ArrayLike,
    truth_weights: Callable[[IntArray], npt.ArrayLike],
    s_max: float,
    x_max: float,
    seed: int,
    start: int = 0,
    bounds: npt.ArrayLike | None = None,
) -> Events:
    """Accept by the surrogate, then correct by the truth, arXiv:2109.11964 and arXiv:2301.13562.

    Parameters
    ----------
    surrogate_weights : array_like, shape (n,)
        Weight s of every point with the surrogate's amplitude.
    truth_weights : callable
        True weights w of the points at the indices it is given; asked once, for what the first stage accepts.
    s_max, x_max : float
        Maxima of s and of x = w/s, see :func:`budget_maximum`.
    seed, start : int
        The decisions on point i depend on (seed, start + i) alone.
    bounds : array_like, shape (n,), optional
        y_max q, what a screen allows s to be: see :func:`first_stage`.

    Raises
    ------
    PyampError
        On weights that are negative or not finite, the truth's included, and where the surrogate says 0 for a
        point whose true weight is not 0 (the first stage would never accept it).
    """
    s = event_weights("surrogate_weights", surrogate_weights)
    check_maximum("s_max", s_max)
    check_maximum("x_max", x_max)
    uniform = _core.unweighting_uniforms(seed, start, len(s), 2)
    first, first_weight = first_stage(s, s_max, uniform[:, 0], bounds)
    candidates = np.flatnonzero(first)
    unit = s_max * x_max
    w = asked_weights(truth_weights, candidates)
    second, second_weight = accept(w / s[candidates] / x_max, uniform[candidates, 1], np.ones_like(w))
    index = candidates[second]
    return Events(index, first_weight[index] * second_weight[second], unit, len(s), len(candidates))


def first_stage(
    surrogate_weights: FloatArray, s_max: float, uniform: FloatArray, bounds: npt.ArrayLike | None = None
) -> tuple[npt.NDArray[np.bool_], FloatArray]:
    """Which points the first stage accepts, and the weight of those, (n,) each.

    Parameters
    ----------
    surrogate_weights : ndarray, shape (n,)
        s; of any value where uniform · s_max ≥ bound, which no s can make accepted.
    s_max : float
    uniform : ndarray, shape (n,)
        The dice.
    bounds : array_like, shape (n,), optional
        What a screen allows s to be, above 0, infinite where it does not know: the probability is
        min(1, bound/s_max, s/s_max), the weight s/s_max over it. Where s is not above its bound nothing changes.
    """
    allowed = allowed_share(bounds, s_max, len(surrogate_weights))
    return accept(surrogate_weights / s_max, uniform, allowed)


def first_stage_events(
    surrogate_weights: FloatArray, s_max: float, counts: FloatArray, bounds: npt.ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """How many events of the first stage points stand for that occur `counts` times, and their weight, (n,) each."""
    ratio = surrogate_weights / s_max
    allowed = allowed_share(bounds, s_max, len(ratio))
    return counts * np.minimum(ratio, allowed), np.maximum(ratio / allowed, 1.0)


@compiled
def accept(
    ratio: FloatArray, uniform: FloatArray, allowed: FloatArray
) -> tuple[npt.NDArray[np.bool_], FloatArray]:
    """Accept with probability min(allowed, ratio), allowed ≤ 1; the weight of what is accepted is ratio over that."""
    accepted = np.empty(len(ratio), dtype=np.bool_)
    weight = np.empty(len(ratio))
    for i in range(len(ratio)):
        accepted[i] = uniform[i] < min(allowed[i], ratio[i])
        weight[i] = max(1.0, ratio[i] / allowed[i])
    return accepted, weight


def check_maximum(name: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0):
        raise PyampError(f"{name} is {value}; expected a positive number")
