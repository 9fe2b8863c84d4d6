"""Resonances of outgoing legs: features that resolve a Breit-Wigner peak, and its shape as a known factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import torch
from pydantic import Field, model_validator

from pyamp.configuration import StrictModel
from pyamp.errors import PyampError

FEATURES_OF_EACH = 2
MOST_RESONANCES = 4
Z_MASS, Z_WIDTH = 91.1876, 2.4952
W_MASS, W_WIDTH = 80.379, 2.085
CHARGED_LEPTONS, NEUTRINOS = (11, 13, 15), (12, 14, 16)


@dataclass(frozen=True)
class Resonance:
    """A propagator ``χ = s/(s − M² + iMΓ)`` of the invariant mass of some outgoing legs.

    Attributes
    ----------
    legs : tuple of int
        Two or more outgoing legs, ascending.
    mass, width : float
        M and Γ in GeV.
    """

    legs: tuple[int, ...]
    mass: float
    width: float

    def features(self, abs_s: torch.Tensor) -> torch.Tensor:
        """``arctan((s − M²)/(MΓ))`` and ``ln(1 + |χ|²)``, ``(n, 2)``, of |s_ij| ``(n, legs, legs)``.

        They are the phase of the propagator and its strength beside a background, such as the photon, that has none:
        an amplitude with both is a smooth function of the two at any distance from the peak.
        """
        s = self._invariant(abs_s)
        off_shell = s - self.mass**2
        unit = self.mass * self.width
        return torch.stack([torch.atan(off_shell / unit), self._log_enhancement(s)], dim=1)

    def log_shape(self, abs_s: torch.Tensor) -> torch.Tensor:
        """``ln(1 + |χ|²)``, ``(n,)``: what the peak adds to a background without it."""
        return self._log_enhancement(self._invariant(abs_s))

    def _log_enhancement(self, s: torch.Tensor) -> torch.Tensor:
        return torch.log1p(s**2 / ((s - self.mass**2) ** 2 + (self.mass * self.width) ** 2))

    def _invariant(self, abs_s: torch.Tensor) -> torch.Tensor:
        return torch.stack([abs_s[:, i, j] for i, j in combinations(self.legs, 2)]).sum(dim=0)

    def header(self) -> dict[str, Any]:
        return {"legs": list(self.legs), "mass": self.mass, "width": self.width}


class ResonanceConfig(StrictModel):
    """A resonance of some outgoing legs, named by their positions or by their PDG ids."""

    legs: list[int] | None = Field(
        default=None, description="positions, counted from 0 with the incoming legs"
    )
    pdg_ids: list[int] | None = Field(
        default=None, description="or species: every choice of such legs is a resonance"
    )
    mass: float | None = Field(default=None, gt=0, description="GeV; default: Z for a neutral sum, else W")
    width: float | None = Field(default=None, gt=0, description="GeV; goes with mass")

    @model_validator(mode="after")
    def _consistent(self) -> ResonanceConfig:
        if self.legs is not None and self.pdg_ids is not None:
            raise ValueError("resonances: legs and pdg_ids found; give one of them")
        if (self.mass is None) != (self.width is None):
            raise ValueError(
                "resonances: mass without width or width without mass found; give both or neither"
            )
        return self

    def build(self, pdg_ids: Sequence[int], n_incoming: int) -> list[Resonance]:
        """The resonances that the legs of a process allow."""
        outgoing = range(n_incoming, len(pdg_ids))
        wanted = sorted(self.legs if self.legs is not None else self.pdg_ids or [])
        chosen = [
            legs
            for legs in combinations(outgoing, len(wanted))
            if wanted == (list(legs) if self.legs is not None else sorted(pdg_ids[leg] for leg in legs))
        ]
        if not chosen or len(wanted) < 2:
            raise PyampError(
                f"representation: a resonance of {wanted} found, two or more different outgoing legs of "
                f"{list(pdg_ids)} expected; give their positions in legs or their species in pdg_ids"
            )
        return [Resonance(legs, *self._mass_and_width([pdg_ids[leg] for leg in legs])) for legs in chosen]

    def _mass_and_width(self, species: Sequence[int]) -> tuple[float, float]:
        if self.mass is not None and self.width is not None:
            return self.mass, self.width
        return (Z_MASS, Z_WIDTH) if sum(species) == 0 else (W_MASS, W_WIDTH)


def lepton_resonances(pdg_ids: Sequence[int], n_incoming: int) -> list[Resonance]:
    """Z and W bosons of all pairs of outgoing leptons that may come from one: ℓ⁻ℓ⁺, νν̄ and ℓν."""
    found = []
    for i, j in combinations(range(n_incoming, len(pdg_ids)), 2):
        a, b = sorted((pdg_ids[i], pdg_ids[j]), key=abs)
        if a == -b and abs(a) in CHARGED_LEPTONS + NEUTRINOS:
            found.append(Resonance((i, j), Z_MASS, Z_WIDTH))
        elif abs(a) in CHARGED_LEPTONS and abs(b) == abs(a) + 1 and a * b < 0:
            found.append(Resonance((i, j), W_MASS, W_WIDTH))
    return found


def build_resonances(
    choice: Literal["leptons", "auto"] | Sequence[ResonanceConfig], pdg_ids: Sequence[int], n_incoming: int
) -> list[Resonance]:
    """The resonances of a configuration.

    Raises
    ------
    PyampError
        None where some were asked for, too many, or one of legs that are not outgoing.
    """
    if isinstance(choice, str):
        found = lepton_resonances(pdg_ids, n_incoming)
        if not found and choice == "leptons":
            raise PyampError(
                f"representation: resonances 'leptons' for PDG ids {list(pdg_ids)}, a pair of outgoing leptons "
                "expected; leave resonances out, or name legs with mass and width"
            )
    else:
        found = [resonance for config in choice for resonance in config.build(pdg_ids, n_incoming)]
    if len(found) > MOST_RESONANCES:
        raise PyampError(
            f"representation: {len(found)} resonances found, at most {MOST_RESONANCES} expected; name the legs of "
            "the important ones"
        )
    return found
