"""Accuracy of a surrogate and calibration of its uncertainty, on points that it was not trained on."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SIGMA_68 = 0.682689492137
SIGMA_95 = 0.954499736104


def relative_deviation(amplitude: FloatArray, truth: FloatArray) -> FloatArray:
    """Δ = (A_surrogate − A_true)/A_true, ``(n,)`` (arXiv:2412.12069)."""
    return (amplitude - truth) / truth


def pulls(amplitude: FloatArray, truth: FloatArray, sigma: FloatArray) -> FloatArray:
    """t = (A_surrogate − A_true)/σ, ``(n,)``: a standard normal if σ is calibrated (arXiv:2206.14831)."""
    return (amplitude - truth) / sigma


def weighted_quantile(
    values: FloatArray, q: float | FloatArray, weights: FloatArray | None = None
) -> FloatArray:
    """Quantiles of values ``(n,)`` that count with weights ``(n,)``; all the same by default."""
    if weights is None:
        weights = np.ones_like(values)
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.asarray(np.interp(np.asarray(q) * weights.sum(), cumulative, values[order]), dtype=np.float64)


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
    low, high = weighted_quantile(t, np.array([0.5 - SIGMA_68 / 2, 0.5 + SIGMA_68 / 2]), weights)

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
        pull_width=float(high - low) / 2,
        coverage68=float(np.average(np.abs(t) < 1.0, weights=weights)),
        coverage95=float(np.average(np.abs(t) < 2.0, weights=weights)),
    )
