"""How far a sample of pulls is from the standard normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyamp.calibration.statistics import FloatArray, core_width, effective_number

HISTOGRAM_EDGES = np.linspace(-5.0, 5.0, 61)


@dataclass(frozen=True)
class PullSummary:
    """Pulls with one of the uncertainties; in brackets, what the standard normal gives.

    Attributes
    ----------
    mean, rms : float
        Mean (0) and √⟨t²⟩ (1); a few far outliers decide the second.
    core_width : float
        Half the width of the central 68.27 % (1).
    ks_distance : float
        Kolmogorov–Smirnov: largest difference of the cumulative distributions. Of n exactly normal pulls, 5 % of the
        samples are above 1.36/√n.
    coverage68, coverage95 : float
        Fraction with |t| < 1 (0.6827) and < 2 (0.9545).
    beyond_3, beyond_5 : float
        Fraction with |t| > 3 (2.7e-3) and > 5 (5.7e-7).
    density : list of float
        Normalised histogram, 60 bins from −5 to 5; what lies beyond is counted in the outermost.
    """

    mean: float
    rms: float
    core_width: float
    ks_distance: float
    coverage68: float
    coverage95: float
    beyond_3: float
    beyond_5: float
    density: list[float]


def summarise_pulls(t: FloatArray, weights: FloatArray | None = None) -> PullSummary:
    """Summarise pulls ``(n,)`` that count with weights ``(n,)``; all the same by default."""

    def fraction(which: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
        return float(np.average(which, weights=weights))

    size = np.abs(t)
    low, high = HISTOGRAM_EDGES[[0, -1]]
    density, _ = np.histogram(np.clip(t, low, high), HISTOGRAM_EDGES, weights=weights, density=True)
    return PullSummary(
        mean=float(np.average(t, weights=weights)),
        rms=float(np.sqrt(np.average(np.square(t), weights=weights))),
        core_width=core_width(t, weights),
        ks_distance=_distance_to_normal(t, weights),
        coverage68=fraction(size < 1.0),
        coverage95=fraction(size < 2.0),
        beyond_3=fraction(size > 3.0),
        beyond_5=fraction(size > 5.0),
        density=density.tolist(),
    )


def ks_limit(n: int, weights: FloatArray | None = None) -> float:
    """Distance that 5 % of the samples of n normal pulls exceed; approximate if they are weighted."""
    return float(1.358 / np.sqrt(effective_number(n, weights)))


def _distance_to_normal(t: FloatArray, weights: FloatArray | None) -> float:
    """Kolmogorov–Smirnov distance; a weighted pull makes a step of its share of the weight."""
    from scipy.special import ndtr

    order = np.argsort(t)
    steps = np.ones_like(t) if weights is None else weights[order]
    after = np.cumsum(steps) / steps.sum()
    before = np.concatenate([[0.0], after[:-1]])
    normal = ndtr(t[order])
    return float(max((after - normal).max(), (normal - before).max()))
