"""FKS-partitioned network: one sub-network for the finite region, one for each singular pair of legs elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any, Literal

import torch
from pydantic import Field

from pyamp.errors import PyampError
from pyamp.kinematics import pair_index
from pyamp.networks.activations import ACTIVATIONS, ActivationName, Widths
from pyamp.networks.network import Network, NetworkConfig
from pyamp.networks.stacked_linear import StackedLinear
from pyamp.representations import LogInvariants, Representation
from pyamp.targets import Log, Target

GLUON, PHOTON = 21, 22
QUARKS = range(1, 6)
CHARGED_FERMIONS = (*QUARKS, 11, 13, 15)


class FKS(Network):
    """``A = Σ_k S_k A_k`` where a pair of legs is soft or collinear, one network elsewhere.

    After arXiv:2002.07516 and 2106.09474, with the sub-networks trained together on the amplitude they add up to.

    With y_ij = |s_ij|/s_01, points whose smallest y over the pairs reaches ``y_cut`` form the finite region, of
    sub-network 0. Elsewhere sub-network 1 + k predicts A_k, weighted with ``S_k = (1/s_k)/Σ_l (1/s_l)``, which leaves
    each of them one singular pair. All outputs are (μ, ln σ) of the standardised logarithm of the amplitude: that of
    the sum is ``μ = ln(Σ_k S_k exp(d μ_k))/d`` with the target's scale d, and σ follows by linear propagation of
    independent errors.

    Parameters
    ----------
    pairs : list of (int, int)
        Singular pairs of legs.
    y_cut : float
    widths : list of int
        Features, hidden widths, outputs (2) of each sub-network.
    activation : str
        A key of :data:`ACTIVATIONS`.
    mean, std : list of float
        Standardisation of the features, which are ln y of all pairs of legs but the beams.
    target_std : float
        d.
    """

    def __init__(
        self,
        pairs: list[tuple[int, int]],
        y_cut: float,
        widths: list[int],
        activation: str,
        mean: list[float],
        std: list[float],
        target_std: float,
    ) -> None:
        super().__init__()
        self.pairs = [(i, j) for i, j in pairs]
        self.y_cut = y_cut
        self.widths = widths
        self.activation = activation
        self._activate = ACTIVATIONS[activation]
        self.layers = torch.nn.ModuleList(StackedLinear(1 + len(pairs), a, b) for a, b in pairwise(widths))
        n_legs = round((1.0 + math.sqrt(9.0 + 8.0 * widths[0])) / 2.0)  # n (n − 1)/2 − 1 features
        self._positions = torch.tensor([pair_index(i, j, n_legs) - 1 for i, j in self.pairs])
        self._set_constants(mean, std, target_std)

    def fit(self, representation: Representation, target: Target) -> None:
        if not isinstance(target, Log):
            raise PyampError(
                f"network fks: target {target.header()['type']} found, log expected: its sub-networks are amplitudes "
                "that are summed; set type: log in the target"
            )
        self._set_constants(representation.mean.tolist(), representation.std.tolist(), float(target.std))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        log_y = self._log_y(features)
        x = features
        for layer in self.layers[:-1]:
            x = self._activate(layer(x))
        outputs: torch.Tensor = self.layers[-1](x)
        finite, divergent = outputs[0], self._sum(outputs[1:], torch.log_softmax(-log_y, dim=-1))
        is_finite = log_y.amin(dim=-1, keepdim=True) >= math.log(self.y_cut)
        return torch.where(is_finite, finite, divergent)

    def partition(self, features: torch.Tensor) -> torch.Tensor:
        """S_k ``(n, pairs)`` of features ``(n, n_features)``; they add up to 1."""
        return torch.softmax(-self._log_y(features), dim=-1)

    def header(self) -> dict[str, Any]:
        return {
            "type": "fks",
            "pairs": [list(pair) for pair in self.pairs],
            "y_cut": self.y_cut,
            "widths": self.widths,
            "activation": self.activation,
            "mean": self._mean.tolist(),
            "std": self._std.tolist(),
            "target_std": self._target_std,
        }

    def _set_constants(self, mean: list[float], std: list[float], target_std: float) -> None:
        # No buffers: they would follow the arithmetic of the weights and lose digits on the way.
        self._mean = torch.tensor(mean, dtype=torch.float64)
        self._std = torch.tensor(std, dtype=torch.float64)
        self._target_std = target_std

    def _log_y(self, features: torch.Tensor) -> torch.Tensor:
        """ln y ``(n, pairs)`` of the singular pairs."""
        mean, std = (c[self._positions].to(features) for c in (self._mean, self._std))
        return features[:, self._positions.to(features.device)] * std + mean

    def _sum(self, outputs: torch.Tensor, log_partition: torch.Tensor) -> torch.Tensor:
        """(μ, ln σ) ``(n, 2)`` of the sum of parts ``(pairs, n, 2)`` weighted with S ``(n, pairs)``."""
        d = self._target_std
        log_part = log_partition.T + d * outputs[..., 0]
        log_sum = torch.logsumexp(log_part, dim=0)
        log_sigma = 0.5 * torch.logsumexp(2.0 * (log_part + outputs[..., 1]), dim=0) - log_sum
        return torch.stack([log_sum / d, log_sigma], dim=-1)


def singular_pairs(pdg_ids: Sequence[int], n_incoming: int) -> list[tuple[int, int]]:
    """Pairs of legs, not both incoming, in whose collinear limit a massless amplitude of QCD and QED diverges.

    They are those that a vertex joins, with incoming legs crossed: gluons with gluons and quarks, photons with charged
    fermions, fermions with their antifermions. Soft limits are among them.
    """
    outgoing = [-p if leg < n_incoming and abs(p) < GLUON else p for leg, p in enumerate(pdg_ids)]

    def joined(a: int, b: int) -> bool:
        a, b = sorted((a, b), key=abs)
        if b == GLUON:
            return a == GLUON or abs(a) in QUARKS
        if b == PHOTON:
            return abs(a) in CHARGED_FERMIONS
        return a == -b and abs(a) in CHARGED_FERMIONS

    legs = range(len(outgoing))
    return [(i, j) for i, j in combinations(legs, 2) if j >= n_incoming and joined(outgoing[i], outgoing[j])]


class FKSConfig(NetworkConfig):
    """FKS-partitioned sub-networks; needs log_invariants, target log and likelihood heteroskedastic_gaussian."""

    type: Literal["fks"] = "fks"
    hidden: Widths = Field(default=[64, 64], description="hidden widths of each sub-network")
    activation: ActivationName = "gelu"
    y_cut: float = Field(default=0.02, gt=0, lt=1, description="|s_ij|/s above which no pair is singular")
    pairs: list[tuple[int, int]] | None = Field(
        default=None, description="singular pairs of legs; default: those of massless QCD and QED"
    )

    def build(self, representation: Representation, n_outputs: int) -> FKS:
        if (
            not isinstance(representation, LogInvariants)
            or representation.ordering
            or representation.conjugation
            or representation.n_features != len(representation.pairs)
        ):
            raise PyampError(
                f"network fks: representation {representation.kind} found, the log-invariants of unordered legs and "
                "nothing else expected; set type: log_invariants in the representation, without linear, energy, "
                "multiparticle, conjugation and resonances"
            )
        if n_outputs != 2:
            raise PyampError(
                f"network fks: a likelihood of {n_outputs} outputs found, heteroskedastic_gaussian expected; "
                "set type: heteroskedastic_gaussian in the likelihood"
            )
        n = representation.n_features
        widths = [n, *self.hidden, n_outputs]
        pairs = self._pairs(representation)
        return FKS(pairs, self.y_cut, widths, self.activation, [0.0] * n, [1.0] * n, 1.0)

    def _pairs(self, representation: LogInvariants) -> list[tuple[int, int]]:
        if self.pairs is None:
            pairs = singular_pairs(representation.pdg_ids, representation.n_incoming)
            if not pairs:
                raise PyampError(
                    f"network fks: no singular pair of legs found for PDG ids {list(representation.pdg_ids)}, at least "
                    "one expected; give pairs, or take another network"
                )
            return pairs
        pairs = [(min(pair), max(pair)) for pair in self.pairs]
        if not pairs or len(set(pairs)) < len(pairs) or not set(pairs) <= set(representation.pairs):
            raise PyampError(
                f"network fks: pairs {[list(pair) for pair in self.pairs]} found, different pairs of the legs 0 to "
                f"{representation.n_legs - 1} other than [0, 1] expected"
            )
        return pairs
