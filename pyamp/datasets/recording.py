"""What the userhook PyAmpRecorder writes while Sherpa runs: shards of weighted events, one folder for each process."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from pyamp.errors import PyampError
from pyamp.processes import Process

_FORMAT = "pyamp recording"
_SHARD = re.compile(r"seed-(.+)-shard-(\d{6})\.h5")
_COLUMNS = ("momenta", "amplitude", "phase_space_weight", "pdf_weight", "alpha_s", "trial")


@dataclass(frozen=True)
class Shard:
    """One file: weighted events of consecutive trials.

    Attributes
    ----------
    path : Path
    run : str
        Random seed of the run.
    number : int
        Of the shard in the run.
    n_points : int
    facts : dict
        What Sherpa said of the process and the run, ``begin_trial`` and ``end_trial`` among it.
    """

    path: Path
    run: str
    number: int
    n_points: int
    facts: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> Shard:
        """Read all but the points.

        Raises
        ------
        PyampError
            If it is no shard.
        """
        name = _SHARD.fullmatch(path.name)
        try:
            with h5py.File(path, "r") as file:
                if name is None or file.attrs.get("format") != _FORMAT:
                    raise PyampError(f"{path}: not a shard of PyAmpRecorder; remove it from the folder")
                facts = json.loads(file.attrs["recording"])
                return cls(path, name[1], int(name[2]), len(file["amplitude"]), facts)
        except (OSError, KeyError, ValueError) as error:
            raise PyampError(f"{path}: cannot be read ({str(error).splitlines()[0]}); remove it") from None

    @property
    def legs(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Incoming and outgoing PDG ids, each sorted."""
        return sorted_legs(self.facts["pdg_ids"], self.facts["n_incoming"])

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """The points: ``momenta`` (n_points, n_legs, 4) in Sherpa's order of legs, and so on, (n_points,)."""
        with h5py.File(self.path, "r") as file:
            return {name: file[name][...] for name in _COLUMNS}

    def failed_trials(self) -> npt.NDArray[np.int64]:
        """Trials whose matrix element was no positive number."""
        with h5py.File(self.path, "r") as file:
            return np.asarray(file["failed_trial"][...])


