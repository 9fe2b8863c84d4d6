"""Linear maps of several networks of one shape, applied together."""

from __future__ import annotations

import math

import torch


class StackedLinear(torch.nn.Module):
    """``y_k = W_k x_k + b_k`` for k = 0 … count − 1, as one batched product.

    Parameters
    ----------
    count : int
        Number of maps.
    in_features, out_features : int
    """

    def __init__(self, count: int, in_features: int, out_features: int) -> None:
        super().__init__()
        # Each map starts as a torch.nn.Linear of its size does.
        bound = 1.0 / math.sqrt(in_features)
        self.weight = torch.nn.Parameter(
            torch.empty(count, out_features, in_features).uniform_(-bound, bound)
        )
        self.bias = torch.nn.Parameter(torch.empty(count, out_features).uniform_(-bound, bound))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(count, n, out_features)`` of ``(count, n, in_features)``, or of one ``(n, in_features)`` for all."""
        return x @ self.weight.transpose(-2, -1) + self.bias.unsqueeze(-2)
