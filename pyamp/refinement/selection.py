"""Which candidates of phase space ask the truth: at random, with probabilities that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyamp.errors import PyampError
from pyamp.phase_space import PhaseSpace, PhaseSpaceSample
from pyamp.unweighting.inclusion import inclusion_probabilities

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
