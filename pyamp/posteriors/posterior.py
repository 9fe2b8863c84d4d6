"""What every posterior of the weights offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from pyamp.configuration import StrictModel
from pyamp.likelihoods import Likelihood
from pyamp.networks import Network


@dataclass(frozen=True)
class Batch:
    """Points of one optimiser step.

    Attributes
    ----------
    features : torch.Tensor
        ``(n, n_features)``
    target : torch.Tensor
        ``(n,)``, standardised
    weight : torch.Tensor or None
        ``(n,)``: how much each point counts; None: all the same
    step : int
        Number of the step, which seeds whatever the posterior draws.
    """

    features: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor | None = None
    step: int = 0


class Posterior(torch.nn.Module, ABC):
    """Features ``(n, n_features)`` to the outputs of each member, ``(members, n, n_outputs)``.

    A prediction is the mean over members, σ_syst² the mean of their variances, σ_stat² the variance of their means
    (arXiv:2412.12069).
    """

    members: int

    @abstractmethod
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Outputs ``(members, n, n_outputs)``."""

    @property
    @abstractmethod
    def architecture(self) -> Network:
        """A network of the architecture that all members share."""

    @abstractmethod
    def header(self) -> dict[str, Any]:
        """The ``posterior`` entry of a model file."""

    @abstractmethod
    def tensors(self) -> dict[str, torch.Tensor]:
        """Weights by the names of the network; with a leading axis ``members`` where there are several."""

    @abstractmethod
    def load_tensors(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take the weights that :meth:`tensors` gave."""

    def loss(self, batch: Batch, likelihood: Likelihood) -> torch.Tensor:
        """What an optimiser step minimises, summed over members: they do not see each other.

        Per member it has the scale of the likelihood's loss of one point.
        """
        return self.members * mean_loss(likelihood, self(batch.features), batch)

    def validation_loss(self, batch: Batch, likelihood: Likelihood) -> torch.Tensor:
        """Mean loss of a point and member, without priors."""
        return mean_loss(likelihood, self(batch.features), batch)


def mean_loss(likelihood: Likelihood, outputs: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Weighted mean over points, and over members, of the loss of outputs ``(members, n, n_outputs)``."""
    loss = likelihood.loss(outputs, batch.target)
    return loss.mean() if batch.weight is None else (loss * batch.weight).mean()


class PosteriorConfig(StrictModel, ABC):
    """Options of a kind of posterior, which it builds."""

    @abstractmethod
    def build(self, make_network: Callable[[], Network], n_train: int, seed: int) -> Posterior:
        """A posterior of networks with fresh weights, for a training sample of ``n_train`` points."""
