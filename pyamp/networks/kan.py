"""Kolmogorov–Arnold network: a learnable function on every edge."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import torch
from pydantic import Field
from torch.nn.functional import silu

from pyamp.networks.activations import Widths
from pyamp.networks.network import Network, NetworkConfig
from pyamp.representations import Representation


def b_splines(u: torch.Tensor, intervals: int, order: int, limit: float) -> torch.Tensor:
    """Values ``(…, intervals + order)`` of the uniform B-splines on [−limit, limit] at u, by Cox and de Boor."""
    step = 2.0 * limit / intervals
    position = (u + limit) / step  # in units of intervals
    knots = torch.arange(-order, intervals + order + 1, dtype=u.dtype, device=u.device)
    distance = position[..., None] - knots
    basis = ((distance[..., :-1] >= 0) & (distance[..., 1:] < 0)).to(u.dtype)
    for k in range(1, order + 1):
        rising = distance[..., : -(k + 1)] / k
        falling = -distance[..., k + 1 :] / k
        basis = rising * basis[..., :-1] + falling * basis[..., 1:]
    return basis


class KAN(Network):
    """Layers ``y_o = b_o + Σ_i [ w_oi silu(x_i) + Σ_j c_oij B_j(R tanh(x_i/R)) ]`` (arXiv:2404.19756, 2412.12069).

    The squashing keeps every input on the grid. All coefficients of a layer form one linear map of the expanded inputs.

    Parameters
    ----------
    widths : list of int
        Features, hidden widths, outputs.
    intervals, order : int
        Of the B-splines: grid intervals and degree.
    range : float
        R; the grid covers [−R, R].
    """

    def __init__(self, widths: list[int], intervals: int, order: int, range: float) -> None:
        super().__init__()
        self.widths = widths
        self.intervals = intervals
        self.order = order
        self.range = range
        self.layers = torch.nn.ModuleList(
            torch.nn.Linear(a * (1 + intervals + order), b) for a, b in pairwise(widths)
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        x = features
        for layer in self.layers:
            u = self.range * torch.tanh(x / self.range)
            basis = b_splines(u, self.intervals, self.order, self.range)
            x = layer(torch.cat([silu(x), basis.flatten(start_dim=-2)], dim=-1))
        return x

    def header(self) -> dict[str, Any]:
        return {
            "type": "kan",
            "widths": self.widths,
            "intervals": self.intervals,
            "order": self.order,
            "range": self.range,
        }


class KANConfig(NetworkConfig):
    """Kolmogorov–Arnold network with B-splines on its edges."""

    type: Literal["kan"] = "kan"
    hidden: Widths = Field(default=[32, 32], description="hidden widths")
    intervals: int = Field(default=8, ge=1, description="grid intervals of the splines")
    order: int = Field(default=3, ge=1, le=5, description="degree of the splines")
    range: float = Field(default=3.0, gt=0, description="half the width of the grid")

    def build(self, representation: Representation, n_outputs: int) -> KAN:
        return KAN(
            [representation.n_features, *self.hidden, n_outputs], self.intervals, self.order, self.range
        )
