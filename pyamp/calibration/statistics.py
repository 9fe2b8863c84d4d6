"""Deviations, pulls, and statistics of weighted points that a few outliers do not move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SIGMA_68 = 0.682689492137
SIGMA_95 = 0.954499736104
CORE_WIDTH_ERROR = (
    0.962  # √(p (1 − 2p)/2)/φ(1) at p = Φ(−1): times 1/√n, that of the core width of normal pulls
)


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


def core_width(t: FloatArray, weights: FloatArray | None = None) -> float:
    """Half the width of the central 68.27 % of pulls ``(n,)``; 1 for a standard normal, whatever the tails are."""
    low, high = weighted_quantile(t, np.array([0.5 - SIGMA_68 / 2, 0.5 + SIGMA_68 / 2]), weights)
    return float(high - low) / 2


def effective_number(n: int, weights: FloatArray | None = None) -> float:
    """(Σw)²/Σw²: how many points of equal weight have the statistical error of these n."""
    return float(n) if weights is None else float(weights.sum() ** 2 / np.square(weights).sum())
