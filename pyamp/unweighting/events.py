"""What unweighting leaves: accepted points with their weights, and running totals of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyamp.errors import PyampError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Totals:
    """Sums over events, of any number of blocks of points: add them up.

    Attributes
    ----------
    unit : float
        What weight 1 stands for, in the unit of the weights given.
    n_points, n_truth, n_events : int
        Points given, points whose true weight was asked for, events.
    weight_sum, weight_square_sum, absolute_sum : float
        Σ weight, Σ weight² and Σ |weight| of the events.
    overweight_sum : float
        Σ weight of those above 1.
    n_negative : int
        Events with a weight below 0.
    """

    unit: float
    n_points: int
    n_truth: int
    n_events: int
    weight_sum: float
    weight_square_sum: float
    absolute_sum: float
    overweight_sum: float
    n_negative: int

    def __add__(self, other: Totals) -> Totals:
        if other.unit != self.unit:
            raise PyampError(f"events of units {self.unit:g} and {other.unit:g} do not add up; scale one")
        return Totals(
            self.unit,
            self.n_points + other.n_points,
            self.n_truth + other.n_truth,
            self.n_events + other.n_events,
            self.weight_sum + other.weight_sum,
            self.weight_square_sum + other.weight_square_sum,
            self.absolute_sum + other.absolute_sum,
            self.overweight_sum + other.overweight_sum,
            self.n_negative + other.n_negative,
        )

    @property
    def n_eff(self) -> float:
        """Effective sample size of Kish, (Σ weight)² / Σ weight²; 0 without events."""
        return self.weight_sum**2 / self.weight_square_sum if self.weight_square_sum > 0 else 0.0

    @property
    def overweight_share(self) -> float:
        """Share of the cross section in events with weight above 1; 0 without events."""
        return self.overweight_sum / self.weight_sum if self.weight_sum != 0 else 0.0

    def mean_weight(self) -> tuple[float, float]:
        """Estimate of the mean of w over the points given, with its standard error."""
        mean = self.unit * self.weight_sum / self.n_points
        variance = self.unit**2 * self.weight_square_sum / self.n_points - mean**2
        return mean, float(np.sqrt(max(variance, 0.0) / self.n_points))


@dataclass(frozen=True)
class Events:
    """Accepted points.

    Attributes
    ----------
    index : ndarray of int64, shape (n_events,)
        Which of the points given.
    weight : ndarray, shape (n_events,)
        1, or more for overweights; around 1 for what a roulette has evaluated.
    unit : float
        What weight 1 stands for, in the unit of the weights given: the mean over all points given of unit × weight
        (0 for those rejected) has the mean of w as its expectation.
    n_points : int
        Number of points given.
    n_truth : int
        Number of points whose true weight was asked for.
    """

    index: IntArray
    weight: FloatArray
    unit: float
    n_points: int
    n_truth: int

    def __len__(self) -> int:
        return len(self.index)

    @property
    def totals(self) -> Totals:
        """Sums over the events."""
        return Totals(
            self.unit,
            self.n_points,
            self.n_truth,
            len(self),
            float(self.weight.sum()),
            float((self.weight**2).sum()),
            float(np.abs(self.weight).sum()),
            float(self.weight[self.weight > 1].sum()),
            int((self.weight < 0).sum()),
        )

    @property
    def n_eff(self) -> float:
        """Effective sample size of Kish, (Σ weight)² / Σ weight²; 0 without events."""
        return self.totals.n_eff

    @property
    def overweight_share(self) -> float:
        """Share of the cross section in events with weight above 1; 0 without events."""
        return self.totals.overweight_share

    def mean_weight(self) -> tuple[float, float]:
        """Estimate of the mean of w over the points given, with its standard error."""
        return self.totals.mean_weight()
