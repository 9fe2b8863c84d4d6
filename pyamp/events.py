"""Momenta of hard processes from event files: Les Houches events by pylhe, HepMC3 by pyhepmc."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import warnings
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pyamp.errors import PyampError
from pyamp.processes import leg_order

__all__ = ["EventSample", "read_events"]

FloatArray = npt.NDArray[np.float64]

_WORST_MASS = 1e-3  # |E² − p²| over E² of a leg, above which it is no rounding


class _Event(NamedTuple):
    """The hard process of one event: legs as (PDG id, [E, px, py, pz]), and the event's weight in pb."""

    incoming: list[tuple[int, list[float]]]
    outgoing: list[tuple[int, list[float]]]
    weight: float


@dataclass(frozen=True)
class EventSample:
    """Hard processes of events.

    Attributes
    ----------
    momenta : ndarray, shape (n_events, n_legs, 4)
        ``[E, px, py, pz]`` in GeV, incoming legs first, in the order of the PDG ids asked for. Massless: the energies
        of outgoing legs are their |p|, and the incoming legs lie along z, which undoes the rounding of text files.
    weights : ndarray, shape (n_events,)
        In pb: their sum over `n_read` is the cross section, as far as the file says it.
    n_read : int
        Events read, those of other processes included.
    source : str
        Format and generator, for provenance.
    """

    momenta: FloatArray
    weights: FloatArray
    n_read: int
    source: str

    def __len__(self) -> int:
        return len(self.weights)


def read_events(
    path: str | Path, pdg_ids: Sequence[int], n_incoming: int = 2, max_events: int | None = None
) -> EventSample:
    """Read the events of one process.

    Parameters
    ----------
    path : path-like
        A Les Houches file (``.lhe``) or a HepMC3 one (``.hepmc``, ``.hepmc3``), also compressed (``.gz``). Of a HepMC
        event, the hard process is the vertex of the attribute ``signal_process_vertex`` if there is one, else the
        particles of statuses 21 and 23, else the beams and the final state.
    pdg_ids : sequence of int
        Legs of the process, incoming first; events with other legs are passed over.
    n_incoming : int
        Number of incoming legs.
    max_events : int, optional
        Read no more than that many.

    Raises
    ------
    PyampError
        If the file cannot be read, has no event of the process, or its legs are not massless.
    """
    path = Path(path)
    source, events = _open(path)
    momenta: list[list[list[float]]] = []
    weights: list[float] = []
    n_read = 0
    other = ""
    try:
        with warnings.catch_warnings(), contextlib.closing(events):
            warnings.simplefilter("error", RuntimeWarning)  # by which pylhe tells of a file that is cut off
            for event in itertools.islice(events, max_events):
                n_read += 1
                legs = event.incoming + event.outgoing
                ids = [pdg_id for pdg_id, _ in legs]
                order = leg_order(ids, pdg_ids, n_incoming) if len(event.incoming) == n_incoming else None
                if order is None:
                    other = " ".join(map(str, ids))
                    continue
                momenta.append([legs[k][1] for k in order])
                weights.append(event.weight)
    except (OSError, ValueError, IndexError, RuntimeError, RuntimeWarning, SyntaxError) as error:
        raise PyampError(f"{path}: event {n_read + 1} cannot be read ({error})") from None
    if not momenta:
        found = f"legs {other}" if other else "no event"
        raise PyampError(f"{path}: {found} found, {' '.join(map(str, pdg_ids))} expected")
    return EventSample(_massless(np.array(momenta), n_incoming, path), np.array(weights), n_read, source)


