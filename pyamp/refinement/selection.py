"""Which candidates of phase space ask the truth: at random, with probabilities that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyamp.errors import PyampError
from pyamp.phase_space import PhaseSpace, PhaseSpaceSample

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BLOCK = 1 << 16  # trials at a time


@dataclass(frozen=True)
class Selection:
    """Points that were chosen.

    Attributes
    ----------
    momenta : ndarray, shape (n, n_legs, 4)
    phase_space_weight : ndarray, shape (n,)
        That of the point over its probability.
    sampling_weight : ndarray, shape (n,)
        1 over the probability: how many flat points one stands for.
    trial : ndarray of int64, shape (n,)
    n_trials, n_candidates : int
        Trials, and those of them within the cuts.
    """

    momenta: FloatArray
    phase_space_weight: FloatArray
    sampling_weight: FloatArray
    trial: IntArray
    n_trials: int
    n_candidates: int


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


def systematic(p: FloatArray, uniform: float) -> IntArray:
    """Indices of a systematic sample: i with probability p_i, and exactly Σp of them if that is a whole number.

    Parameters
    ----------
    p : ndarray, shape (N,)
        Probabilities, at most 1.
    uniform : float
        A random number from 0 to below 1, the only one.
    """
    total = round(float(p.sum()))
    edges = np.cumsum(p)
    edges *= total / edges[-1] if total else 1.0  # rounding of the sum
    steps = np.floor(edges + uniform).astype(np.int64)
    return np.flatnonzero(np.diff(steps, prepend=0))


def select(
    space: PhaseSpace,
    importance: Callable[[PhaseSpaceSample], FloatArray],
    n: int,
    n_trials: int,
    seed: int,
    start: int = 0,
    *,
    flat_share: float = 0.1,
    watch: Callable[[int], object] | None = None,
) -> Selection:
    """Choose `n` points among those of trials of phase space.

    The result depends on the trials and importances alone. Sums over the chosen points with their weights have those
    over all candidates as expectation, whatever the importance.

    Parameters
    ----------
    space : PhaseSpace
    importance : callable
        Points to numbers ``(n,)`` in proportion to which they are chosen.
    n : int
        How many; all if there are fewer.
    n_trials, seed, start : int
        Trials `start` … `start + n_trials − 1` of the phase space of that seed.
    flat_share : float
        See :func:`inclusion_probabilities`.
    watch : callable, optional
        Told how many trials are done.

    Raises
    ------
    PyampError
        No trial passes the cuts.
    """
    found = []
    for done, block in _blocks(space, n_trials, seed, start):
        found.append(importance(block) if len(block.weights) else np.empty(0))
        if watch is not None:
            watch(done)
    values = np.concatenate(found)
    if len(values) == 0:
        raise PyampError(
            f"{space.process.name}: none of {n_trials} trials pass the cuts; ask for more candidates"
        )
    p = inclusion_probabilities(values, min(n, len(values)), flat_share)
    uniform = np.random.Generator(np.random.Philox(key=[seed, start])).random()
    chosen = systematic(p, uniform)
    # Drawn again, which costs less than to keep the momenta of all.
    parts: list[tuple[FloatArray, FloatArray, IntArray]] = []
    first = 0
    for _, block in _blocks(space, n_trials, seed, start):
        last = first + len(block.weights)
        here = chosen[np.searchsorted(chosen, first) : np.searchsorted(chosen, last)] - first
        parts.append((block.momenta[here], block.weights[here], block.trials[here]))
        first = last
    momenta, weights, trials = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Selection(momenta, weights / p[chosen], 1.0 / p[chosen], trials, n_trials, len(values))


def _blocks(
    space: PhaseSpace, n_trials: int, seed: int, start: int
) -> Iterator[tuple[int, PhaseSpaceSample]]:
    for begin in range(0, n_trials, BLOCK):
        size = min(BLOCK, n_trials - begin)
        yield begin + size, space.trials(size, seed, start + begin)
