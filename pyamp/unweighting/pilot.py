"""The pilot of an unweighting: its first points, which give no events and determine maxima and roulette."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pyamp import _core
from pyamp.errors import PyampError
from pyamp.evaluator import Evaluator
from pyamp.truth import Truth
from pyamp.unweighting.block_weights import BlockWeights, Stopwatch
from pyamp.unweighting.maxima import ratios
from pyamp.unweighting.maximum_rules import Maximum
from pyamp.unweighting.points import PointSource, Position
from pyamp.unweighting.roulette import Roulette, roulette_moments
from pyamp.unweighting.roulette_choice import RouletteChoice, choose_roulette
from pyamp.unweighting.screen import screen_bounds, screen_maximum, screen_weights
from pyamp.unweighting.settings import UnweightingSettings
from pyamp.unweighting.two_stage import first_stage_events

FloatArray = npt.NDArray[np.float64]

BLOCK = 4096  # fixed, so that the pilot is the same whatever the blocks of the events
MOST_POINTS = 1 << 20  # their momenta are in memory
_EVEN_SHARE = 0.1  # of the evaluations goes to all points alike
_TIMED = 250  # points of a call to the truth


@dataclass(frozen=True)
class Pilot:
    """Maxima, and the sample from which they follow.

    Attributes
    ----------
    end : Position
        Of the first point after it.
    truth, surrogate, relative_sigma, counts : ndarray, shape (n,)
        Weights w and s in pb, σ_tot/A, and how many points of phase space each stands for, of the points whose truth
        was asked: those that the first stage would accept and a few others, all where the truth is stored.
    s_max, x_max, w_max : Maximum
        Of the surrogate's weights, from all points of the pilot, of w/s and of w.
    bounds : ndarray, shape (n,), or None
        What the screen allows s to be in pb, with y_max.
    y_max : Maximum or None
        Of the surrogate's weights over the screen's, from all points of the pilot.
    choice : RouletteChoice or None
        What the pilot expects of the roulette, in that mode.
    n_outside, n_failed : int
        Points outside the domain of the model, and without a value of the truth.
    watch : Stopwatch
        With a screen without `t_surr`: here both are evaluated for all points.
    """

    end: Position
    truth: FloatArray
    surrogate: FloatArray
    relative_sigma: FloatArray
    counts: FloatArray
    s_max: Maximum
    x_max: Maximum
    w_max: Maximum
    bounds: FloatArray | None = None
    y_max: Maximum | None = None
    choice: RouletteChoice | None = None
    n_outside: int = 0
    n_failed: int = 0
    watch: Stopwatch = field(default_factory=Stopwatch)

    @property
    def ratio(self) -> FloatArray:
        """x = w/s, 0 where both are 0."""
        return ratios(self.truth, self.surrogate)

    @property
    def columns(self) -> dict[str, FloatArray]:
        """The sample by names, as files have it."""
        screened = {} if self.bounds is None else {"bounds": self.bounds}
        return {
            "truth": self.truth,
            "surrogate": self.surrogate,
            "relative_sigma": self.relative_sigma,
            "counts": self.counts,
            **screened,
        }

    @property
    def roulette(self) -> Roulette | None:
        """κ and p_min."""
        return self.choice.roulette if self.choice else None


def run_pilot(
    source: PointSource,
    evaluator: Evaluator,
    truth: Truth | None,
    settings: UnweightingSettings,
    screen: Evaluator | None = None,
) -> Pilot:
    """Read points until the first stage would accept as many as the settings want, and ask their truth.

    At most half of the points of a source that ends, and 2²⁰.

    Parameters
    ----------
    source : PointSource
    evaluator : Evaluator
        With ``policy="nan"``.
    truth : Truth or None
        None: the points have it.
    settings : UnweightingSettings
    screen : Evaluator, optional
        A cheap surrogate in front of the surrogate, with ``policy="nan"``.

    Raises
    ------
    PyampError
        Too few points; no maximum; a roulette that cannot keep the effective sample size; weights below 0.
    """
    limit = MOST_POINTS if source.n_points is None else min(source.n_points // 2, MOST_POINTS)
    watch = Stopwatch()
    blocks: list[BlockWeights] = []
    surrogate = np.empty(0)
    q: list[FloatArray] = []
    expected, checked = 0.0, 0
    for block in source.blocks(Position(), BLOCK):
        block = block.head(min(len(block), limit - len(surrogate)))
        blocks.append(BlockWeights(block, evaluator, truth, watch))
        surrogate = np.concatenate([surrogate, blocks[-1].surrogate])
        if screen is not None:
            q.append(screen_weights(screen, block))
        # Only at powers of two, which a maximum for every block of a long pilot would not be worth.
        if len(blocks) >= 2 * checked or len(surrogate) == limit:
            checked = len(blocks)
            if surrogate.any():
                expected = float(np.minimum(surrogate / settings.s_max(surrogate), 1.0).sum())
        if expected >= settings.pilot or len(surrogate) == limit:
            break
    if expected < min(settings.pilot, 50):
        raise PyampError(
            f"pilot: {len(surrogate)} points give {expected:.0f} events of the first stage, expected 50 at least; give "
            "more points, or a rule for s_max that leaves more to overweights"
        )
    s_max = settings.s_max.with_error(surrogate, seed=settings.seed)
    y_max = bounds = None
    accepted = np.minimum(surrogate / s_max.value, 1.0)
    if truth is None:
        probability = np.ones_like(surrogate)
    else:
        probability = np.maximum(accepted, _EVEN_SHARE * settings.pilot / len(surrogate)).clip(max=1.0)
    uniform = _core.unweighting_uniforms(settings.seed, 0, len(surrogate), 1)[:, 0]
    index = np.flatnonzero(uniform < probability)
    w = _truth(blocks, index)
    s, counts = surrogate[index], 1.0 / probability[index]
    if (w[s == 0] > 0).any():
        raise PyampError("surrogate: 0 at points where the truth is not; train it on such points")
    if screen is not None:
        watch.t_surr.clear()
        y_max = screen_maximum(settings.y_max, surrogate, np.concatenate(q), seed=settings.seed)
        bounds = screen_bounds(np.concatenate(q)[index], y_max.value)
    sigma = np.concatenate([block.relative_sigma for block in blocks])[index]
    x = ratios(w, s)
    return Pilot(
        blocks[-1].block.end,
        w,
        s,
        sigma,
        counts,
        s_max=s_max,
        x_max=settings.x_max.with_error(x, counts * s, seed=settings.seed),
        w_max=settings.s_max.with_error(w, counts, seed=settings.seed),
        bounds=bounds,
        y_max=y_max,
        choice=_choice(settings, x, sigma, *first_stage_events(s, s_max.value, counts, bounds)),
        n_outside=sum(int(block.outside.sum()) for block in blocks),
        n_failed=sum(int(block.failed.sum()) for block in blocks),
        watch=watch,
    )


def _truth(blocks: Iterable[BlockWeights], index: npt.NDArray[np.int64]) -> FloatArray:
    weights = [np.empty(0)]
    begin = 0
    for block in blocks:
        end = begin + len(block.block)
        mine = index[(index >= begin) & (index < end)] - begin
        weights += [block.truth(mine[k : k + _TIMED]) for k in range(0, len(mine), _TIMED)]
        begin = end
    return np.concatenate(weights)


def _choice(
    settings: UnweightingSettings,
    x: FloatArray,
    sigma: FloatArray,
    events: FloatArray,
    first_weights: FloatArray,
) -> RouletteChoice | None:
    if settings.mode != "roulette":
        return None
    if settings.roulette is None:
        return choose_roulette(
            x, sigma, events, first_weights=first_weights, n_eff_over_n=settings.n_eff_over_n
        )
    p = settings.roulette.probability(sigma)
    return RouletteChoice(settings.roulette, *roulette_moments(x, p, events, first_weights))
