"""Process cards: the legs, the energies and the cuts of a process, as YAML."""

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from pyamp.configuration import StrictModel, load_yaml, nearest
from pyamp.cuts import Cuts
from pyamp.errors import PyampError


class Energy(StrictModel):
    """Partonic energies in GeV: either fixed (`sqrt_s_hat`) or those of hadron beams (`sqrt_s`)."""

    sqrt_s_hat: float | None = Field(None, gt=0)
    sqrt_s: float | None = Field(None, gt=0)
    sqrt_s_hat_min: float | None = Field(None, gt=0)
    sqrt_s_hat_max: float | None = Field(None, gt=0)
    tau_exponent: float | None = Field(None, ge=0, le=2)

    @model_validator(mode="before")
    @classmethod
    def _default_exponent(cls, data: object) -> object:
        # Filled in here so that what is stored is complete, whatever the default of a later version.
        hadronic = isinstance(data, dict) and "sqrt_s" in data and "tau_exponent" not in data
        return {**data, "tau_exponent": 0.5} if isinstance(data, dict) and hadronic else data

    @model_validator(mode="after")
    def _one_kind(self) -> "Energy":
        if (self.sqrt_s_hat is None) == (self.sqrt_s is None):
            raise ValueError("expected either sqrt_s_hat (fixed) or sqrt_s (hadron beams), in GeV")
        if self.sqrt_s_hat is not None and self.model_fields_set != {"sqrt_s_hat"}:
            extra = ", ".join(sorted(self.model_fields_set - {"sqrt_s_hat", "sqrt_s"}))
            raise ValueError(f"{extra} has no meaning beside sqrt_s_hat; remove it, or give sqrt_s instead")
        return self


class Process(StrictModel):
    """A process with its phase space.

    Parameters
    ----------
    name : str
        Name of the card.
    amplitude : str
        Name of the matrix element, see :func:`pyamp.truth`.
    pdg_ids : tuple of int
        Species of the legs, incoming first.
    n_incoming : int
        Number of incoming legs.
    energy : Energy
        Partonic energies.
    cuts : Cuts
        Cuts in the laboratory frame.
    """

    name: str
    amplitude: str
    description: str = ""
    pdg_ids: tuple[int, ...] = Field(min_length=4)
    n_incoming: int = Field(2, ge=2, le=2)
    energy: Energy
    cuts: Cuts = Field(default_factory=Cuts)

    @model_validator(mode="after")
    def _consistent(self) -> "Process":
        try:
            self.cuts.bound(self.pdg_ids, self.n_incoming)
        except PyampError as error:
            raise ValueError(str(error)) from None
        low, high = self.sqrt_s_hat_range
        if not 0 < low <= high <= self.sqrt_s:
            raise ValueError(
                f"energy: sqrt_s_hat from {low:g} to {high:g} GeV at sqrt_s = {self.sqrt_s:g} GeV; "
                "expected 0 < minimum <= maximum <= sqrt_s"
            )
        return self

    @property
    def n_legs(self) -> int:
        """Number of legs, incoming included."""
        return len(self.pdg_ids)

    @property
    def sqrt_s(self) -> float:
        """Energy of the beams in GeV; for a fixed partonic energy, that."""
        return float(self.energy.sqrt_s or self.energy.sqrt_s_hat or 0)

    @property
    def sqrt_s_hat_range(self) -> tuple[float, float]:
        """Smallest and largest partonic energy in GeV; cuts and beams give what the card leaves open."""
        if self.energy.sqrt_s_hat is not None:
            return self.energy.sqrt_s_hat, self.energy.sqrt_s_hat
        low = self.energy.sqrt_s_hat_min or self.cuts.minimum_sqrt_s_hat(self.pdg_ids, self.n_incoming)
        return low, self.energy.sqrt_s_hat_max or self.sqrt_s

    def domain(self) -> dict[str, Any]:
        """Where a surrogate trained on this process may be asked: partonic energies in GeV and cuts."""
        return {"sqrt_s_hat": list(self.sqrt_s_hat_range), "cuts": self.cuts.as_dict()}

    def passes_cuts(self, momenta: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which of the points (n_points, n_legs, 4) pass the cuts: (n_points,) bool."""
        return self.cuts.passes(momenta, self.pdg_ids, self.n_incoming)

    def contains(self, momenta: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Which of the points (n_points, n_legs, 4) lie within energies and cuts: (n_points,) bool."""
        low, high = self.sqrt_s_hat_range
        total = momenta[:, : self.n_incoming].sum(axis=1)
        s_hat = total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)
        rounding = 1e-9
        inside = self.passes_cuts(momenta)
        inside &= (s_hat >= low**2 * (1 - rounding)) & (s_hat <= high**2 * (1 + rounding))
        return inside

    def to_json(self) -> str:
        """All of the card, in one line and always in the same order; what datasets store."""
        return json.dumps(self.model_dump(exclude_none=True), sort_keys=True)


def leg_order(found: Sequence[int], wanted: Sequence[int], n_incoming: int) -> list[int] | None:
    """Where each of the wanted legs stands among those found; identical ones keep their order.

    Parameters
    ----------
    found, wanted : sequence of int
        PDG ids, incoming legs first.
    n_incoming : int
        Number of incoming legs, of both.

    Returns
    -------
    list of int, or None
        None if the legs are others.
    """
    left = dict(enumerate(found))
    order: list[int] = []
    for leg, pdg_id in enumerate(wanted):
        side = (k for k in left if (k < n_incoming) == (leg < n_incoming) and left[k] == pdg_id)
        k = next(side, None)
        if k is None:
            return None
        del left[k]
        order.append(k)
    return None if left else order


def available_processes() -> list[str]:
    """Names of the cards that come with pyamp."""
    cards = (resources.files("pyamp") / "cards").iterdir()
    return sorted(card.name.removesuffix(".yaml") for card in cards if card.name.endswith(".yaml"))


def load_process(name_or_path: str | Path) -> Process:
    """Read a process card.

    Parameters
    ----------
    name_or_path : str or path
        Name of a card that comes with pyamp, such as ``"gg_to_aag_lhc13"``, or the path of a YAML file.

    Raises
    ------
    PyampError
        If there is no such card, or it is malformed; the message says what was expected.
    """
    text = str(name_or_path)
    known = available_processes()
    if text in known:
        with resources.as_file(resources.files("pyamp") / "cards" / f"{text}.yaml") as path:
            return load_yaml(path, Process)
    if "/" in text or text.endswith((".yaml", ".yml")):
        return load_yaml(text, Process)
    raise PyampError(
        f"unknown process '{text}'; did you mean '{nearest(text, known)}'? "
        f"Known: {', '.join(known)}; or give the path of a card (a .yaml file)"
    )
