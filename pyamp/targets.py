"""Targets: the function of the amplitude that a network predicts, standardised, and the way back.

With r = A/factor, the target is t = (g(r) − mean)/std. A Gaussian for t gives the mean and deviation of A exactly.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import torch

from pyamp.configuration import StrictModel


class Target(torch.nn.Module, ABC):
    """Transformation of the amplitude, standardised."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros((), dtype=torch.float64))
        self.register_buffer("std", torch.ones((), dtype=torch.float64))

    @abstractmethod
    def transform(self, amplitude: torch.Tensor, log_factor: torch.Tensor) -> torch.Tensor:
        """g(A/factor) ``(n,)`` of amplitudes ``(n,)``."""

    @abstractmethod
    def moments(
        self, mean: torch.Tensor, variance: torch.Tensor, log_factor: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of the amplitude for t ~ N(mean, variance).

        Parameters
        ----------
        mean, variance : torch.Tensor
            Of the standardised target, of one shape.
        log_factor : torch.Tensor
            ln of the factor, broadcastable to that shape.

        Returns
        -------
        tuple of torch.Tensor
            In the unit of the factor.
        """

    @abstractmethod
    def sigma_around(
        self, amplitude: torch.Tensor, variance: torch.Tensor, log_factor: torch.Tensor
    ) -> torch.Tensor:
        """Standard deviation of an amplitude of known mean for a target of known variance, all ``(n,)``."""

    @abstractmethod
    def header(self) -> dict[str, Any]:
        """The ``target`` entry of a model file."""

    def fit(self, amplitude: torch.Tensor, log_factor: torch.Tensor) -> None:
        """Set the constants from training amplitudes ``(n,)``."""
        transformed = self.transform(amplitude, log_factor)
        self.mean.copy_(transformed.mean())
        self.std.copy_(transformed.std())

    def forward(self, amplitude: torch.Tensor, log_factor: torch.Tensor) -> torch.Tensor:
        """Standardised targets ``(n,)``, float64."""
        result: torch.Tensor = (self.transform(amplitude, log_factor) - self.mean) / self.std
        return result

    def _standardisation(self) -> dict[str, Any]:
        return {"mean": float(self.mean), "std": float(self.std)}


class Log(Target):
    """t ∝ ln r: relative precision everywhere.

    A is log-normal, ``⟨A⟩ = exp(m + s²/2)``, σ_A = ``⟨A⟩ √(exp(s²) − 1)``.
    """

    def transform(self, amplitude: torch.Tensor, log_factor: torch.Tensor) -> torch.Tensor:
        return amplitude.log() - log_factor

    def moments(
        self, mean: torch.Tensor, variance: torch.Tensor, log_factor: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        log_variance = self.std**2 * variance
        amplitude = torch.exp(log_factor + self.mean + self.std * mean + 0.5 * log_variance)
        return amplitude, amplitude * torch.sqrt(torch.expm1(log_variance))

    def sigma_around(
        self, amplitude: torch.Tensor, variance: torch.Tensor, log_factor: torch.Tensor
    ) -> torch.Tensor:
        return amplitude * torch.sqrt(torch.expm1(self.std**2 * variance))

    def header(self) -> dict[str, Any]:
        return {"type": "log", **self._standardisation()}


class Log1p(Target):
    """t ∝ ln(1 + r/σ_r), with σ_r the standard deviation of r (arXiv:2206.14831).

    Relative precision of large amplitudes, absolute precision of small ones.
    """

    scale: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones((), dtype=torch.float64))

    def fit(self, amplitude: torch.Tensor, log_factor: torch.Tensor) -> None:
        self.scale.copy_((amplitude / log_factor.exp()).std())
        super().fit(amplitude, log_factor)

    def transform(self, amplitude: torch.Tensor, log_factor: torch.Tensor) -> torch.Tensor:
        return torch.log1p(amplitude / (self.scale * log_factor.exp()))

    def moments(
        self, mean: torch.Tensor, variance: torch.Tensor, log_factor: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        log_variance = self.std**2 * variance
        exponent = self.mean + self.std * mean + 0.5 * log_variance
        unit = self.scale * log_factor.exp()
        sigma = unit * torch.exp(exponent) * torch.sqrt(torch.expm1(log_variance))
        return unit * torch.expm1(exponent), sigma

    def sigma_around(
        self, amplitude: torch.Tensor, variance: torch.Tensor, log_factor: torch.Tensor
    ) -> torch.Tensor:
        exponential = amplitude + self.scale * log_factor.exp()
        return exponential * torch.sqrt(torch.expm1(self.std**2 * variance))

    def header(self) -> dict[str, Any]:
        return {"type": "log1p", "scale": float(self.scale), **self._standardisation()}


class Linear(Target):
    """t ∝ r: absolute precision; the amplitude of a network may be negative."""

    def transform(self, amplitude: torch.Tensor, log_factor: torch.Tensor) -> torch.Tensor:
        return amplitude / log_factor.exp()

    def moments(
        self, mean: torch.Tensor, variance: torch.Tensor, log_factor: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        unit = log_factor.exp()
        amplitude = unit * (self.mean + self.std * mean)
        return amplitude, (unit * self.std * variance.sqrt()).expand_as(amplitude)

    def sigma_around(
        self, amplitude: torch.Tensor, variance: torch.Tensor, log_factor: torch.Tensor
    ) -> torch.Tensor:
        return log_factor.exp() * self.std * variance.sqrt()

    def header(self) -> dict[str, Any]:
        return {"type": "linear", **self._standardisation()}


class TargetConfig(StrictModel):
    """``log``: ln A; ``log1p``: ln(1 + A/σ_A); ``linear``: A itself; each without its factor, and standardised."""

    type: Literal["log", "log1p", "linear"] = "log"

    def build(self) -> Target:
        match self.type:
            case "log":
                return Log()
            case "log1p":
                return Log1p()
            case "linear":
                return Linear()


def target_from_header(header: dict[str, Any]) -> Target:
    """Rebuild from the ``target`` entry of a model file."""
    target = TargetConfig(type=header["type"]).build()
    for name in header.keys() - {"type"}:
        getattr(target, name).fill_(header[name])
    return target
