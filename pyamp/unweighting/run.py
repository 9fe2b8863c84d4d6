"""Unweighted events into a file: resumable, the same for any blocks and interruptions."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pyamp.datasets.parts import Parts, locked, remove_parts
from pyamp.datasets.storage import file_sha256, write_whole
from pyamp.errors import PyampError
from pyamp.evaluator import Evaluator
from pyamp.files import require_parent
from pyamp.processes import Process, load_process
from pyamp.truth import Truth
from pyamp.truth import truth as open_truth
from pyamp.unweighting.block_weights import Stopwatch
from pyamp.unweighting.event_file import (
    COLUMNS,
    EventFile,
    EventInfo,
    create_events,
    write_pilot,
)
from pyamp.unweighting.events import Events, Totals
from pyamp.unweighting.maximum_rules import Maximum
from pyamp.unweighting.measurement import median_with_error
from pyamp.unweighting.pilot import Pilot, run_pilot
from pyamp.unweighting.points import DatasetPoints, PhaseSpacePoints, PointSource, Position, process_of_model
from pyamp.unweighting.run_parts import EventPart, finished, part_facts, read_pilot_part, write_pilot_part
from pyamp.unweighting.settings import UnweightingSettings
from pyamp.unweighting.stream import Unweighter

FloatArray = npt.NDArray[np.float64]

_COUNTS = ("n_points", "n_trials", "n_truth", "n_asked", "n_outside", "n_failed")


@dataclass(frozen=True)
class _Task:
    """What is unweighted, and with what."""

    source: PointSource
    evaluator: Evaluator
    screen: Evaluator | None
    truth: Truth | None
    truth_name: str
    settings: UnweightingSettings
    n_points: int | None
    n_events: int | None


def generate_events(
    model: str | Path,
    output: str | Path,
    settings: UnweightingSettings,
    *,
    screen: str | Path | None = None,
    datasets: Sequence[str | Path] = (),
    process: Process | str | Path | None = None,
    truth: str | None = None,
    n_points: int | None = None,
    n_events: int | None = None,
    block_size: int = 20_000,
    seconds_per_part: float = 20.0,
    progress: bool = False,
) -> EventFile:
    """Unweight points with a surrogate and write the events to a file.

    The first points are the pilot's and give no events. Until the end, what is done lies in ``OUTPUT.part``; killed at
    any moment, the same call resumes. Events depend on points, settings and model alone.

    Parameters
    ----------
    model : path-like
        Model file ``NAME.safetensors``.
    output : path-like
        File to write; if it exists and is what is asked for, it is read and nothing is computed.
    settings : UnweightingSettings
    screen : path-like, optional
        Model file of a cheap surrogate of the same process: that of `model` is evaluated only for points that have a
        chance to be accepted. Events are the same but for weights above 1 where s > y_max q.
    datasets : sequence of path-like
        Points, and without `truth` their true amplitudes. Without any, points are drawn from the phase space.
    process : Process, str or path, optional
        Card of that phase space; by default legs, energies and cuts of the model's domain.
    truth : str, optional
        True amplitude, as :func:`pyamp.truth` takes it; by default that of the datasets or of the card.
    n_points, n_events : int, optional
        When to stop: after so many points beyond the pilot's, or with the point that gives the last event. One of them
        is needed without datasets, which end by themselves.
    block_size : int
        About how many points are in memory at a time; of no influence.
    seconds_per_part : float
        About how much work a kill costs.
    progress : bool
        Show a progress bar on standard error.

    Raises
    ------
    PyampError
        On bad arguments, negative weights, or if the file or its parts belong to something else.
    """
    model, output = Path(model), Path(output)
    for name, value in (("points", n_points), ("events", n_events), ("block_size", block_size)):
        if value is not None and value < 1:
            raise PyampError(f"{name} is {value}; expected at least 1")
    screen = None if screen is None else Path(screen)
    if screen is not None and settings.mode == "direct":
        raise PyampError(f"screen: {screen} found, but the mode direct has no surrogate; drop one of them")
    task = _task(model, screen, settings, datasets, process, truth, n_points, n_events)
    request = {
        **settings.as_dict(),
        "model": file_sha256(model),
        "points": n_points,
        "events": n_events,
        "source": task.source.identity,
        "truth": task.truth_name,
    }
    if screen is not None:
        request |= {"screen": file_sha256(screen), "y_max": str(settings.y_max)}
    directory = output.with_name(output.name + ".part")
    if output.exists():
        events = _already_there(output, request)
        remove_parts(directory)
        return events
    require_parent(output)
    try:
        with locked(directory):
            parts = Parts.open(directory, request, 0)
            with _bar(task, progress) as bar:
                try:
                    pilot = _pilot(parts, task)
                except PyampError:
                    shutil.rmtree(directory)  # nothing is done that other settings could be in the way of
                    raise
                _stream(parts, task, pilot, block_size, seconds_per_part, bar)
            _merge(parts, output, task, pilot, model, screen, request)
            shutil.rmtree(directory)
    except OSError as error:
        raise PyampError(f"{output}: cannot write ({error}); mend that and start again to resume") from error
    return EventFile.open(output)


def _task(
    model: Path,
    screen: Path | None,
    settings: UnweightingSettings,
    datasets: Sequence[str | Path],
    process: Process | str | Path | None,
    truth: str | None,
    n_points: int | None,
    n_events: int | None,
) -> _Task:
    if datasets and process is not None:
        raise PyampError(
            "process: a card is named beside datasets, which have their own; give one or the other"
        )
    source: PointSource
    header = Evaluator(model, policy="nan").header
    if datasets:
        source = DatasetPoints(datasets, use_amplitudes=truth is None)
        where = str(datasets[0])
    else:
        if n_points is None and n_events is None:
            raise PyampError(
                "points: phase space does not end; give a number of points or of events, or datasets"
            )
        if process is None:
            process = process_of_model(header)
        source = PhaseSpacePoints(
            process if isinstance(process, Process) else load_process(process), settings.seed
        )
        where = source.process.name
    legs = [list(source.process.pdg_ids), source.process.n_incoming]
    expected = [list(header["process"]["pdg_ids"]), header["process"]["n_incoming"]]
    if legs != expected:
        raise PyampError(
            f"{where}: legs {legs[0]} found, but {model} has {expected[0]}; give points of its process"
        )
    couplings = source.couplings or (header["couplings"]["alpha_s"], header["couplings"]["alpha"])
    evaluator = Evaluator(model, policy="nan", alpha_s=couplings[0], alpha=couplings[1])
    cheap = _screen(screen, model, expected, couplings)
    if isinstance(source, DatasetPoints) and truth is None:
        return _Task(source, evaluator, cheap, None, source.provider, settings, n_points, n_events)
    exact = open_truth(truth or source.process.amplitude, *couplings)
    if [list(exact.pdg_ids), exact.n_incoming] != legs:
        raise PyampError(f"truth {exact.process}: legs {list(exact.pdg_ids)} found, {legs[0]} expected")
    return _Task(source, evaluator, cheap, exact, exact.version, settings, n_points, n_events)


def _screen(
    path: Path | None, model: Path, legs: list[Any], couplings: tuple[float, float]
) -> Evaluator | None:
    if path is None:
        return None
    screen = Evaluator(path, policy="nan", alpha_s=couplings[0], alpha=couplings[1])
    process = screen.header["process"]
    if [list(process["pdg_ids"]), process["n_incoming"]] != legs:
        raise PyampError(
            f"screen {path}: legs {list(process['pdg_ids'])} found, but {model} has {legs[0]}; give a model of its "
            "process"
        )
    return screen


def _already_there(path: Path, request: dict[str, Any]) -> EventFile:
    events = EventFile.open(path)
    found = json.loads(events.info.request)
    wanted = json.loads(json.dumps(request))
    if found != wanted:
        key = next(k for k in [*wanted, *found] if wanted.get(k) != found.get(k))
        raise PyampError(
            f"{path}: exists and is something else ({key} is {found.get(key)!r}, {wanted.get(key)!r} wanted); remove "
            "it, or choose another output"
        )
    return events


@contextmanager
def _bar(task: _Task, shown: bool) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    disable = not (shown and console.is_terminal)  # a log has no use for it
    with Progress(*columns, console=console, disable=disable, transient=True) as bar:
        bar.add_task(f"pilot {task.source.process.name}", total=None)
        yield bar


def _pilot(parts: Parts, task: _Task) -> Pilot:
    """The pilot, from its part if that is done."""
    if parts.n_points(0) is None:
        parts.forget_from(0)
        write_pilot_part(
            parts, run_pilot(task.source, task.evaluator, task.truth, task.settings, task.screen)
        )
    return read_pilot_part(parts)


def _stream(
    parts: Parts, task: _Task, pilot: Pilot, block_size: int, seconds_per_part: float, bar: Progress
) -> None:
    done = finished(parts)
    parts.forget_from(len(done) + 1)
    position = Position(**part_facts(done[-1])["end"]) if done else pilot.end
    n_events = sum(parts.n_points(k + 1) or 0 for k in range(len(done)))
    available = None if task.source.n_points is None else task.source.n_points - pilot.end.point
    n_points = min(n for n in (task.n_points, available, 2**62) if n is not None)
    unweighter = Unweighter(pilot, task.settings, task.evaluator, task.truth, task.screen)
    part, start, index = EventPart(), position, len(done) + 1
    by_points = task.n_events is None
    bar.reset(bar.task_ids[0], description=f"unweighting {task.source.process.name}")
    bar.update(bar.task_ids[0], total=n_points if by_points else task.n_events)

    def flush() -> None:
        nonlocal part, start, index
        if part.done:
            part.write(parts, index, start, unweighter.watch, task.source.process.n_legs)
            part, start, index, unweighter.watch = EventPart(), position, index + 1, Stopwatch()

    try:
        for block in task.source.blocks(position, block_size):
            left = n_points - (position.point - pilot.end.point)
            missing = None if task.n_events is None else task.n_events - n_events
            if left <= 0 or missing == 0:
                break
            found = unweighter.feed(block.head(min(left, len(block))), missing)
            part.add(found)
            position, n_events = found.end, n_events + len(found.events)
            completed = position.point - pilot.end.point if by_points else n_events
            bar.update(bar.task_ids[0], completed=completed)
            if time.monotonic() - part.begin > seconds_per_part:
                flush()
    finally:
        # Whatever ended it: the blocks that are whole are not lost.
        flush()


def _merge(
    parts: Parts,
    output: Path,
    task: _Task,
    pilot: Pilot,
    model: Path,
    screen: Path | None,
    request: dict[str, Any],
) -> None:
    done = finished(parts)
    facts = [part_facts(path) for path in done]
    names = _COUNTS if task.screen is None else (*_COUNTS, "n_surrogate")
    counts = {name: sum(fact["counts"][name] for fact in facts) for name in names}
    n_events = sum(parts.n_points(k + 1) or 0 for k in range(len(done)))
    unit = Unweighter(pilot, task.settings, task.evaluator, task.truth, task.screen).unit
    times = _times(task.source, [pilot.watch, *(Stopwatch(**fact["watch"]) for fact in facts)])

    def fill(file: h5py.File) -> None:
        create_events(file, n_events, task.source.process.n_legs)
        direct = [np.full((1, 2), np.nan)] if task.truth is not None else []
        begin = 0
        for path in done:
            with h5py.File(path, "r") as part:
                end = begin + len(part["weight"])
                for name in COLUMNS:
                    file[name][begin:end] = part[name][...]
                direct.append(part["direct"][...])
            begin = end
        write_pilot(file, pilot.columns)
        # From all events together, so that the sums do not depend on parts and blocks.
        totals = Events(
            file["index"][...], file["weight"][...], unit, counts["n_points"], counts["n_truth"]
        ).totals
        sums = np.concatenate(direct).sum(axis=0)
        info = _info(
            task, pilot, model, screen, request, counts, totals, (float(sums[0]), float(sums[1])), times
        )
        file.attrs.update(info.attributes())

    write_whole(output, fill, temporary=parts.directory / "merged.h5.tmp")


def _times(source: PointSource, watches: list[Stopwatch]) -> dict[str, float]:
    """Medians of all that was timed and their errors; what is stored with the points where nothing was."""
    stored = dict(zip(("t_me", "t_ps"), source.stored_times, strict=True))
    result: dict[str, float] = {}
    for name in ("t_me", "t_ps", "t_surr"):
        measured = [value for watch in watches for value in getattr(watch, name)]
        value, error = median_with_error(np.array(measured)) if measured else (stored.get(name, np.nan), 0.0)
        result |= {name: float(value), f"{name}_error": float(error)}
    return result


def _info(
    task: _Task,
    pilot: Pilot,
    model: Path,
    screen: Path | None,
    request: dict[str, Any],
    counts: dict[str, int],
    totals: Totals,
    direct: tuple[float, float],
    times: dict[str, float],
) -> EventInfo:
    roulette = pilot.roulette
    values: dict[str, Any] = {
        "process": task.source.process,
        "model": str(model),
        "model_sha256": request["model"],
        "truth": task.truth_name,
        "request": json.dumps(request),
        "pyamp_version": version("pyamp"),
        "mode": task.settings.mode,
        "seed": task.settings.seed,
        "kappa": roulette.kappa if roulette else float("nan"),
        "p_min": roulette.p_min if roulette else float("nan"),
        "direct_sum": direct[0],
        "direct_square_sum": direct[1],
        "n_pilot_points": pilot.end.point,
        "n_pilot_truth": len(pilot.truth),
        "n_pilot_outside": pilot.n_outside,
        "n_pilot_failed": pilot.n_failed,
        **counts,
        **asdict(totals),
        **times,
    }
    for name in ("s_max", "x_max", "w_max"):
        maximum: Maximum = getattr(pilot, name)
        values |= {name: maximum.value, f"{name}_error": maximum.error}
    if pilot.y_max is not None:
        values |= {
            "screen": str(screen),
            "screen_sha256": request["screen"],
            "y_max": pilot.y_max.value,
            "y_max_error": pilot.y_max.error,
        }
    return EventInfo(**values)
