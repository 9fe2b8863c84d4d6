"""Deep sets of invariants: symmetric under the exchange of identical legs by construction."""

from __future__ import annotations

from typing import Any, Literal

import torch
from pydantic import Field

from pyamp.errors import PyampError
from pyamp.networks.activations import ACTIVATIONS, ActivationName, Widths
from pyamp.networks.mlp import MLP
from pyamp.networks.network import Network, NetworkConfig
from pyamp.representations import LogInvariants, Representation


class DSI(Network):
    """Sums over identical legs of embeddings of their invariants (arXiv:1703.06114, 2412.12069).

    With c(i) the class of leg i, x_ij the feature of a pair of legs and ⊕ concatenation,
    ``h_i = ⊕_d Σ_{j ∈ d} φ_{c(i) d}(x_ij)``, ``g_c = Σ_{i ∈ c} ψ_c(h_i)``, and the outputs are ``ρ(⊕_c g_c)``. φ and ψ
    end with an activation, ρ does not. The pair of the beams, whose invariant is the unit, is left out.

    Parameters
    ----------
    classes : list of int
        Class of each leg; legs of one class are identical.
    pair_widths, particle_widths : list of int
        Of φ and ψ, without their inputs.
    widths : list of int
        Of ρ, without its inputs; the last is the number of outputs.
    activation : str
        A key of :data:`ACTIVATIONS`.
    """

    def __init__(
        self,
        classes: list[int],
        pair_widths: list[int],
        particle_widths: list[int],
        widths: list[int],
        activation: str,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.pair_widths = pair_widths
        self.particle_widths = particle_widths
        self.widths = widths
        self.activation = activation
        self._activate = ACTIVATIONS[activation]
        # By class c and partner class d: the features (legs of c, partners in d).
        self._features = _pair_features(classes)
        self.pair = torch.nn.ModuleDict(
            {
                f"{c}_{d}": MLP([1, *pair_widths], activation)
                for c, partners in self._features.items()
                for d in partners
            }
        )
        self.particle = torch.nn.ModuleDict(
            {
                str(c): MLP([len(partners) * pair_widths[-1], *particle_widths], activation)
                for c, partners in self._features.items()
            }
        )
        self.head = MLP([len(self._features) * particle_widths[-1], *widths], activation)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        sums = []
        for c, partners in self._features.items():
            embedded = []
            for d, indices in partners.items():
                pairs = features[:, indices.to(features.device)].unsqueeze(-1)
                embedded.append(self._activate(self.pair[f"{c}_{d}"](pairs)).sum(dim=-2))
            particles = self._activate(self.particle[str(c)](torch.cat(embedded, dim=-1)))
            sums.append(particles.sum(dim=-2))
        outputs: torch.Tensor = self.head(torch.cat(sums, dim=-1))
        return outputs

    def header(self) -> dict[str, Any]:
        return {
            "type": "dsi",
            "classes": self.classes,
            "pair_widths": self.pair_widths,
            "particle_widths": self.particle_widths,
            "widths": self.widths,
            "activation": self.activation,
        }


def _pair_features(classes: list[int]) -> dict[int, dict[int, torch.Tensor]]:
    """Positions of the features x_ij ``(legs of c, partners in d)`` by class c of i and class d of j, both sorted."""
    n_legs = len(classes)
    pairs = [(i, j) for i in range(n_legs) for j in range(i + 1, n_legs) if (i, j) != (0, 1)]
    position = {pair: index for index, (i, j) in enumerate(pairs) for pair in ((i, j), (j, i))}
    result: dict[int, dict[int, torch.Tensor]] = {}
    for c in sorted(set(classes)):
        for d in sorted(set(classes)):
            rows = [
                [position[i, j] for j in range(n_legs) if classes[j] == d and (i, j) in position]
                for i in range(n_legs)
                if classes[i] == c
            ]
            if rows[0]:
                result.setdefault(c, {})[d] = torch.tensor(rows)
    return result


class DSIConfig(NetworkConfig):
    """Deep sets of invariants, symmetric in identical legs; needs the representation deep_sets_invariants."""

    type: Literal["dsi"] = "dsi"
    pair: Widths = Field(default=[32, 32], description="widths of the embedding of a pair's invariant")
    particle: Widths = Field(default=[64, 64], description="widths of the embedding of a leg's pairs")
    hidden: Widths = Field(default=[64, 64], description="hidden widths of the network of the summed legs")
    activation: ActivationName = "gelu"

    def build(self, representation: Representation, n_outputs: int) -> DSI:
        if not isinstance(representation, LogInvariants) or representation.classes is None:
            raise PyampError(
                f"network dsi: representation {representation.kind} found, invariants of unordered legs with one "
                "standardisation for identical ones expected; set type: deep_sets_invariants in the representation"
            )
        return DSI(
            representation.classes, self.pair, self.particle, [*self.hidden, n_outputs], self.activation
        )
