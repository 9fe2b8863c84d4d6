"""One network: a point estimate of the weights, without statistical uncertainty."""

from __future__ import annotations

from typing import Any

import torch

from pyamp.networks import MLP
from pyamp.posteriors.posterior import Posterior


class Deterministic(Posterior):
    """A single network."""

    members = 1

    def __init__(self, network: MLP) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.network(features)[None]
        return outputs

    @property
    def architecture(self) -> MLP:
        return self.network

    def header(self) -> dict[str, Any]:
        return {"type": "deterministic"}

    def tensors(self) -> dict[str, torch.Tensor]:
        return dict(self.network.state_dict())

    def load_tensors(self, tensors: dict[str, torch.Tensor]) -> None:
        self.network.load_state_dict(tensors)
