"""With which probability points ask the truth, in proportion to how much is learnt there."""

import numpy as np
import numpy.typing as npt

from pyamp.errors import PyampError

FloatArray = npt.NDArray[np.float64]


def inclusion_probabilities(importance: npt.ArrayLike, n: int, flat_share: float) -> FloatArray:
    """p = min(1, c · importance + flat_share · n/N) with the sum n.

    Parameters
    ----------
    importance : array_like, shape (N,)
        Not negative; what is not finite counts as 0.
    n : int
        How many of the N candidates to choose.
    flat_share : float
        Share of the choice that does not look at the importance, above 0, at most 1: so no candidate has p = 0, and a
        surrogate that is wrong about a region cannot keep it out.

    Returns
    -------
    ndarray, shape (N,)
    """
    v = np.array(importance, dtype=np.float64)
    v[~np.isfinite(v)] = 0.0
    if not 0 < n <= len(v):
        raise PyampError(f"{n} points to be chosen of {len(v)} candidates; expected from 1 to all of them")
    if not 0 < flat_share <= 1:
        raise PyampError(f"flat_share is {flat_share}; expected a share above 0, at most 1")
    floor = flat_share * n / len(v)
    if not v.any():
        return np.full(len(v), n / len(v))
    # Those cut at 1 leave the rest to the others, in descending order: the first k for which c · v + floor fits.
    order = np.argsort(-v, kind="stable")
    sorted_v = v[order]
    rest = np.cumsum(sorted_v[::-1])[::-1]
    k = np.arange(len(v))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = (n - k - floor * (len(v) - k)) / rest
        fits = (scale >= 0) & (scale * sorted_v + floor <= 1.0)
    if not fits.any():  # all that have an importance are taken, and the others share what is left
        taken = v > 0
        return np.where(taken, 1.0, (n - taken.sum()) / max(1, (~taken).sum()))
    first = int(np.argmax(fits))
    p = np.ones(len(v))
    p[order[first:]] = scale[first] * sorted_v[first:] + floor
    return np.minimum(p, 1.0)
