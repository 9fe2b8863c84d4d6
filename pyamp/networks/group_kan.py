"""GroupKAN: linear layers with learnable rational activations that groups of units share."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field, model_validator

from pyamp.networks.activations import Widths
from pyamp.networks.network import Network, NetworkConfig
from pyamp.representations import Representation


@cache
def silu_coefficients(numerator: int, denominator: int) -> tuple[list[float], list[float]]:
    """Coefficients a_0 … a_P and b_1 … b_Q of the activation nearest to SiLU on [−4, 4].

    The denominator q is even in x, as it is for x(1 + tanh(x/2))/2 with a Padé approximant of tanh. The condition
    ``p(x) − silu(x) q(x) = 0`` is linear in the coefficients; divided by the q of the solution before, its least
    squares become those of p/q (iteration of Sanathanan and Koerner).

    Parameters
    ----------
    numerator, denominator : int
        Degrees P and Q.
    """
    x = np.linspace(-4.0, 4.0, 401)
    silu = x / (1.0 + np.exp(-x))
    even = list(range(2, denominator + 1, 2))
    columns = [x**p for p in range(numerator + 1)] + [-silu * x**q for q in even]
    matrix = np.stack(columns, axis=1)
    weight = np.ones_like(x)
    for _ in range(20):
        solution = np.linalg.lstsq(matrix * weight[:, None], silu * weight, rcond=None)[0]
        b = dict(zip(even, solution[numerator + 1 :], strict=True))
        weight = 1.0 / (1.0 + np.abs(sum(b[q] * x**q for q in even)))
    return solution[: numerator + 1].tolist(), [float(b.get(q, 0.0)) for q in range(1, denominator + 1)]


class Rational(torch.nn.Module):
    """``φ(x) = Σ_p a_p x^p / (1 + |Σ_q b_q x^q|)`` with coefficients of its own for each group of units.

    The denominator has no zero (arXiv:1907.06732). Unit i of n belongs to group ``i · groups // n``.

    Parameters
    ----------
    width : int
        Units n.
    groups : int
    numerator, denominator : int
        Degrees P and Q of the polynomials.
    """

    def __init__(self, width: int, groups: int, numerator: int, denominator: int) -> None:
        super().__init__()
        a, b = silu_coefficients(numerator, denominator)
        self.numerator = torch.nn.Parameter(torch.tensor(a).repeat(groups, 1))
        self.denominator = torch.nn.Parameter(torch.tensor(b).repeat(groups, 1))
        self._group = torch.arange(width) * groups // width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """φ of x ``(…, width)``."""
        group = self._group.to(x.device)
        a = self.numerator.index_select(0, group)
        b = self.denominator.index_select(0, group)
        return _horner(a, x) / (1.0 + (x * _horner(b, x)).abs())


def _horner(coefficients: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """``Σ_p c_p x^p`` for coefficients ``(width, degree + 1)``."""
    result = coefficients[:, -1].expand_as(x)
    for p in reversed(range(coefficients.shape[1] - 1)):
        result = torch.addcmul(coefficients[:, p], result, x)
    return result


class GroupKAN(Network):
    """Linear layers with learnable activations between them, shared in groups of units (arXiv:2409.10594, 2412.12069).

    Parameters
    ----------
    widths : list of int
        Features, hidden widths, outputs.
    groups : int
        Activations of each hidden layer.
    numerator, denominator : int
        Degrees of the rational activations.
    """

    def __init__(self, widths: list[int], groups: int, numerator: int, denominator: int) -> None:
        super().__init__()
        self.widths = widths
        self.groups = groups
        self.numerator = numerator
        self.denominator = denominator
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in pairwise(widths))
        self.activations = torch.nn.ModuleList(
            Rational(width, groups, numerator, denominator) for width in widths[1:-1]
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        x = features
        for layer, activation in zip(self.layers, self.activations, strict=False):
            x = activation(layer(x))
        outputs: torch.Tensor = self.layers[-1](x)
        return outputs

    def header(self) -> dict[str, Any]:
        return {
            "type": "group_kan",
            "widths": self.widths,
            "groups": self.groups,
            "numerator": self.numerator,
            "denominator": self.denominator,
        }


class GroupKANConfig(NetworkConfig):
    """Linear layers with learnable rational activations that groups of units share."""

    type: Literal["group_kan"] = "group_kan"
    hidden: Widths = Field(default=[64, 64, 64], description="hidden widths")
    groups: int = Field(default=8, ge=1, description="activations of each hidden layer")
    numerator: int = Field(default=5, ge=3, le=8, description="degree of the polynomial in the numerator")
    denominator: int = Field(default=4, ge=2, le=8, description="degree of the polynomial in the denominator")

    @model_validator(mode="after")
    def _consistent(self) -> GroupKANConfig:
        if self.groups > min(self.hidden):
            raise ValueError(
                f"groups is {self.groups} for hidden {self.hidden}; expected at most the smallest width"
            )
        if self.denominator > self.numerator:
            raise ValueError(
                f"denominator is {self.denominator} for numerator {self.numerator}; expected at most that degree, "
                "or activations fall to zero for large inputs"
            )
        return self

    def build(self, representation: Representation, n_outputs: int) -> GroupKAN:
        widths = [representation.n_features, *self.hidden, n_outputs]
        return GroupKAN(widths, self.groups, self.numerator, self.denominator)
