"""Deep ensemble: networks that differ by their initial weights, trained together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from pydantic import Field

from pyamp.networks import Network
from pyamp.posteriors.posterior import Posterior, PosteriorConfig


class DeepEnsemble(Posterior):
    """K networks of one architecture, evaluated as one batched network.

    Parameters
    ----------
    networks : list of Network
        Members with their initial weights, all of the same architecture.
    """

    kind = "ensemble"

    def __init__(self, networks: list[Network]) -> None:
        super().__init__()
        self.members = len(networks)
        stacked, _ = torch.func.stack_module_state(networks)
        # A parameter's name cannot hold the dots of the network's.
        self.weights = torch.nn.ParameterDict({_key(name): value for name, value in stacked.items()})
        # In a tuple, so that its weights are not counted as those of the ensemble.
        self._architecture = (networks[0],)
        self._member: Callable[..., torch.Tensor] = torch.func.vmap(self._evaluate_member, in_dims=(0, None))

    def _evaluate_member(self, weights: dict[str, torch.Tensor], features: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = torch.func.functional_call(self.architecture, weights, (features,))
        return outputs

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self._member(self.tensors_by_reference(), features)

    @property
    def architecture(self) -> Network:
        return self._architecture[0]

    def header(self) -> dict[str, Any]:
        return {"type": self.kind, "members": self.members}

    def tensors_by_reference(self) -> dict[str, torch.Tensor]:
        """The parameters themselves, by the names of the network."""
        return {_name(key): value for key, value in self.weights.items()}

    def tensors(self) -> dict[str, torch.Tensor]:
        return {name: value.detach() for name, value in self.tensors_by_reference().items()}

    def load_tensors(self, tensors: dict[str, torch.Tensor]) -> None:
        self.weights.load_state_dict({_key(name): value for name, value in tensors.items()})


class EnsembleConfig(PosteriorConfig):
    """Deep ensemble: members that differ by their initial weights."""

    type: Literal["ensemble"] = "ensemble"
    members: int = Field(default=8, ge=2, description="networks, trained together")

    def build(self, make_network: Callable[[], Network], n_train: int, seed: int) -> DeepEnsemble:
        return DeepEnsemble([make_network() for _ in range(self.members)])


def _key(name: str) -> str:
    return name.replace(".", "/")


def _name(key: str) -> str:
    return key.replace("/", ".")
