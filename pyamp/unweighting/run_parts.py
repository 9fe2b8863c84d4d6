"""What of an unweighting under way lies on disk: the pilot, then parts of events, each of which continues the last."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pyamp.datasets.parts import Parts
from pyamp.datasets.storage import write_whole
from pyamp.unweighting.block_weights import Stopwatch
from pyamp.unweighting.event_file import PILOT_COLUMNS, create_events, read_pilot, write_pilot
from pyamp.unweighting.maximum_rules import Maximum
from pyamp.unweighting.pilot import Pilot
from pyamp.unweighting.points import Position
from pyamp.unweighting.roulette import Roulette
from pyamp.unweighting.roulette_choice import RouletteChoice
from pyamp.unweighting.stream import BlockEvents


def write_pilot_part(parts: Parts, pilot: Pilot) -> None:
    """Store the pilot."""

    def fill(file: h5py.File) -> None:
        write_pilot(file, pilot.columns)
        facts = {f.name: getattr(pilot, f.name) for f in fields(pilot) if f.name not in PILOT_COLUMNS}
        file.attrs["facts"] = json.dumps(facts, default=asdict)

    write_whole(parts.shard(0), fill)
    parts.add(0, 0)


def read_pilot_part(parts: Parts) -> Pilot:
    """The stored pilot."""
    with h5py.File(parts.shard(0), "r") as file:
        columns: dict[str, Any] = read_pilot(file)
        facts = json.loads(file.attrs["facts"])
    choice = facts["choice"]
    if choice is not None:
        choice = RouletteChoice(**(choice | {"roulette": Roulette(**choice["roulette"])}))
    facts |= {name: Maximum(**facts[name]) for name in ("s_max", "x_max", "w_max")}
    if facts.get("y_max") is not None:
        facts["y_max"] = Maximum(**facts["y_max"])
    facts |= {"end": Position(**facts["end"]), "watch": Stopwatch(**facts["watch"]), "choice": choice}
    return Pilot(**columns, **facts)


class EventPart:
    """Events of some blocks, until they are written."""

    def __init__(self) -> None:
        self.done: list[BlockEvents] = []
        self.n_events = 0
        self.begin = time.monotonic()

    def add(self, block: BlockEvents) -> None:
        """Take the events of a block."""
        self.done.append(block)
        self.n_events += len(block.events)

    def write(self, parts: Parts, index: int, start: Position, watch: Stopwatch, n_legs: int) -> None:
        """Store them as part `index`, which begins at the position `start`."""
        counts = {
            "n_points": self.done[-1].end.point - start.point,
            "n_trials": self.done[-1].end.trial - start.trial,
            "n_truth": sum(block.events.n_truth for block in self.done),
            **{
                name: sum(getattr(block, name) for block in self.done)
                for name in ("n_asked", "n_surrogate", "n_outside", "n_failed")
            },
        }
        direct = [block.direct for block in self.done if block.direct is not None]

        def fill(file: h5py.File) -> None:
            create_events(file, self.n_events, n_legs)
            file["momenta"][...] = np.concatenate([block.momenta for block in self.done])
            for name in ("weight", "index"):
                file[name][...] = np.concatenate([getattr(block.events, name) for block in self.done])
            file.create_dataset("direct", data=np.reshape(direct, (-1, 2)))
            facts = {"end": asdict(self.done[-1].end), "watch": asdict(watch), "counts": counts}
            file.attrs["facts"] = json.dumps(facts)

        write_whole(parts.shard(index), fill)
        parts.add(index, self.n_events)


def finished(parts: Parts) -> list[Path]:
    """Leading parts of events that are done; a damaged one ends them."""
    paths: list[Path] = []
    while parts.n_points(len(paths) + 1) is not None:
        paths.append(parts.shard(len(paths) + 1))
    return paths


def part_facts(path: Path) -> dict[str, Any]:
    """``end``, the position after a part, ``watch`` and ``counts``."""
    with h5py.File(path, "r") as file:
        return dict(json.loads(file.attrs["facts"]))
