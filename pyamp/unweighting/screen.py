"""A screen: a cheap surrogate in front of the surrogate, which says where the latter need not be evaluated.

With the weight q of a point by the screen, the first stage's u and a maximum y_max of y = s/q, the surrogate is
evaluated only where u < a = min(1, y_max q/s_max). A point is accepted where u < min(a, s/s_max), with the weight
(s/s_max)/min(a, s/s_max): its expectation is s/s_max for every screen and every y_max, and where s ≤ y_max q the
events are those without a screen (the squeeze of rejection sampling). `docs/unweighting.md` says when it pays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyamp import _core
from pyamp.errors import PyampError
from pyamp.evaluator import Evaluator, Prediction
from pyamp.unweighting.maximum_rules import Maximum, MaximumRule
from pyamp.unweighting.points import Block

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Screen:
    """A screen with what decides which points pass it.

    Attributes
    ----------
    evaluator : Evaluator
        With ``policy="nan"``.
    y_max, s_max : float
        Maxima of s/q and of s in pb.
    seed : int
        Of the first stage.
    """

    evaluator: Evaluator
    y_max: float
    s_max: float
    seed: int

    def look(self, block: Block) -> tuple[FloatArray, IntArray]:
        """Bounds ``(n,)`` of the surrogate's weights in pb, and which points may be accepted, ``(n_passed,)``."""
        bounds = screen_bounds(screen_weights(self.evaluator, block), self.y_max)
        uniform = _core.unweighting_uniforms(self.seed, block.start, len(block), 1)[:, 0]
        return bounds, np.flatnonzero(uniform < bounds / self.s_max)


def screen_weights(evaluator: Evaluator, block: Block) -> FloatArray:
    """Weights q in pb, shape (n,); NaN where the screen knows no positive one, as outside its domain."""
    return known_weights(evaluator(block.momenta), block.measure)


def known_weights(prediction: Prediction, measure: FloatArray) -> FloatArray:
    """The same of a prediction, for points of that measure ``(n,)``, what |M|² is multiplied with for a weight."""
    q = np.asarray(prediction.amplitude) * measure
    known = (np.asarray(prediction.flags) == 0) & np.isfinite(q) & (q > 0)
    return np.where(known, q, np.nan)


def screen_bounds(weights: FloatArray, y_max: float) -> FloatArray:
    """y_max q, shape (n,); infinite where q is NaN: the surrogate is evaluated where the screen knows nothing."""
    bounds = y_max * weights
    return np.where(bounds > 0, bounds, np.inf)


def screen_ratios(
    surrogate_weights: FloatArray, weights: FloatArray, counts: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """y = s/q and how often each one counts, of the points that the screen knows; see :func:`screen_maximum`."""
    known = ~np.isnan(weights)
    s, q = surrogate_weights[known], weights[known]
    if not s.any():
        raise PyampError(
            f"screen: it knows {len(s)} of {len(weights)} points, all of weight 0; take one of the same domain as the "
            "model"
        )
    return s / q, q if counts is None else counts[known] * q


def screen_maximum(
    rule: MaximumRule,
    surrogate_weights: FloatArray,
    weights: FloatArray,
    counts: FloatArray | None = None,
    *,
    seed: int,
) -> Maximum:
    """y_max with its error: by the budget b a share b of Σ s exceeds the bounds.

    Parameters
    ----------
    rule : MaximumRule
    surrogate_weights, weights : ndarray, shape (n,)
        s and q, NaN where the screen knows nothing.
    counts : ndarray, shape (n,), optional
        How many points of phase space each one stands for; by default 1.
    seed : int
        Of the resampling.
    """
    return rule.with_error(*screen_ratios(surrogate_weights, weights, counts), seed=seed)


def allowed_share(bounds: npt.ArrayLike | None, s_max: float, n: int) -> FloatArray:
    """a = min(1, bound/s_max), shape (n,); 1 without a screen."""
    if bounds is None:
        return np.ones(n)
    return np.minimum(checked_bounds(bounds, n) / s_max, 1.0)


def checked_bounds(bounds: npt.ArrayLike, n: int) -> FloatArray:
    """Bounds (n,), above 0: nobody would look at a point of bound 0."""
    b = np.asarray(bounds, dtype=np.float64)
    if b.shape != (n,):
        raise PyampError(f"bounds have shape {b.shape}; expected ({n},), one for each weight")
    if not (b > 0).all():
        raise PyampError(
            f"bounds: {(~(b > 0)).sum()} of {n} are not above 0; give infinity where the screen knows nothing"
        )
    return b
