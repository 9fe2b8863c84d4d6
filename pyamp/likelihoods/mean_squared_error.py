"""Mean squared error: a Gaussian of one width for all points."""

from __future__ import annotations

from typing import Any

import torch

from pyamp.likelihoods.likelihood import Components, Likelihood


class MeanSquaredError(Likelihood):
    """The output is the mean of the target; the width is the RMS of the residuals on held-out points.

    Parameters
    ----------
    sigma : float
        Width in units of the standardised target; :meth:`fit` sets it.
    """

    n_outputs = 1

    def __init__(self, sigma: float = 1.0) -> None:
        self.sigma = sigma

    def loss(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (target - outputs[..., 0]) ** 2

    def curvature(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return torch.full_like(outputs, 2.0)

    def components(self, outputs: torch.Tensor) -> Components:
        one = torch.ones_like(outputs)
        return Components(one, outputs, one * self.sigma**2)

    def header(self) -> dict[str, Any]:
        return {"type": "mse", "sigma": self.sigma}

    def fit(self, outputs: torch.Tensor, target: torch.Tensor) -> None:
        residual = target.double() - outputs[..., 0].double()
        tiny = 1e-12  # a network that is exact on all points still has a width
        self.sigma = float(residual.square().mean().sqrt().clamp(min=tiny, max=1.0))
