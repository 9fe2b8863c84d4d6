"""True and surrogate weights of a block of points, and what of the truth has been asked for them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pyamp.errors import PyampError
from pyamp.evaluator import Evaluator
from pyamp.truth import Truth
from pyamp.unweighting.points import Block
from pyamp.unweighting.screen import Screen

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass
class Stopwatch:
    """Times of single points in ms, one for each call that was timed.

    `t_surr` is what surrogates take for a point on average: behind a screen, the screen for all points and the
    surrogate for those that pass it, over the number of all.
    """

    t_me: list[float] = field(default_factory=list)
    t_ps: list[float] = field(default_factory=list)
    t_surr: list[float] = field(default_factory=list)


class BlockWeights:
    """Weights of the points of a block.

    Points that the evaluator flags, such as those outside the domain of the model, have the truth's weight in the place
    of the surrogate's: x = 1. Where the truth has no value, the weight is 0 and the point is counted in `failed`.

    Parameters
    ----------
    block : Block
    evaluator : Evaluator or None
        With ``policy="nan"``; None where no surrogate is wanted.
    truth : Truth or None
        None: the block has the true |M|².
    watch : Stopwatch
        Gets the times.
    screen : Screen, optional
        The surrogate is evaluated for the points that pass it only; what is said of it here is of these.

    Attributes
    ----------
    surrogate : ndarray, shape (n,)
        Weights s in pb; 0 where the screen does not let pass.
    bounds : ndarray, shape (n,), or None
        What the screen allows s to be in pb.
    looked : ndarray of bool, shape (n,)
        Points whose surrogate was evaluated.
    relative_sigma : ndarray, shape (n,)
        σ_tot/A; 0 where s is the truth's.
    outside, wanted, asked, failed : ndarray of bool, shape (n,)
        Points that the evaluator flags, whose true weight :meth:`truth` was asked for, whose truth was evaluated for
        that or for being outside, and whose truth has no value.
    """

    def __init__(
        self,
        block: Block,
        evaluator: Evaluator | None,
        truth: Truth | None,
        watch: Stopwatch,
        screen: Screen | None = None,
    ) -> None:
        n = len(block)
        self.block = block
        self._truth, self._watch = truth, watch
        self._true = np.full(n, np.nan)
        self.looked, self.outside, self.wanted, self.asked, self.failed = np.zeros((5, n), dtype=np.bool_)
        self.bounds: FloatArray | None = None
        self.surrogate, self.relative_sigma = np.zeros((2, n))
        if np.isfinite(block.t_ps):
            watch.t_ps.append(1e3 * block.t_ps / n)
        if evaluator is not None:
            self._predict(evaluator, screen)

    def truth(self, index: IntArray) -> FloatArray:
        """True weights in pb of the points at `index`."""
        self.wanted[index] = True
        return self._evaluated(index)

    def _evaluated(self, index: IntArray) -> FloatArray:
        new = index[~self.asked[index]]
        if len(new):
            self._true[new] = self._me2(new) * self.block.measure[new]
            self.asked[new] = True
            values = self._true[new]
            no_value = ~np.isfinite(values)
            self.failed[new[no_value]] = True
            self._true[new[no_value]] = 0.0
            refuse_negative("truth", values)
        return np.asarray(self._true[index])

    def _me2(self, index: IntArray) -> FloatArray:
        if self._truth is None:
            assert self.block.me2 is not None
            return self.block.me2[index]
        begin = self._truth.clock()
        me2: FloatArray = self._truth.me2(self.block.momenta[index], on_failure="nan")
        self._watch.t_me.append(1e3 * (self._truth.clock() - begin) / len(index))
        return me2

    def _predict(self, evaluator: Evaluator, screen: Screen | None) -> None:
        begin = time.process_time()
        index, momenta = np.arange(len(self.block)), self.block.momenta
        if screen is not None:
            self.bounds, index = screen.look(self.block)
            momenta = momenta[index]
        prediction = evaluator(momenta) if len(index) else None
        self._watch.t_surr.append(1e3 * (time.process_time() - begin) / len(self.block))
        if prediction is None:
            return
        amplitude = np.asarray(prediction.amplitude)
        self.looked[index] = True
        self.outside[index] = np.asarray(prediction.flags) != 0
        with np.errstate(divide="ignore", invalid="ignore"):
            self.relative_sigma[index] = np.asarray(prediction.sigma_tot) / amplitude
        self.surrogate[index] = amplitude * self.block.measure[index]
        outside = np.flatnonzero(self.outside)
        if len(outside):
            self.surrogate[outside] = self._evaluated(outside)
            self.relative_sigma[outside] = 0.0
        refuse_negative("surrogate", self.surrogate)


def refuse_negative(what: str, weights: FloatArray) -> None:
    """Say in one line what to do about weights that change sign."""
    negative = int((weights < 0).sum())
    if negative:
        raise PyampError(
            f"{what}: {negative} of {len(weights)} weights are negative; expected weights from 0 on, of amplitudes and "
            "parton densities that are positive (surrogates with target log always are)"
        )
