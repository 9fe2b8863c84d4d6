"""Preprocessed points, and what a posterior says about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from pyamp.likelihoods import Likelihood
from pyamp.posteriors import Batch, Posterior

CHUNK = 8192


@dataclass(frozen=True)
class Sample:
    """Standardised features ``(n, n_features)``, targets ``(n,)`` and weights ``(n,)`` or None."""

    features: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor | None = None

    def to(self, dtype: torch.dtype, device: str) -> Sample:
        weight = None if self.weight is None else self.weight.to(device, dtype)
        return Sample(self.features.to(device, dtype), self.target.to(device, dtype), weight)

    def batch(self, indices: torch.Tensor, step: int) -> Batch:
        """The points at ``indices``."""
        weight = None if self.weight is None else self.weight[indices]
        return Batch(self.features[indices], self.target[indices], weight, step)

    def chunks(self) -> Iterator[Batch]:
        """All points, in batches that bound the memory of an evaluation."""
        for begin in range(0, len(self.target), CHUNK):
            part = slice(begin, begin + CHUNK)
            weight = None if self.weight is None else self.weight[part]
            yield Batch(self.features[part], self.target[part], weight)


def predicted(
    posterior: Posterior, likelihood: Likelihood, features: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and σ_tot ``(n,)`` of the standardised target, float64, on the CPU."""
    parameter = next(posterior.parameters())
    means, sigmas = [], []
    with torch.no_grad():
        for chunk in torch.split(features, CHUNK):
            outputs = posterior(chunk.to(parameter.device, parameter.dtype)).double().cpu()
            mean, variance = likelihood.components(outputs).moments()
            means.append(mean.mean(dim=0))
            sigmas.append((variance.mean(dim=0) + mean.var(dim=0, correction=0)).sqrt())
    return torch.cat(means), torch.cat(sigmas)