def _massless(momenta: FloatArray, n_incoming: int, path: Path) -> FloatArray:
    """The same with legs exactly on shell and momentum conserved along z."""
    energy = momenta[..., 0]
    off_shell = np.abs(energy**2 - (momenta[..., 1:] ** 2).sum(axis=-1)) / energy**2
    worst = np.unravel_index(off_shell.argmax(), off_shell.shape)
    if not off_shell[worst] < _WORST_MASS:
        raise PyampError(
            f"{path}: leg {worst[1] + 1} of event {worst[0] + 1} has |E² − p²| = {off_shell[worst]:.1e} E², "
            "massless legs expected"
        )
    momenta = momenta.copy()
    momenta[..., 0] = np.sqrt((momenta[..., 1:] ** 2).sum(axis=-1))
    total = momenta[:, n_incoming:].sum(axis=1)
    for leg, sign in ((0, np.sign(momenta[:, 0, 3])), (1, -np.sign(momenta[:, 0, 3]))):
        momenta[:, leg] = 0.0
        momenta[:, leg, 0] = (total[:, 0] + sign * total[:, 3]) / 2
        momenta[:, leg, 3] = sign * momenta[:, leg, 0]
    return momenta


def _open(path: Path) -> tuple[str, Generator[_Event, None, None]]:
    """What a file is, and its events."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            head = stream.read(4096)
    except OSError as error:
        raise PyampError(
            f"{path}: cannot read: {error.strerror or error}; expected a file of LHE or HepMC3 events"
        ) from None
    if b"<LesHouchesEvents" in head:
        return _les_houches(path)
    if head.lstrip().startswith(b"HepMC::"):
        return _hepmc(path)
    raise PyampError(
        f"{path}: neither Les Houches nor HepMC3 events found; give such a file (.lhe, .hepmc, .gz)"
    )


def _les_houches(path: Path) -> tuple[str, Generator[_Event, None, None]]:
    try:
        import pylhe
    except ImportError:
        raise PyampError(f"{path}: reading it takes pylhe; pip install pylhe") from None
    try:
        file = pylhe.LHEFile.fromfile(str(path))
    except (ValueError, IndexError, SyntaxError, AttributeError) as error:
        raise PyampError(f"{path}: not readable as Les Houches events ({error})") from None
    # Strategies ±3: all weights are 1 (or −1), and the cross section stands in the head.
    is_unit = abs(file.init.initInfo.weightingStrategy) == 3
    unit = sum(process.xSection for process in file.init.procInfo) if is_unit else 1.0

    def events() -> Generator[_Event, None, None]:
        from_file: Any = file.events
        with contextlib.closing(from_file):
            for event in from_file:
                sides: dict[int, list[tuple[int, list[float]]]] = {-1: [], 1: []}
                for p in event.particles:
                    if p.status in sides:
                        sides[int(p.status)].append((int(p.id), [p.e, p.px, p.py, p.pz]))
                yield _Event(sides[-1], sides[1], unit * float(event.eventinfo.weight))

    return "Les Houches events", events()


def _hepmc(path: Path) -> tuple[str, Generator[_Event, None, None]]:
    try:
        import pyhepmc
    except ImportError:
        raise PyampError(f"{path}: reading it takes pyhepmc; pip install pyhepmc") from None

    def events() -> Generator[_Event, None, None]:
        with pyhepmc.open(str(path)) as stream:
            for event in stream:
                event.set_units(pyhepmc.Units.GEV, pyhepmc.Units.MM)
                incoming, outgoing = _hard_process(event)
                weight = float(event.weights[0]) if len(event.weights) else 1.0
                yield _Event([_leg(p) for p in incoming], [_leg(p) for p in outgoing], weight)

    return "HepMC3 events", events()


def _hard_process(event: Any) -> tuple[list[Any], list[Any]]:
    """Particles into and out of the hard process."""
    if "signal_process_vertex" in event.attributes:
        number = int(str(event.attributes["signal_process_vertex"]))
        for vertex in event.vertices:
            if vertex.id == number:
                return list(vertex.particles_in), list(vertex.particles_out)
    for before, after in ((21, 23), (4, 1)):
        incoming = [p for p in event.particles if p.status == before]
        outgoing = [p for p in event.particles if p.status == after]
        if incoming and outgoing:
            return incoming, outgoing
    return [], []


def _leg(particle: Any) -> tuple[int, list[float]]:
    p = particle.momentum
    return int(particle.pid), [p.e, p.px, p.py, p.pz]
