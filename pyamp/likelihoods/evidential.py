"""Evidential regression: a normal-inverse-gamma distribution of the Gaussian's mean and width."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn.functional import softplus

from pyamp.likelihoods.likelihood import Components, Likelihood


class Evidential(Likelihood):
    """Outputs (γ, a, b, c) with ν = softplus(a), α = 1 + softplus(b), β = softplus(c) (arXiv:1910.02600).

    The marginal likelihood is a Student t with 2α degrees of freedom around γ, of scale² β(1+ν)/(να). The expected
    variance β/(α−1) is the systematic uncertainty, the variance of the mean β/(ν(α−1)) the statistical one. The
    regularisation ``λ |t − γ| (2ν + α)`` takes evidence away where the prediction is wrong.

    Parameters
    ----------
    regularisation : float
        λ.
    """

    n_outputs = 4

    def __init__(self, regularisation: float = 0.01) -> None:
        self.regularisation = regularisation

    def loss(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        gamma, nu, alpha, beta = self._parameters(outputs)
        omega = 2.0 * beta * (1.0 + nu)
        deviation = target - gamma
        negative_log = (
            0.5 * (math.log(math.pi) - nu.log())
            - alpha * omega.log()
            + (alpha + 0.5) * (deviation**2 * nu + omega).log()
            + torch.lgamma(alpha)
            - torch.lgamma(alpha + 0.5)
        )
        return negative_log + self.regularisation * deviation.abs() * (2.0 * nu + alpha)

    def components(self, outputs: torch.Tensor) -> Components:
        gamma, nu, alpha, beta = (parameter[..., None] for parameter in self._parameters(outputs))
        variance = beta / (alpha - 1.0)
        return Components(
            torch.ones_like(gamma), gamma, variance.clamp(max=1.0), (variance / nu).clamp(max=1.0)
        )

    def header(self) -> dict[str, Any]:
        return {"type": "evidential"}

    @staticmethod
    def _parameters(outputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        gamma, a, b, c = outputs.unbind(dim=-1)
        return gamma, softplus(a), 1.0 + softplus(b), softplus(c)
