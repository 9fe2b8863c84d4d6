"""Calibration in parts of phase space: a σ that is right on average may be wrong everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyamp.calibration.statistics import (
    CORE_WIDTH_ERROR,
    SIGMA_68,
    FloatArray,
    core_width,
    effective_number,
    weighted_quantile,
)

_POINTS_PER_BIN = 50
_SMALLEST_SPREAD = 1e-6


@dataclass(frozen=True)
class Reliability:
    """Pulls with σ_tot in bins of a variable that hold the same weight; lists of one number for each bin.

    Attributes
    ----------
    edges : list of float
        One more than there are bins.
    n_eff : list of float
        Effective number of points, (Σw)²/Σw².
    sigma : list of float
        Median of σ_tot/A_true.
    deviation : list of float
        68.27 % quantile of |Δ|; equal to σ if that is calibrated and the same in the whole bin.
    pull_mean, core_width, core_width_error : list of float
        Mean, half width of the central 68.27 % of the pulls, and its statistical error for normal pulls.
    coverage68, coverage95 : list of float
        Fraction of points within 1 and 2 σ.
    """

    edges: list[float]
    n_eff: list[float]
    sigma: list[float]
    deviation: list[float]
    pull_mean: list[float]
    core_width: list[float]
    core_width_error: list[float]
    coverage68: list[float]
    coverage95: list[float]


def reliability(
    variable: FloatArray,
    delta: FloatArray,
    relative_sigma: FloatArray,
    weights: FloatArray | None = None,
    n_bins: int = 10,
) -> Reliability | None:
    """Look at the pulls in quantiles of a variable.

    Parameters
    ----------
    variable : ndarray
        ``(n,)``, any unit.
    delta, relative_sigma : ndarray
        ``(n,)``: (A_surrogate − A_true)/A_true and σ_tot/A_true.
    weights : ndarray, optional
        ``(n,)``.
    n_bins : int
        At most; fewer if a bin would hold less than 50 points.

    Returns
    -------
    Reliability or None
        None for a variable that is the same everywhere, such as the mass of all legs at a fixed energy.
    """
    scale = np.abs(variable).max()
    if np.ptp(variable) <= _SMALLEST_SPREAD * scale:
        return None
    n_bins = max(1, min(n_bins, int(effective_number(len(variable), weights)) // _POINTS_PER_BIN))
    inner = weighted_quantile(variable, np.arange(1, n_bins) / n_bins, weights)
    edges = np.unique(np.concatenate([[variable.min()], inner, [variable.max()]]))
    bins = np.searchsorted(edges[1:-1], variable, side="right")
    occupied = np.bincount(bins, minlength=len(edges) - 1) > 0
    rows = [
        _row(delta[bins == k], relative_sigma[bins == k], None if weights is None else weights[bins == k])
        for k in np.flatnonzero(occupied)
    ]
    # Between heavy points quantiles can enclose nothing; such a bin goes to the one below it.
    edges = np.concatenate([edges[:-1][occupied], edges[-1:]])
    return Reliability(edges.tolist(), *(list(column) for column in zip(*rows, strict=True)))


def _row(delta: FloatArray, relative_sigma: FloatArray, weights: FloatArray | None) -> tuple[float, ...]:
    """The numbers of one bin, in the order of the attributes."""
    t = delta / relative_sigma
    n_eff = effective_number(len(t), weights)
    return (
        n_eff,
        float(weighted_quantile(relative_sigma, 0.5, weights)),
        float(weighted_quantile(np.abs(delta), SIGMA_68, weights)),
        float(np.average(t, weights=weights)),
        core_width(t, weights),
        CORE_WIDTH_ERROR / np.sqrt(n_eff),
        float(np.average(np.abs(t) < 1.0, weights=weights)),
        float(np.average(np.abs(t) < 2.0, weights=weights)),
    )
