"""What every posterior of the weights offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch

from pyamp.networks import MLP


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
    def architecture(self) -> MLP:
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
