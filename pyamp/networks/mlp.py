"""Multilayer perceptron with a selectable activation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch.nn import functional

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gelu": functional.gelu,
    "leaky_relu": functional.leaky_relu,
    "relu": functional.relu,
    "silu": functional.silu,
    "softplus": functional.softplus,
    "tanh": torch.tanh,
}


class MLP(torch.nn.Module):
    """Linear layers with an activation between them and none after the last.

    Parameters
    ----------
    widths : list of int
        Features, hidden widths, outputs.
    activation : str
        A key of :data:`ACTIVATIONS`.
    """

    def __init__(self, widths: list[int], activation: str) -> None:
        super().__init__()
        self.widths = widths
        self.activation = activation
        self._activate = ACTIVATIONS[activation]
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in pairwise(widths))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features ``(n, n_features)`` to outputs ``(n, n_outputs)``."""
        x = features
        for index, layer in enumerate(self.layers):
            x = layer(x if index == 0 else self._activate(x))
        return x

    def header(self) -> dict[str, Any]:
        """The ``network`` entry of a model file."""
        return {"type": "mlp", "widths": self.widths, "activation": self.activation}
