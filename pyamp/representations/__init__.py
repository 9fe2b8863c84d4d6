"""Representations: momenta to the features of a network, and the factor taken out of the amplitude."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, model_validator

from pyamp.configuration import StrictModel
from pyamp.representations.antenna import Antenna, antenna_of
from pyamp.representations.dipoles import Dipole, dipoles_of
from pyamp.representations.log_invariants import (
    Conjugation,
    LegGroup,
    LogInvariants,
    conjugation_of,
    leg_classes,
    leg_ordering,
)
from pyamp.representations.momenta import Momenta
from pyamp.representations.representation import Power, Representation, eikonal_factor, scale_factor
from pyamp.representations.resonances import Resonance, ResonanceConfig, build_resonances

__all__ = [
    "Antenna",
    "Conjugation",
    "Dipole",
    "LegGroup",
    "LogInvariants",
    "Momenta",
    "Power",
    "Representation",
    "RepresentationConfig",
    "Resonance",
    "ResonanceConfig",
    "antenna_of",
    "conjugation_of",
    "dipoles_of",
    "eikonal_factor",
    "leg_classes",
    "leg_ordering",
    "representation_from_header",
]


class RepresentationConfig(StrictModel):
    """What a network sees of a phase-space point.

    ``ordered_invariants``: ln(|s_ij|/s_01) with identical legs in order; ``log_invariants``: the same, legs as they
    come; ``deep_sets_invariants``: legs as they come with one standardisation for pairs of the same kind, for the
    network dsi; ``dipole``: ordered ones, the Catani-Seymour dipoles and the variables of their mappings, for the
    network dipole; ``momenta``: standardised components; ``four_vectors``: momenta with one common scale, for the
    network lgatr.
    """

    type: Literal[
        "ordered_invariants",
        "log_invariants",
        "deep_sets_invariants",
        "dipole",
        "momenta",
        "four_vectors",
    ] = "ordered_invariants"
    factor: Literal["eikonal", "antenna", "scale"] | None = Field(
        default=None,
        description="taken out of the amplitude: soft and collinear factor of the outgoing gluons, the poles of all "
        "colour orders (ordered_invariants, log_invariants and dipole only), or the power of s that has the "
        "amplitude's dimension; default: eikonal for ordered_ and deep_sets_invariants, scale otherwise",
    )

    linear: bool = Field(default=False, description="|s_ij|/s of every pair beside the log-invariants")
    energy: bool = Field(
        default=False, description="ln s beside them, for amplitudes or noise that know a scale"
    )
    multiparticle: bool = Field(
        default=False,
        description="ln |s|/s of every set of three and more legs: the propagators of six and more legs",
    )
    conjugation: bool = Field(
        default=False,
        description="symmetric under the exchange of all particles and antiparticles, where that gives the same "
        "process: for amplitudes with CP symmetry",
    )
    resonances: Literal["leptons", "auto"] | list[ResonanceConfig] = Field(
        default=[],
        description="Breit-Wigner peaks as features and in the factor: 'leptons' for Z and W of all outgoing lepton "
        "pairs, 'auto' for the same if there are any, or a list of legs or pdg_ids with mass and width",
    )

    @model_validator(mode="after")
    def _consistent(self) -> RepresentationConfig:
        if self.type == "dipole" and self.factor == "eikonal":
            raise ValueError(
                "factor is 'eikonal' for type 'dipole', whose dipoles are the singular factors; leave it out"
            )
        if self.type not in ("ordered_invariants", "log_invariants", "dipole"):
            if self.factor == "antenna":
                raise ValueError(
                    f"factor is 'antenna' for type '{self.type}'; expected for ordered_invariants, log_invariants and "
                    "dipole only"
                )
            for name in ("linear", "energy", "multiparticle", "conjugation", "resonances"):
                if getattr(self, name):
                    raise ValueError(
                        f"{name} is {getattr(self, name)!r} for type '{self.type}'; expected for "
                        "ordered_invariants, log_invariants and dipole only"
                    )
        return self

    def build(self, pdg_ids: Sequence[int], n_incoming: int = 2) -> Representation:
        """The representation for the legs of a process."""
        representation = self._build(pdg_ids, n_incoming)
        representation.kind = self.type
        representation.pdg_ids = tuple(pdg_ids)
        return representation

    def _build(self, pdg_ids: Sequence[int], n_incoming: int) -> Representation:
        factor = self.factor or (
            "eikonal" if self.type in ("ordered_invariants", "deep_sets_invariants") else "scale"
        )
        powers = eikonal_factor(pdg_ids, n_incoming) if factor == "eikonal" else scale_factor(pdg_ids)
        n_legs = len(pdg_ids)
        match self.type:
            case "ordered_invariants" | "log_invariants" | "dipole":
                return LogInvariants(
                    n_legs,
                    n_incoming,
                    [] if self.type == "log_invariants" else leg_ordering(pdg_ids, n_incoming),
                    powers,
                    self.linear,
                    self.energy,
                    resonances=build_resonances(self.resonances, pdg_ids, n_incoming),
                    dipoles=dipoles_of(pdg_ids, n_incoming) if self.type == "dipole" else (),
                    antenna=antenna_of(pdg_ids) if factor == "antenna" else None,
                    multiparticle=self.multiparticle,
                    conjugation=conjugation_of(pdg_ids, n_incoming) if self.conjugation else None,
                )
            case "deep_sets_invariants":
                return LogInvariants(n_legs, n_incoming, [], powers, classes=leg_classes(pdg_ids, n_incoming))
            case "momenta" | "four_vectors":
                return Momenta(n_legs, n_incoming, powers, as_vectors=self.type == "four_vectors")


def representation_from_header(header: dict[str, Any], n_legs: int, n_incoming: int) -> Representation:
    """Rebuild from the ``representation`` entry of a model file."""
    kind = LogInvariants if header["type"] == "log_invariants" else Momenta
    return kind.from_header(header, n_legs, n_incoming)
