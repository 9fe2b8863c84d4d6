"""Recalibration of the uncertainties: a map of the relative σ_tot, fitted on points that were held out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


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
