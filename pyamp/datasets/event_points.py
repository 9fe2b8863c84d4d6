"""Points of event files in the place of a phase space."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pyamp.datasets.storage import file_sha256
from pyamp.errors import PyampError
from pyamp.events import read_events
from pyamp.phase_space import PhaseSpace, PhaseSpaceSample
from pyamp.processes import Process

FloatArray = npt.NDArray[np.float64]


class EventPoints:
    """Events of a file that lie within a process card, by their number in the file.

    The weight of an event in pb stands for |M|² × phase space × parton densities, whatever of these the generator had.
    So a point's phase-space weight is the event's weight over |M|²: amplitude-distributed metrics are then those of the
    events themselves.

    Parameters
    ----------
    process : Process
        Legs, energies and cuts; events beyond are left out.
    path : path-like
        What :func:`pyamp.events.read_events` takes.

    Raises
    ------
    PyampError
        If the file cannot be read, or no event lies within the card.
    """

    def __init__(self, process: Process, path: str | Path) -> None:
        self.process = process
        events = read_events(path, process.pdg_ids, process.n_incoming)
        inside = process.contains(events.momenta)
        if not inside.any():
            raise PyampError(
                f"{path}: none of {len(events)} events lies within energies and cuts of {process.name}; take "
                "another card"
            )
        self.momenta, self.event_weights = events.momenta[inside], events.weights[inside]
        self.n_available = len(self.momenta)
        # Every point is a trial: those left out beforehand make each a little heavier or lighter.
        self._scale = self.n_available / events.n_read
        self._flat = PhaseSpace(process)
        self.provenance = json.dumps(
            {"source": events.source, "file": Path(path).name, "sha256": file_sha256(Path(path))},
            sort_keys=True,
        )

    def trials(self, n_trials: int, seed: int, start: int = 0) -> PhaseSpaceSample:
        """The events `start` ... `start + n_trials - 1`; without randomness, so that the seed means nothing."""
        chosen = slice(start, start + n_trials)
        momenta = self.momenta[chosen]
        numbers = np.arange(start, start + len(momenta))
        return PhaseSpaceSample(momenta, self.event_weights[chosen] * self._scale, numbers, n_trials)

    def sampling_weight(self, momenta: FloatArray, phase_space_weight: FloatArray) -> FloatArray:
        """How many flat points each stands for, shape (n_points,)."""
        return phase_space_weight / self._flat.weights_at(momenta)
