"""Unweighting of a stream of points, block after block: the same events however it is cut into blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pyamp.errors import PyampError
from pyamp.evaluator import Evaluator
from pyamp.truth import Truth
from pyamp.unweighting.block_weights import BlockWeights, Stopwatch
from pyamp.unweighting.events import Events
from pyamp.unweighting.pilot import Pilot
from pyamp.unweighting.points import Block, Position
from pyamp.unweighting.roulette import unweight_roulette
from pyamp.unweighting.screen import Screen
from pyamp.unweighting.settings import UnweightingSettings
from pyamp.unweighting.two_stage import unweight, unweight_two_stage

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BlockEvents:
    """Events of a block.

    Attributes
    ----------
    events : Events
        Their `index` counts all points of the stream, the pilot's included.
    momenta : ndarray, shape (n_events, n_legs, 4)
    end : Position
        Of the first point that was not looked at.
    n_asked : int
        Evaluations of the truth, for points outside the domain of the model too.
    n_surrogate : int
        Evaluations of the surrogate.
    n_outside, n_failed : int
        Points outside the domain, and without a value of the truth.
    direct : tuple of float, or None
        Σ w and Σ w² of all points, where the truth is stored.
    """

    events: Events
    momenta: FloatArray
    end: Position
    n_asked: int
    n_surrogate: int
    n_outside: int
    n_failed: int
    direct: tuple[float, float] | None


class Unweighter:
    """Unweights blocks of points with the maxima of a pilot.

    Parameters
    ----------
    pilot : Pilot
    settings : UnweightingSettings
        Mode and seed.
    evaluator : Evaluator
        With ``policy="nan"``.
    truth : Truth or None
        None: the points have it.
    screen : Evaluator, optional
        A cheap surrogate in front of the surrogate, with ``policy="nan"``; the pilot has to know it too.

    Examples
    --------
    >>> pilot = run_pilot(source, evaluator, None, settings)  # doctest: +SKIP
    >>> unweighter = Unweighter(pilot, settings, evaluator)  # doctest: +SKIP
    >>> for block in source.blocks(pilot.end, 10_000):  # doctest: +SKIP
    ...     events = unweighter.feed(block).events
    ...     totals = totals + events.totals
    """

    def __init__(
        self,
        pilot: Pilot,
        settings: UnweightingSettings,
        evaluator: Evaluator,
        truth: Truth | None = None,
        screen: Evaluator | None = None,
    ) -> None:
        self.pilot, self.settings = pilot, settings
        self._evaluator = None if settings.mode == "direct" else evaluator
        self._truth = truth
        if (screen is None) != (pilot.y_max is None):
            raise PyampError("screen: in the pilot or after it only; give both of them the same one")
        self._screen = None
        if screen is not None and pilot.y_max is not None:
            self._screen = Screen(screen, pilot.y_max.value, pilot.s_max.value, settings.seed)
        self.watch = Stopwatch()

    @property
    def unit(self) -> float:
        """What weight 1 stands for, in pb."""
        if self.settings.mode == "direct":
            return self.pilot.w_max.value
        second = self.pilot.x_max.value if self.settings.mode == "two_stage" else 1.0
        return self.pilot.s_max.value * second

    def feed(self, block: Block, most_events: int | None = None) -> BlockEvents:
        """Events of a block.

        Parameters
        ----------
        block : Block
            Of points beyond the pilot; its `start` decides, so blocks may come in any order.
        most_events : int, optional
            Look at no point after the one that gives this many events.
        """
        weights = BlockWeights(block, self._evaluator, self._truth, self.watch, self._screen)
        events = self._unweight(weights)
        n = len(block)
        if most_events is not None and len(events) >= most_events:
            n = int(events.index[most_events - 1]) + 1
            events = replace(
                events,
                index=events.index[:most_events],
                weight=events.weight[:most_events],
                n_points=n,
                n_truth=int(weights.wanted[:n].sum()),
            )
        direct = None
        if self._truth is None:
            assert block.me2 is not None
            w = (block.me2 * block.measure)[:n]
            direct = float(w.sum()), float((w**2).sum())
        return BlockEvents(
            replace(events, index=events.index + block.start),
            block.momenta[events.index],
            block.head(n).end,
            n_asked=int(weights.asked[:n].sum()),
            n_surrogate=int(weights.looked[:n].sum()),
            n_outside=int(weights.outside[:n].sum()),
            n_failed=int(weights.failed[:n].sum()),
            direct=direct,
        )

    def _unweight(self, weights: BlockWeights) -> Events:
        pilot, seed, start = self.pilot, self.settings.seed, weights.block.start
        if self.settings.mode == "direct":
            return unweight(weights.truth(np.arange(len(weights.block))), pilot.w_max.value, seed, start)
        if self.settings.mode == "two_stage":
            return unweight_two_stage(
                weights.surrogate,
                weights.truth,
                pilot.s_max.value,
                pilot.x_max.value,
                seed,
                start,
                weights.bounds,
            )
        assert pilot.roulette is not None
        return unweight_roulette(
            weights.surrogate,
            weights.relative_sigma,
            weights.truth,
            pilot.s_max.value,
            pilot.roulette,
            seed,
            start,
            weights.bounds,
        )
