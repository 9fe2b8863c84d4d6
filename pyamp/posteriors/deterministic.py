"""One network: a point estimate of the weights, without statistical uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch

from pyamp.networks import Network
from pyamp.posteriors.posterior import Posterior, PosteriorConfig


class Deterministic(Posterior):
    """A single network."""

    members = 1

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.network(features)[None]
        return outputs

    @property
    def architecture(self) -> Network:
        return self.network

    def header(self) -> dict[str, Any]:
        return {"type": "deterministic"}

    def tensors(self) -> dict[str, torch.Tensor]:
        return {name: value.detach() for name, value in self.network.named_parameters()}

    def load_tensors(self, tensors: dict[str, torch.Tensor]) -> None:
        self.network.load_state_dict(tensors)


class DeterministicConfig(PosteriorConfig):
    """One network."""

    type: Literal["deterministic"] = "deterministic"

    def build(self, make_network: Callable[[], Network], n_train: int, seed: int) -> Deterministic:
        return Deterministic(make_network())
