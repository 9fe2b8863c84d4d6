"""Accuracy and calibration of a surrogate in a handful of numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from pyamp.calibration.statistics import FloatArray, core_width, pulls, relative_deviation, weighted_quantile


@dataclass(frozen=True)
class Accuracy:
    """Accuracy and calibration of a surrogate on a sample of points.

    Attributes
    ----------
    median_abs_delta, rms_delta, q99_abs_delta : float
        Of the relative deviation Δ.
    top1pct_abs_delta, top01pct_abs_delta : float
        Median |Δ| of the points with the 1 % and 0.1 % largest amplitudes.
    pull_width : float
        Half the width of the central 68.27 % of the pulls; 1 if σ is calibrated.
    coverage68, coverage95 : float
        Fraction of points within 1 and 2 σ; 0.683 and 0.954 if the pulls are normal.
    """

    median_abs_delta: float
    rms_delta: float
    q99_abs_delta: float
    top1pct_abs_delta: float
    top01pct_abs_delta: float
    pull_width: float
    coverage68: float
    coverage95: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def accuracy(
    amplitude: FloatArray, truth: FloatArray, sigma: FloatArray, weights: FloatArray | None = None
) -> Accuracy:
    """Summarise a surrogate's predictions.

    Parameters
    ----------
    amplitude, truth, sigma : ndarray
        ``(n,)`` each, the same unit.
    weights : ndarray, optional
        ``(n,)``: how much a point counts; all the same by default ("flat"). Weights proportional to amplitude ×
        phase-space weight show the sample that unweighting and cross sections see ("amplitude").
    """
    delta = relative_deviation(amplitude, truth)
    abs_delta = np.abs(delta)
    t = pulls(amplitude, truth, sigma)

    def of_largest(fraction: float) -> float:
        largest = truth >= weighted_quantile(truth, 1.0 - fraction, weights)
        chosen = None if weights is None else weights[largest]
        return float(weighted_quantile(abs_delta[largest], 0.5, chosen))

    return Accuracy(
        median_abs_delta=float(weighted_quantile(abs_delta, 0.5, weights)),
        rms_delta=float(np.sqrt(np.average(delta**2, weights=weights))),
        q99_abs_delta=float(weighted_quantile(abs_delta, 0.99, weights)),
        top1pct_abs_delta=of_largest(0.01),
        top01pct_abs_delta=of_largest(0.001),
        pull_width=core_width(t, weights),
        coverage68=float(np.average(np.abs(t) < 1.0, weights=weights)),
        coverage95=float(np.average(np.abs(t) < 2.0, weights=weights)),
    )
