"""Multilayer perceptron with a selectable activation."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import torch
from pydantic import Field

from pyamp.networks.activations import ACTIVATIONS, ActivationName, Widths
from pyamp.networks.network import Network, NetworkConfig
from pyamp.representations import Representation


class MLP(Network):
    """Linear layers with an activation between them and none after the last.

    Parameters
    ----------
    widths : list of int
        Features, hidden widths, outputs.
    activation : str
        A key of :data:`ACTIVATIONS`.
    residual : bool
        Hidden layers as wide as the one before add to it.
    """

    def __init__(self, widths: list[int], activation: str, residual: bool = False) -> None:
        super().__init__()
        self.widths = widths
        self.activation = activation
        self.residual = residual
        self._activate = ACTIVATIONS[activation]
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in pairwise(widths))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        x = self._activate(self.layers[0](features)) if len(self.layers) > 1 else features
        for layer in self.layers[1:-1]:
            y = self._activate(layer(x))
            x = x + y if self.residual and x.shape == y.shape else y
        outputs: torch.Tensor = self.layers[-1](x)
        return outputs

    def header(self) -> dict[str, Any]:
        header = {"type": "mlp", "widths": self.widths, "activation": self.activation}
        return header | ({"residual": True} if self.residual else {})


class MLPConfig(NetworkConfig):
    """Multilayer perceptron."""

    type: Literal["mlp"] = "mlp"
    hidden: Widths = Field(default=[128, 128, 128], description="hidden widths")
    activation: ActivationName = "gelu"
    residual: bool = Field(default=False, description="hidden layers of equal width add to the one before")

    def build(self, representation: Representation, n_outputs: int) -> MLP:
        return MLP([representation.n_features, *self.hidden, n_outputs], self.activation, self.residual)
