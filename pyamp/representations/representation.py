"""What every representation offers: momenta to standardised features, and the known factor of the amplitude."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from pyamp.errors import PyampError
from pyamp.kinematics import invariants, pair_index

GLUON = 21
QUARKS = range(1, 7)
ROUNDING = 1e-12  # a smaller deviation of a feature is none
# Points that are worked on at a time: what is in between takes many times the memory of momenta.
CHUNK = 1 << 16


@dataclass(frozen=True)
class Power:
    """A term ``|s_ij|^power`` of the factor taken out of the amplitude."""

    i: int
    j: int
    power: float


class Representation(torch.nn.Module, ABC):
    """Standardised features of momenta, and a factor in the unit of the amplitude that is taken out of it.

    The factor is ``∏ |s_ij|^power``; since it carries the mass dimension, what a network learns is dimensionless.

    Parameters
    ----------
    n_legs, n_incoming, n_features : int
    factor : list of Power

    Attributes
    ----------
    kind : str
        The type by which a configuration names it.
    pdg_ids : tuple of int
        Of the legs, for networks that treat them by species. Both are empty in a representation that comes from a model
        file, whose network is complete.
    """

    mean: torch.Tensor
    std: torch.Tensor
    kind: str = ""
    pdg_ids: tuple[int, ...] = ()

    def __init__(self, n_legs: int, n_incoming: int, n_features: int, factor: list[Power]) -> None:
        super().__init__()
        self.n_legs = n_legs
        self.n_incoming = n_incoming
        self.n_features = n_features
        self.factor = factor
        self.register_buffer("mean", torch.zeros(n_features, dtype=torch.float64))
        self.register_buffer("std", torch.ones(n_features, dtype=torch.float64))

    @abstractmethod
    def raw_features(self, momenta: torch.Tensor) -> torch.Tensor:
        """Features ``(n, n_features)`` of momenta ``(n, legs, 4)`` before they are standardised."""

    @abstractmethod
    def header(self) -> dict[str, Any]:
        """The ``representation`` entry of a model file."""

    def fit(self, momenta: torch.Tensor) -> None:
        """Set the standardisation constants from momenta ``(n, legs, 4)``."""
        raw = in_chunks(self.raw_features, momenta)
        self.mean.copy_(raw.mean(dim=0))
        self.std.copy_(raw.std(dim=0))
        # What does not vary, such as the beams of a fixed energy, carries nothing, and is not to be blown up.
        self.std[self.std < ROUNDING] = 1.0

    def forward(self, momenta: torch.Tensor) -> torch.Tensor:
        """Standardised features ``(n, n_features)``, float64, of momenta ``(n, legs, 4)`` in GeV."""
        return in_chunks(lambda part: (self.raw_features(part) - self.mean) / self.std, momenta)

    def log_factor(self, momenta: torch.Tensor) -> torch.Tensor:
        """ln of the factor, ``(n,)``, float64; the factor is in the unit of the amplitude."""
        return in_chunks(self._log_factor, momenta)

    def _log_factor(self, momenta: torch.Tensor) -> torch.Tensor:
        log_s = invariants(momenta, self.n_incoming).abs().log()
        result = torch.zeros_like(log_s[:, 0])
        for term in self.factor:
            result = result + term.power * log_s[:, pair_index(term.i, term.j, self.n_legs)]
        return result

    def _constants_header(self) -> dict[str, Any]:
        return {
            "factor": [{"i": f.i, "j": f.j, "power": f.power} for f in self.factor],
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
        }

    def _load_constants(self, header: dict[str, Any]) -> None:
        self.mean.copy_(torch.tensor(header["mean"], dtype=torch.float64))
        self.std.copy_(torch.tensor(header["std"], dtype=torch.float64))


def in_chunks(function: Callable[[torch.Tensor], torch.Tensor], momenta: torch.Tensor) -> torch.Tensor:
    """What a function of points gives, from some of them at a time."""
    first = function(momenta[:CHUNK])
    if len(momenta) <= CHUNK:
        return first
    # Filled part by part: a list of parts to be joined would need the memory twice.
    result = first.new_empty((len(momenta), *first.shape[1:]))
    for begin in range(0, len(momenta), CHUNK):
        result[begin : begin + CHUNK] = function(momenta[begin : begin + CHUNK]) if begin else first
    return result


def scale_factor(pdg_ids: Sequence[int]) -> list[Power]:
    """The power of s_01 that has the dimension of the amplitude, GeV^(8 − 2 n_legs)."""
    return [Power(0, 1, 4.0 - len(pdg_ids))]


def eikonal_factor(pdg_ids: Sequence[int], n_incoming: int) -> list[Power]:
    """``s_01/(s_0g s_1g)`` for each outgoing gluon g.

    That is the eikonal factor of a soft gluon between the beams, singular like the amplitude for collinear emission
    too.
    """
    gluons = [leg for leg in range(n_incoming, len(pdg_ids)) if pdg_ids[leg] == GLUON]
    dimension = 8 - 2 * len(pdg_ids)
    if dimension != -2 * len(gluons):
        raise PyampError(
            f"process: {len(pdg_ids)} legs with {len(gluons)} outgoing gluons found, a known singular factor "
            f"of dimension GeV^{dimension} expected (one outgoing gluon for each leg beyond four); "
            "set factor: scale in the representation"
        )
    return [Power(*term) for g in gluons for term in ((0, 1, 1.0), (0, g, -1.0), (1, g, -1.0))]


def factor_from_header(header: dict[str, Any]) -> list[Power]:
    return [Power(f["i"], f["j"], f["power"]) for f in header["factor"]]


def legs_of_each_species(pdg_ids: Sequence[int], n_incoming: int) -> dict[tuple[bool, int], list[int]]:
    """Legs by (incoming, PDG id): those of one entry are identical."""
    species: dict[tuple[bool, int], list[int]] = {}
    for leg, pdg_id in enumerate(pdg_ids):
        species.setdefault((leg < n_incoming, pdg_id), []).append(leg)
    return species
