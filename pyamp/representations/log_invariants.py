"""Log-invariants of ordered legs, exactly symmetric in identical legs, with the soft and collinear factor known."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import torch

from pyamp.errors import PyampError
from pyamp.kinematics import invariants, pair_index

GLUON = 21


@dataclass(frozen=True)
class LegGroup:
    """Identical legs, ordered by the sum of ``|s_iw|`` over the reference legs w, the largest first."""

    legs: tuple[int, ...]
    reference: tuple[int, ...]


@dataclass(frozen=True)
class Power:
    """A term ``|s_ij|^power`` of the singular factor."""

    i: int
    j: int
    power: float


class LogInvariants(torch.nn.Module):
    """Scale-free features ``ln(|s_ij|/s_01)`` of the ordered legs, standardised.

    Identical legs are ordered before the invariants are taken, so features are exactly symmetric under their
    exchange. The factor ``∏ |s_ij|^power`` carries the mass dimension of the amplitude and, for each outgoing gluon
    g, is ``s_01/(s_0g s_1g)``: the eikonal factor of a soft gluon between the beams, singular like the amplitude for
    collinear emission too. What a network then learns is dimensionless and bounded, and scales exactly with energy.

    Parameters
    ----------
    n_legs, n_incoming : int
    ordering : list of LegGroup
    factor : list of Power
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, n_legs: int, n_incoming: int, ordering: list[LegGroup], factor: list[Power]) -> None:
        super().__init__()
        self.n_legs = n_legs
        self.n_incoming = n_incoming
        self.ordering = ordering
        self.factor = factor
        self.pairs = [(i, j) for i in range(n_legs) for j in range(i + 1, n_legs) if (i, j) != (0, 1)]
        self.register_buffer("mean", torch.zeros(self.n_features, dtype=torch.float64))
        self.register_buffer("std", torch.ones(self.n_features, dtype=torch.float64))

    @classmethod
    def for_process(cls, pdg_ids: list[int], n_incoming: int = 2) -> LogInvariants:
        """The representation that a process's legs call for.

        Incoming legs of one kind are ordered by their invariants with the outgoing gluons (with all outgoing legs
        where there is none), outgoing ones by their energy in the partonic centre-of-mass frame.
        """
        outgoing = range(n_incoming, len(pdg_ids))
        gluons = [leg for leg in outgoing if pdg_ids[leg] == GLUON]
        dimension = 8 - 2 * len(pdg_ids)
        if dimension != -2 * len(gluons):
            raise PyampError(
                f"process: {len(pdg_ids)} legs with {len(gluons)} outgoing gluons found, a known singular factor "
                f"of dimension GeV^{dimension} expected (one outgoing gluon for each leg beyond four); "
                "choose another representation"
            )
        species: dict[tuple[bool, int], list[int]] = defaultdict(list)
        for leg, pdg_id in enumerate(pdg_ids):
            species[leg < n_incoming, pdg_id].append(leg)
        ordering = [
            LegGroup(tuple(legs), tuple((gluons or outgoing) if incoming else range(n_incoming)))
            for (incoming, _), legs in species.items()
            if len(legs) > 1
        ]
        factor = [Power(*term) for g in gluons for term in ((0, 1, 1.0), (0, g, -1.0), (1, g, -1.0))]
        return cls(len(pdg_ids), n_incoming, ordering, factor)

    @classmethod
    def from_header(cls, header: dict[str, Any], n_legs: int, n_incoming: int) -> LogInvariants:
        """Rebuild from the ``representation`` entry of a model file."""
        result = cls(
            n_legs,
            n_incoming,
            [LegGroup(tuple(g["legs"]), tuple(g["reference"])) for g in header["ordering"]],
            [Power(f["i"], f["j"], f["power"]) for f in header["factor"]],
        )
        result.mean.copy_(torch.tensor(header["mean"], dtype=torch.float64))
        result.std.copy_(torch.tensor(header["std"], dtype=torch.float64))
        return result

    def header(self) -> dict[str, Any]:
        """The ``representation`` entry of a model file."""
        return {
            "type": "log_invariants",
            "ordering": [{"legs": list(g.legs), "reference": list(g.reference)} for g in self.ordering],
            "factor": [{"i": f.i, "j": f.j, "power": f.power} for f in self.factor],
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
        }

    @property
    def n_features(self) -> int:
        return len(self.pairs)

    def fit(self, momenta: torch.Tensor) -> None:
        """Set the standardisation constants from momenta ``(n, legs, 4)``."""
        raw = self._raw_features(invariants(momenta, self.n_incoming).abs())
        self.mean.copy_(raw.mean(dim=0))
        self.std.copy_(raw.std(dim=0))

    def forward(self, momenta: torch.Tensor) -> torch.Tensor:
        """Standardised features ``(n, n_features)``, float64, of momenta ``(n, legs, 4)`` in GeV."""
        features: torch.Tensor = (
            self._raw_features(invariants(momenta, self.n_incoming).abs()) - self.mean
        ) / self.std
        return features

    def log_factor(self, momenta: torch.Tensor) -> torch.Tensor:
        """ln of the singular factor, ``(n,)``, float64; the factor is in the unit of the amplitude."""
        log_s = invariants(momenta, self.n_incoming).abs().log()
        result = torch.zeros_like(log_s[:, 0])
        for term in self.factor:
            result = result + term.power * log_s[:, pair_index(term.i, term.j, self.n_legs)]
        return result

    def _raw_features(self, abs_s: torch.Tensor) -> torch.Tensor:
        """ln(|s_ij|/s_01) of the ordered legs from |s_ij| ``(n, n_pairs)``."""
        n = abs_s.shape[0]
        matrix = abs_s.new_ones((n, self.n_legs, self.n_legs))
        rows, columns = torch.triu_indices(self.n_legs, self.n_legs, offset=1)
        matrix[:, rows, columns] = abs_s
        matrix[:, columns, rows] = abs_s
        slots = torch.arange(self.n_legs, device=abs_s.device).repeat(n, 1)
        for group in self.ordering:
            legs = torch.tensor(group.legs, device=abs_s.device)
            key = sum(matrix[:, legs, w] for w in group.reference)
            assert isinstance(key, torch.Tensor)
            slots[:, legs] = legs[key.argsort(dim=1, descending=True, stable=True)]
        ordered = matrix.gather(1, slots[:, :, None].expand(-1, -1, self.n_legs))
        ordered = ordered.gather(2, slots[:, None, :].expand(-1, self.n_legs, -1))
        first, second = (torch.tensor(legs, device=abs_s.device) for legs in zip(*self.pairs, strict=True))
        return ordered[:, first, second].log() - matrix[:, 0, 1, None].log()
