"""Maxima for unweighting that leave a stated share of the cross section to overweights."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pyamp.errors import PyampError
from pyamp.unweighting.compiled import compiled

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def budget_maximum(values: npt.ArrayLike, budget: float, weights: npt.ArrayLike | None = None) -> float:
    """The smallest maximum whose overweights carry at most a stated share of the total in their excess.

    The m with ``Σ ω max(0, v - m) = budget · Σ ω v``: a fraction `budget` of the cross section then comes as
    weight above 1 of single events, instead of one largest weight ruling the efficiency.

    Parameters
    ----------
    values : array_like, shape (n,)
        Event weights w, or ratios x; not negative.
    budget : float
        Share from 0 (the largest value) to below 1.
    weights : array_like, shape (n,), optional
        How often each value occurs: for the x of the second stage, the surrogate's weight s, which is what
        the first stage accepts in proportion to. By default 1.

    Returns
    -------
    float
    """
    if not 0 <= budget < 1:
        raise PyampError(f"overweight budget is {budget}; expected a share from 0 to below 1")
    v = event_weights("values", values)
    omega = np.ones_like(v) if weights is None else event_weights("weights", weights)
    if omega.shape != v.shape:
        raise PyampError(f"{len(v)} values but {len(omega)} weights; expected as many")
    if not (omega * v).sum() > 0:
        raise PyampError("no maximum: all weights are 0; check the cuts and the amplitude")
    order = np.argsort(-v, kind="stable")
    return maximum_of_sorted(v, omega, order, budget)


@compiled
def maximum_of_sorted(
    values: FloatArray, weights: FloatArray, order: npt.NDArray[np.int64], budget: float
) -> float:
    """`budget_maximum` of values whose descending order is known."""
    target = 0.0
    for i in range(len(values)):
        target += budget * weights[i] * values[i]
    # What lies above a candidate m has the excess above - m * count, which grows as m falls.
    above = 0.0
    count = 0.0
    for i in order:
        if count > 0.0 and above - values[i] * count > target:
            break
        above += weights[i] * values[i]
        count += weights[i]
    return (above - target) / count


def event_weights(name: str, values: npt.ArrayLike) -> FloatArray:
    """Check an array of weights: (n,), finite, not negative."""
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.ndim != 1 or len(array) == 0:
        raise PyampError(f"{name} has shape {array.shape}; expected (n,) with n > 0")
    if not np.isfinite(array).all():
        bad = (~np.isfinite(array)).sum()
        raise PyampError(f"{name}: {bad} of {len(array)} are NaN or infinite; leave them out")
    if (array < 0).any():
        raise PyampError(
            f"{name}: {(array < 0).sum()} of {len(array)} are negative; unweighting is for weights >= 0"
        )
    return array


def asked_weights(truth_weights: Callable[[IntArray], npt.ArrayLike], index: IntArray) -> FloatArray:
    """Ask for the true weights of the points at `index` (n,), and check them; nothing is asked for none."""
    if len(index) == 0:
        return np.empty(0)
    w = event_weights("truth_weights", truth_weights(index))
    if w.shape != index.shape:
        raise PyampError(f"truth_weights: {len(w)} weights for {len(index)} points; expected as many")
    return w


def ratios(truth_weights: FloatArray, surrogate_weights: FloatArray) -> FloatArray:
    """x = w/s (n,), 0 where s is 0."""
    x = np.zeros_like(truth_weights)
    return np.divide(truth_weights, surrogate_weights, out=x, where=surrogate_weights > 0)