def sorted_legs(pdg_ids: Iterable[int], n_incoming: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Legs up to their order within the initial and the final state."""
    ids = tuple(pdg_ids)
    return tuple(sorted(ids[:n_incoming])), tuple(sorted(ids[n_incoming:]))


def find_shards(folder: Path, known: dict[Path, Shard] | None = None) -> list[Shard]:
    """All shards below a folder, in the order of runs and numbers; those already `known` are not opened again."""
    known = {} if known is None else known
    paths = list(folder.glob("*/seed-*-shard-*.h5"))
    known |= {path: Shard.open(path) for path in paths if path not in known}
    return sorted((known[path] for path in paths), key=lambda s: (len(s.run), s.run, s.number))


def select_shards(shards: list[Shard], process: Process | None, folder: Path) -> list[Shard]:
    """Those of one process: the given one, or the only one.

    Raises
    ------
    PyampError
        If there is none, or several and none was given; the message lists them.
    """
    found = {shard.legs: _arrow(shard.facts) for shard in shards}
    if not found:
        raise PyampError(
            f"{folder}: no recorded points found; the run needs USERHOOKS: [PyAmpRecorder] and "
            "EVENT_GENERATION_MODE: Weighted"
        )
    if process is None:
        if len(found) > 1:
            raise PyampError(
                f"{folder}: points of {', '.join(sorted(found.values()))} found, one process expected; name a "
                "process card with the legs that you want"
            )
        legs = next(iter(found))
    else:
        legs = sorted_legs(process.pdg_ids, process.n_incoming)
        if legs not in found:
            raise PyampError(
                f"{folder}: points of {', '.join(sorted(found.values()))} found, {list(process.pdg_ids)} of "
                f"{process.name} expected; take a card with those legs"
            )
    chosen = [shard for shard in shards if shard.legs == legs]
    constant = ("alpha_s_power", "alpha_power", "alpha", "generator", "loop_generator", "cuts", "truth")
    for shard in chosen[1:]:
        for key in (*constant, "sqrt_s", "sqrt_s_hat"):
            if shard.facts.get(key) != chosen[0].facts.get(key):
                raise PyampError(
                    f"{shard.path}: {key} is {shard.facts.get(key)!r}, {chosen[0].facts.get(key)!r} in "
                    f"{chosen[0].path.name}; keep the shards of different runs apart"
                )
    return chosen


def process_of(facts: dict[str, Any]) -> Process:
    """The process card that a run amounts to: legs, energies, and the cuts that its SELECTORS guarantee.

    Raises
    ------
    PyampError
        If the matrix element has no name in pyamp, or the run is nothing that a card can say.
    """
    if not facts["truth"]:
        raise PyampError(
            f"process {_arrow(facts)}: the matrix element of {facts['generator']} and {facts['loop_generator']} has no "
            "name in pyamp; give a process card that names its amplitude"
        )
    energy = {key: facts[key] for key in ("sqrt_s", "sqrt_s_hat") if key in facts}
    sides = facts["pdg_ids"][: facts["n_incoming"]], facts["pdg_ids"][facts["n_incoming"] :]
    try:
        return Process.model_validate(
            {
                "name": "_to_".join("_".join(map(str, side)) for side in sides),
                "description": f"{_arrow(facts)}, recorded from Sherpa {facts['sherpa']}",
                "amplitude": facts["truth"].removeprefix("builtin:"),
                "pdg_ids": facts["pdg_ids"],
                "n_incoming": facts["n_incoming"],
                "energy": energy,
                "cuts": facts["cuts"],
            }
        )
    except ValueError as error:
        raise PyampError(
            f"process {_arrow(facts)}: energies and SELECTORS of the run make no process card "
            f"({str(error).splitlines()[-1].strip()}); give one"
        ) from None


def check_covers(facts: dict[str, Any], process: Process) -> None:
    """Refuse a run in which parts of the process's phase space cannot occur.

    Raises
    ------
    PyampError
        The message says where the run is the narrower one.
    """
    gap = _gap(facts, process)
    if gap:
        raise PyampError(
            f"{process.name}: the run card {gap}; a surrogate would claim a domain that it was not trained on: loosen "
            "SELECTORS, or tighten the process card"
        )


def _gap(facts: dict[str, Any], process: Process) -> str:
    low, high = process.sqrt_s_hat_range
    if "sqrt_s_hat" in facts:
        if not low == high == facts["sqrt_s_hat"]:
            return f"has sqrt(s_hat) = {facts['sqrt_s_hat']:g} GeV, the process card {low:g} to {high:g} GeV"
    elif low == high or high > facts["sqrt_s"]:
        return f"has beams of sqrt(s) = {facts['sqrt_s']:g} GeV, the process card {low:g} to {high:g} GeV"
    run, cuts = facts["cuts"], process.cuts
    for species, minima in run.get("pt_min", {}).items():
        wanted = cuts.pt_min.get(species, 0.0)
        ordered = wanted if isinstance(wanted, list) else [wanted]
        for i, minimum in enumerate(minima):
            if minimum > ordered[min(i, len(ordered) - 1)]:
                return f"has p_T of leg {i + 1} of {species} above {minimum:g} GeV only"
    for species, limit in run.get("abs_eta_max", {}).items():
        if limit < cuts.abs_eta_max.get(species, math.inf):
            return f"has |eta| of {species} below {limit:g} only"
    card_pairs = {_pair(pair): minimum for pair, minimum in cuts.delta_r_min.items()}
    for pair, minimum in run.get("delta_r_min", {}).items():
        if minimum > card_pairs.get(_pair(pair), 0.0):
            return f"has Delta R of {pair} above {minimum:g} only"
    return ""


def _pair(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(species) for species in text.split(",")))


def _arrow(facts: dict[str, Any]) -> str:
    ids = [str(i) for i in facts["pdg_ids"]]
    return " ".join([*ids[: facts["n_incoming"]], "->", *ids[facts["n_incoming"] :]])
