"""Recalibration of the uncertainties: a map of the relative σ_tot, fitted on points that were held out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from pyamp.calibration.statistics import core_width, effective_number, pulls
from pyamp.errors import PyampError

FloatArray = NDArray[np.float64]

SCALE_POINTS = 100  # 10 % error of the scale
NODE_POINTS = 200  # 7 % error of a node, before pooling
MAXIMUM_NODES = 50
SMALLEST_STEP = 1e-6  # relative, between nodes


RecalibrationKind = Literal["scale", "isotonic"]


class Recalibration(ABC):
    """Multiplies both uncertainties by one number per point, so that pulls with σ_tot become normal."""

    @abstractmethod
    def ratio(self, relative_sigma: FloatArray) -> FloatArray:
        """Calibrated over predicted σ_tot ``(n,)`` at predicted σ_tot/|A| ``(n,)``."""

    @abstractmethod
    def header(self) -> dict[str, Any]:
        """The ``recalibration`` entry of a model file."""

    def __call__(
        self, amplitude: torch.Tensor, sigma_syst: torch.Tensor, sigma_stat: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Calibrated σ_syst and σ_stat ``(n,)``."""
        relative = torch.hypot(sigma_syst, sigma_stat) / amplitude.abs()
        ratio = torch.from_numpy(self.ratio(relative.cpu().numpy())).to(amplitude.device)
        return ratio * sigma_syst, ratio * sigma_stat


