"""Gaussian mixture: for errors with more than one scale."""

from __future__ import annotations

from typing import Any

import torch

from pyamp.likelihoods.likelihood import Components, Likelihood, cut_log_sigma


class GaussianMixture(Likelihood):
    """Outputs are K logits of the weights, K means and K ln σ (arXiv:2412.12069).

    Parameters
    ----------
    n_components : int
    """

    def __init__(self, n_components: int) -> None:
        self.n_components = n_components
        self.n_outputs = 3 * n_components

    def loss(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        logits, mean, log_sigma = self._split(outputs)
        log_weight = torch.log_softmax(logits, dim=-1)
        pull = (target[..., None] - mean) * torch.exp(-log_sigma)
        return -torch.logsumexp(log_weight - 0.5 * pull**2 - log_sigma, dim=-1)

    def components(self, outputs: torch.Tensor) -> Components:
        logits, mean, log_sigma = self._split(outputs)
        return Components(torch.softmax(logits, dim=-1), mean, torch.exp(log_sigma) ** 2)

    def header(self) -> dict[str, Any]:
        return {"type": "gaussian_mixture", "components": self.n_components}

    def _split(self, outputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        logits, mean, log_sigma = torch.split(outputs, self.n_components, dim=-1)
        return logits, mean, cut_log_sigma(log_sigma)
