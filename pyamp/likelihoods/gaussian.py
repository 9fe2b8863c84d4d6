"""Gaussian with a learned width."""

from __future__ import annotations

from typing import Any

import torch

from pyamp.likelihoods.likelihood import Components, Likelihood, cut_log_sigma


class HeteroskedasticGaussian(Likelihood):
    """Outputs are the mean μ and ln σ of the target.

    The loss is ``(t − μ)²/(2σ²) + ln σ`` per point (arXiv:2206.14831, without the constant).
    """

    n_outputs = 2

    def loss(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        mean, log_sigma = outputs[..., 0], cut_log_sigma(outputs[..., 1])
        return 0.5 * ((target - mean) * torch.exp(-log_sigma)) ** 2 + log_sigma

    def curvature(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        of_mean = torch.exp(-2.0 * outputs[..., 1].clamp(max=0.0))
        pull_squared = (target - outputs[..., 0]) ** 2 * of_mean
        # The Fisher information of ln σ is 2; the loss of a point far off is steeper, and its step must stay bounded.
        return torch.stack([of_mean, 2.0 * pull_squared.clamp(min=1.0)], dim=-1)

    def components(self, outputs: torch.Tensor) -> Components:
        mean = outputs[..., :1]
        variance = torch.exp(outputs[..., 1:].clamp(max=0.0)) ** 2
        return Components(torch.ones_like(mean), mean, variance)

    def header(self) -> dict[str, Any]:
        return {"type": "heteroskedastic_gaussian"}