class Scale(Recalibration):
    """The same factor everywhere."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def ratio(self, relative_sigma: FloatArray) -> FloatArray:
        return np.full_like(relative_sigma, self.scale)

    def header(self) -> dict[str, Any]:
        return {"type": "scale", "scale": self.scale}


class Isotonic(Recalibration):
    """A monotonic function of the relative σ_tot, linear in logarithms between its nodes, of constant ratio beyond.

    Parameters
    ----------
    sigma, calibrated : list of float
        Nodes: predicted, rising, and calibrated, not falling.
    """

    def __init__(self, sigma: list[float], calibrated: list[float]) -> None:
        self.sigma = sigma
        self.calibrated = calibrated

    def ratio(self, relative_sigma: FloatArray) -> FloatArray:
        log_ratio = np.log(self.calibrated) - np.log(self.sigma)
        log_sigma = np.log(np.clip(relative_sigma, self.sigma[0], self.sigma[-1]))
        # ln of the calibrated σ is linear in ln σ, so ln of the ratio is too.
        return np.asarray(np.exp(np.interp(log_sigma, np.log(self.sigma), log_ratio)))

    def header(self) -> dict[str, Any]:
        return {"type": "isotonic", "sigma": self.sigma, "calibrated": self.calibrated}


def recalibration_from_header(header: dict[str, Any]) -> Recalibration:
    """Rebuild from the ``recalibration`` entry of a model file."""
    if header["type"] == "scale":
        return Scale(header["scale"])
    return Isotonic(header["sigma"], header["calibrated"])


def least_points(kind: RecalibrationKind) -> int:
    """Fewest points to which a correction can be fitted."""
    return SCALE_POINTS if kind == "scale" else 2 * NODE_POINTS


def fit_recalibration(
    kind: RecalibrationKind,
    amplitude: FloatArray,
    truth: FloatArray,
    sigma_syst: FloatArray,
    sigma_stat: FloatArray,
    weights: FloatArray | None = None,
) -> Recalibration:
    """Fit the correction of the uncertainties to points that were neither trained on nor are reported on later.

    ``scale`` is the factor that makes the central 68.27 % of the pulls with σ_tot as wide as for a standard normal.
    Their RMS would be the maximum-likelihood factor if they were normal; but pulls have tails, and a handful of points
    far out would then widen the σ of all others. Relative statistical error with n points: 0.96/√n.

    ``isotonic`` does that in quantiles of the relative σ_tot (200 points or more, at most 50 quantiles) and pools
    adjacent violators among the logarithms of the calibrated σ, so that the order of points by their uncertainty stays.
    Pooled are logarithms since their error depends on the number of points alone, not on σ. (Pooling squared deviations
    point by point is the maximum-likelihood estimate for normal pulls, and inherits the weakness of the RMS.)

    Parameters
    ----------
    kind : {"scale", "isotonic"}
    amplitude, truth, sigma_syst, sigma_stat : ndarray
        ``(n,)`` each, the same unit.
    weights : ndarray, optional
        ``(n,)``: how much a point counts; all the same by default.

    Returns
    -------
    Recalibration

    Raises
    ------
    PyampError
        Too few points; σ_tot that is not positive; deviations that are all 0; for ``isotonic``, a σ_tot/A that is the
        same everywhere.
    """
    sigma = np.hypot(sigma_syst, sigma_stat)
    if not (np.isfinite(sigma) & (sigma > 0) & np.isfinite(amplitude) & (amplitude != 0)).all():
        raise PyampError(
            "recalibration: amplitudes or σ_tot that are 0 or not finite; positive uncertainties expected, "
            "leave such points out"
        )
    least = least_points(kind)
    n_eff = effective_number(len(sigma), weights) if len(sigma) else 0.0
    if n_eff < least:
        raise PyampError(
            f"recalibration: {n_eff:.0f} (effective) points found, at least {least} expected for {kind}; "
            f"give more{'' if kind == 'scale' else ', or fit a scale'}"
        )
    t = pulls(amplitude, truth, sigma)
    if kind == "scale":
        return Scale(_width(t, weights))
    return _fit_isotonic(sigma / np.abs(amplitude), t, weights, min(MAXIMUM_NODES, int(n_eff) // NODE_POINTS))


def _fit_isotonic(
    relative_sigma: FloatArray, t: FloatArray, weights: FloatArray | None, n_bins: int
) -> Isotonic:
    """Core widths of the pulls in bins of the relative σ, made monotonic."""
    order = np.argsort(relative_sigma)
    starts = _bin_starts(relative_sigma[order], n_bins)
    if len(starts) < 2:
        raise PyampError(
            f"recalibration: σ_tot/A is {np.median(relative_sigma):.3g} nearly everywhere, different values expected "
            "for isotonic; fit a scale"
        )
    log_sigma, log_calibrated, precision = [], [], []
    for inside in np.split(order, starts[1:]):
        chosen = None if weights is None else weights[inside]
        centre = float(np.average(np.log(relative_sigma[inside]), weights=chosen))
        log_sigma.append(centre)
        log_calibrated.append(centre + np.log(_width(t[inside], chosen)))
        precision.append(effective_number(len(inside), chosen))
    return Isotonic(np.exp(log_sigma).tolist(), np.exp(_rising(log_calibrated, precision)).tolist())


def _bin_starts(rising: FloatArray, n_bins: int) -> list[int]:
    """Where bins of about the same number of sorted values begin; equal values share one."""
    n = len(rising)
    starts = [0]
    # A value that many points share, such as a σ at its upper limit, shifts the starts of bins.
    for start in np.searchsorted(rising, rising[np.arange(1, n_bins) * n // n_bins]):
        large_enough = min(start - starts[-1], n - start) >= NODE_POINTS // 2
        if large_enough and rising[start] > rising[starts[-1]] * (1 + SMALLEST_STEP):
            starts.append(int(start))
    return starts


def _width(t: FloatArray, weights: FloatArray | None) -> float:
    width = core_width(t, weights)
    if not width > 0:
        raise PyampError(
            "recalibration: two thirds of the deviations are the same, different ones expected; "
            "is the truth that of another surrogate?"
        )
    return width


def _rising(values: list[float], weights: list[float]) -> FloatArray:
    """The closest sequence that does not fall."""
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(values, weights=weights).x)
