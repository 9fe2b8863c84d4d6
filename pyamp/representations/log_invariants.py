"""Log-invariants, scale-free; of ordered legs they are exactly symmetric in identical legs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from pyamp.kinematics import invariants
from pyamp.representations.antenna import Antenna
from pyamp.representations.dipoles import FEATURES_OF_EACH as FEATURES_OF_DIPOLE
from pyamp.representations.dipoles import Dipole, dipole_features
from pyamp.representations.multiparticle import log_multiparticle, multiparticle_sets
from pyamp.representations.representation import (
    GLUON,
    Power,
    Representation,
    factor_from_header,
    in_chunks,
    legs_of_each_species,
)
from pyamp.representations.resonances import FEATURES_OF_EACH as FEATURES_OF_RESONANCE
from pyamp.representations.resonances import Resonance

SELF_CONJUGATE = (21, 22, 23, 25)


@dataclass(frozen=True)
class LegGroup:
    """Identical legs, ordered by the sum of ``|s_iw|`` over the reference legs w, the largest first."""

    legs: tuple[int, ...]
    reference: tuple[int, ...]


@dataclass(frozen=True)
class Conjugation:
    """Legs and their antiparticles, all exchanged where the first conjugate has the larger sum of ``|s_iw|``.

    Attributes
    ----------
    legs, conjugates : tuple of int
        One for one, in no group of identical legs.
    reference : tuple of int
        The legs w.
    """

    legs: tuple[int, ...]
    conjugates: tuple[int, ...]
    reference: tuple[int, ...]

    def header(self) -> dict[str, Any]:
        return {
            "legs": list(self.legs),
            "conjugates": list(self.conjugates),
            "reference": list(self.reference),
        }


class LogInvariants(Representation):
    """Features ``ln(|s_ij|/s_01)``, and on request ``|s_ij|/s_01`` beside them, standardised.

    Identical legs in a group of ``ordering`` are ordered before the invariants are taken, so features are exactly
    symmetric under their exchange.

    Parameters
    ----------
    n_legs, n_incoming : int
    ordering : list of LegGroup
        Empty: legs as they come.
    factor : list of Power
    linear : bool
        Also ``|s_ij|/s_01`` of every pair: away from the singularities an amplitude is smooth in these.
    energy : bool
        Also ``ln(s_01/GeV²)``: for amplitudes, or noise, that know a scale; the other features are scale-free.
    classes : list of int, optional
        Class of each leg; pairs of the same classes get the same standardisation, so that features of unordered legs
        go over into each other when identical legs are exchanged.
    resonances : sequence of Resonance
        Each adds two features, and its shape to the factor.
    dipoles : sequence of Dipole
        Each adds three features at the end: ``arsinh(s_01 D)`` of all, then the two variables of their mappings.
    antenna : Antenna, optional
        Part of the factor.
    multiparticle : bool
        Also ``ln(|s_I|/s_01)`` of all sets I of three and more legs, :func:`multiparticle_sets`.
    conjugation : Conjugation, optional
        Features are then symmetric under the exchange of all particles and antiparticles.
    """

    def __init__(
        self,
        n_legs: int,
        n_incoming: int,
        ordering: list[LegGroup],
        factor: list[Power],
        linear: bool = False,
        energy: bool = False,
        classes: list[int] | None = None,
        resonances: Sequence[Resonance] = (),
        dipoles: Sequence[Dipole] = (),
        antenna: Antenna | None = None,
        multiparticle: bool = False,
        conjugation: Conjugation | None = None,
    ) -> None:
        self.pairs = [(i, j) for i in range(n_legs) for j in range(i + 1, n_legs) if (i, j) != (0, 1)]
        self.sets = multiparticle_sets(n_legs, n_incoming) if multiparticle else []
        n_features = len(self.pairs) * (2 if linear else 1) + energy + len(self.sets)
        n_features += FEATURES_OF_RESONANCE * len(resonances) + FEATURES_OF_DIPOLE * len(dipoles)
        super().__init__(n_legs, n_incoming, n_features, factor)
        self.ordering = ordering
        self.linear = linear
        self.energy = energy
        self.classes = classes
        self.resonances = tuple(resonances)
        self.dipoles = tuple(dipoles)
        self.antenna = antenna
        self.multiparticle = multiparticle
        self.conjugation = conjugation

    @classmethod
    def from_header(cls, header: dict[str, Any], n_legs: int, n_incoming: int) -> LogInvariants:
        """Rebuild from the ``representation`` entry of a model file."""
        ordering = [LegGroup(tuple(g["legs"]), tuple(g["reference"])) for g in header["ordering"]]
        options = {name: header.get(name, False) for name in ("linear", "energy", "multiparticle")}
        resonances = [
            Resonance(tuple(r["legs"]), r["mass"], r["width"]) for r in header.get("resonances", [])
        ]
        dipoles = [
            Dipole((d["emitter"][0], d["emitter"][1]), d["spectator"], d["splitting"], n_incoming)
            for d in header.get("dipoles", [])
        ]
        antenna = None
        if "antenna" in header:
            antenna = Antenna(tuple(header["antenna"]["ends"]), tuple(header["antenna"]["gluons"]))
        conjugation = None
        if "conjugation" in header:
            entry = header["conjugation"]
            conjugation = Conjugation(*(tuple(entry[name]) for name in ("legs", "conjugates", "reference")))
        result = cls(
            n_legs,
            n_incoming,
            ordering,
            factor_from_header(header),
            **options,
            resonances=resonances,
            dipoles=dipoles,
            antenna=antenna,
            conjugation=conjugation,
        )
        result._load_constants(header)
        return result

    def header(self) -> dict[str, Any]:
        return {
            "type": "log_invariants",
            "ordering": [{"legs": list(g.legs), "reference": list(g.reference)} for g in self.ordering],
            **({"linear": True} if self.linear else {}),
            **({"energy": True} if self.energy else {}),
            **({"multiparticle": True} if self.multiparticle else {}),
            **({"resonances": [r.header() for r in self.resonances]} if self.resonances else {}),
            **({"dipoles": [d.header() for d in self.dipoles]} if self.dipoles else {}),
            **({"conjugation": self.conjugation.header()} if self.conjugation else {}),
            **({"antenna": self.antenna.header()} if self.antenna else {}),
            **self._constants_header(),
        }

    def fit(self, momenta: torch.Tensor) -> None:
        if self.classes is None:
            super().fit(momenta)
            return
        raw = in_chunks(self.raw_features, momenta)
        kinds: dict[tuple[int, ...], list[int]] = {}
        for index, (i, j) in enumerate(self.pairs):
            kinds.setdefault(tuple(sorted((self.classes[i], self.classes[j]))), []).append(index)
        for indices in kinds.values():
            self.mean[indices] = raw[:, indices].mean()
            self.std[indices] = raw[:, indices].std()

    def raw_features(self, momenta: torch.Tensor) -> torch.Tensor:
        abs_s = invariants(momenta, self.n_incoming).abs()
        matrix = self._ordered(self._pair_matrix(abs_s))
        first, second = (torch.tensor(legs, device=abs_s.device) for legs in zip(*self.pairs, strict=True))
        scaled = matrix[:, first, second] / abs_s[:, 0, None]
        features = [scaled.log()]
        if self.linear:
            features.append(scaled)
        if self.energy:
            features.append(abs_s[:, :1].log())
        if self.sets:
            features.append(log_multiparticle(self.sets, matrix, self.n_incoming))
        features += [resonance.features(matrix) for resonance in self.resonances]
        if self.dipoles:
            features.append(dipole_features(self.dipoles, matrix))
        return torch.cat(features, dim=1)

    def _log_factor(self, momenta: torch.Tensor) -> torch.Tensor:
        result = super()._log_factor(momenta)
        if not self.resonances and not self.antenna:
            return result
        as_they_come = self._pair_matrix(invariants(momenta, self.n_incoming).abs())
        if self.antenna:
            result = result + self.antenna.log_sum(as_they_come)
        if self.resonances:
            ordered = self._ordered(as_they_come)
            result = result + torch.stack([r.log_shape(ordered) for r in self.resonances]).sum(dim=0)
        return result

    def _pair_matrix(self, abs_s: torch.Tensor) -> torch.Tensor:
        """|s_ij| ``(n, pairs)`` as ``(n, legs, legs)``, ones on the diagonal."""
        matrix = abs_s.new_ones((len(abs_s), self.n_legs, self.n_legs))
        rows, columns = torch.triu_indices(self.n_legs, self.n_legs, offset=1)
        matrix[:, rows, columns] = abs_s
        matrix[:, columns, rows] = abs_s
        return matrix

    def _ordered(self, matrix: torch.Tensor) -> torch.Tensor:
        """The same with the legs of each group, and particles and antiparticles, in order."""
        if not self.ordering and not self.conjugation:
            return matrix
        slots = torch.arange(self.n_legs, device=matrix.device).repeat(len(matrix), 1)
        for group in self.ordering:
            legs = torch.tensor(group.legs, device=matrix.device)
            key = _ordering_key(matrix, legs, group.reference)
            slots[:, legs] = legs[key.argsort(dim=1, descending=True, stable=True)]
        if self.conjugation:
            pairs = [*zip(self.conjugation.legs, self.conjugation.conjugates, strict=True)]
            first = torch.tensor(pairs[0], device=matrix.device)
            of_leg, of_conjugate = _ordering_key(matrix, first, self.conjugation.reference).T
            exchanged = of_conjugate > of_leg
            for leg, conjugate in pairs:
                slots[exchanged, leg] = conjugate
                slots[exchanged, conjugate] = leg
        ordered = matrix.gather(1, slots[:, :, None].expand(-1, -1, self.n_legs))
        return ordered.gather(2, slots[:, None, :].expand(-1, self.n_legs, -1))


def _ordering_key(matrix: torch.Tensor, legs: torch.Tensor, reference: Sequence[int]) -> torch.Tensor:
    """Sum of |s_iw| over the reference legs w for each leg i, ``(n, legs)``, of |s_ij| ``(n, legs, legs)``."""
    return torch.stack([matrix[:, legs, w] for w in reference]).sum(dim=0)


def leg_ordering(pdg_ids: Sequence[int], n_incoming: int) -> list[LegGroup]:
    """The ordering that a process's legs call for.

    Incoming legs of one kind are ordered by their invariants with the outgoing gluons (with all outgoing legs where
    there is none), outgoing ones by their energy in the partonic centre-of-mass frame.
    """
    outgoing = range(n_incoming, len(pdg_ids))
    gluons = [leg for leg in outgoing if pdg_ids[leg] == GLUON]
    return [
        LegGroup(tuple(legs), tuple((gluons or outgoing) if incoming else range(n_incoming)))
        for (incoming, _), legs in legs_of_each_species(pdg_ids, n_incoming).items()
        if len(legs) > 1
    ]


def conjugation_of(pdg_ids: Sequence[int], n_incoming: int) -> Conjugation | None:
    """The exchange of particles and antiparticles, if it gives the same process and pairs legs uniquely.

    The first outgoing pair is ordered by its energies in the partonic centre-of-mass frame. Where only incoming legs
    change places, they are ordered by their invariants with the outgoing gluons, unless there is nothing else.
    """
    species = legs_of_each_species(pdg_ids, n_incoming)
    legs, conjugates = [], []
    for (incoming, pdg_id), own in species.items():
        if pdg_id in SELF_CONJUGATE:
            continue
        partners = species.get((incoming, -pdg_id), [])
        if len(own) != 1 or len(partners) != 1:
            return None
        if pdg_id > 0:
            legs.append(own[0])
            conjugates.append(partners[0])
    if not legs:
        return None
    order = sorted(range(len(legs)), key=lambda k: (legs[k] < n_incoming, legs[k]))
    outgoing = range(n_incoming, len(pdg_ids))
    reference = list(range(n_incoming))
    if legs[order[0]] < n_incoming:
        reference = [leg for leg in outgoing if pdg_ids[leg] == GLUON]
        if len(reference) in (0, len(outgoing)):
            return None
    return Conjugation(tuple(legs[k] for k in order), tuple(conjugates[k] for k in order), tuple(reference))


def leg_classes(pdg_ids: Sequence[int], n_incoming: int) -> list[int]:
    """Class of each leg, numbered from 0: identical legs share one."""
    classes = [0] * len(pdg_ids)
    for number, legs in enumerate(legs_of_each_species(pdg_ids, n_incoming).values()):
        for leg in legs:
            classes[leg] = number
    return classes
