"""Multilayer perceptron with a selectable activation."""

from __future__ import annotations

import math
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
        x = self._activate(_unrounded(self.layers[0], features)) if len(self.layers) > 1 else features
        for layer in self.layers[1:-1]:
            y = self._activate(layer(x))
            x = x + y if self.residual and x.shape == y.shape else y
        return _unrounded(self.layers[-1], x)

    def header(self) -> dict[str, Any]:
        header = {"type": "mlp", "widths": self.widths, "activation": self.activation}
        return header | ({"residual": True} if self.residual else {})


def _unrounded(layer: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    """A layer in the arithmetic of its weights, under autocast too: features and outputs need more than 8 bits."""
    outputs: torch.Tensor
    if torch.is_autocast_enabled(x.device.type):
        with torch.autocast(x.device.type, enabled=False):
            outputs = layer(x.to(next(layer.parameters()).dtype))
    else:
        outputs = layer(x)
    return outputs


# About 1/√E[f(z)²] for z ~ N(0, 1), which keeps the variance from layer to layer; less where the activation saturates.
GAINS = {
    "gelu": 1.5,
    "leaky_relu": math.sqrt(2.0),
    "relu": math.sqrt(2.0),
    "silu": 1.6,
    "sine": 1.2,
    "softplus": 1.0,
    "tanh": 1.0,
}


def preserve_variance(network: MLP) -> None:
    """Set weights ~ N(0, gain²/n_inputs) and biases ~ N(0, 1/4), the last layer N(0, 1/n_inputs) and 0.

    Layers then start rich in different functions of the features, which natural gradients build on; Torch's own start
    is nearly linear.
    """
    gain = GAINS[network.activation]
    *hidden, last = (layer for layer in network.layers if isinstance(layer, torch.nn.Linear))
    for layer in hidden:
        torch.nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.in_features))
        torch.nn.init.normal_(layer.bias, std=0.5)
    torch.nn.init.normal_(last.weight, std=1.0 / math.sqrt(last.in_features))
    torch.nn.init.zeros_(last.bias)


class MLPConfig(NetworkConfig):
    """Multilayer perceptron."""

    type: Literal["mlp"] = "mlp"
    hidden: Widths = Field(default=[128, 128, 128], description="hidden widths")
    activation: ActivationName = "gelu"
    residual: bool = Field(default=False, description="hidden layers of equal width add to the one before")

    initialisation: Literal["torch", "variance_preserving"] = Field(
        default="torch", description="variance_preserving: the start that optimizer natural_gradient needs"
    )

    def build(self, representation: Representation, n_outputs: int) -> MLP:
        network = MLP([representation.n_features, *self.hidden, n_outputs], self.activation, self.residual)
        if self.initialisation == "variance_preserving":
            preserve_variance(network)
        return network
