"""Generating datasets: shards of trials, resumable, the same content for any number of workers."""

import itertools
import shutil
import sys
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pyamp.datasets.dataset import Dataset, DatasetInfo
from pyamp.datasets.event_points import EventPoints
from pyamp.datasets.importance import Importance, Legs
from pyamp.datasets.parts import Parts, locked, remove_parts
from pyamp.datasets.storage import (
    COLUMNS,
    FAILED,
    SAMPLING,
    TIMING,
    create_columns,
    create_failed,
    write_whole,
)
from pyamp.errors import PyampError
from pyamp.files import require_parent
from pyamp.phase_space import PhaseSpace
from pyamp.processes import Process, load_process
from pyamp.truth import Truth, truth

FloatArray = npt.NDArray[np.float64]

_PILOT_TRIALS = 20_000
_TIMED_POINTS = 200
_WORST_ACCURACY = 1e-3  # points with a larger relative error count as failed


def generate(
    process: Process | str | Path,
    n_points: int,
    path: str | Path,
    seed: int = 1,
    workers: int = 1,
    *,
    alpha_s: float = 0.118,
    alpha: float = 1 / 137.035999084,
    importance: float = 0.0,
    importance_exponent: float = 0.6,
    importance_legs: Legs = "gluons",
    momenta: str | Path | None = None,
    points_per_shard: int = 5000,
    progress: bool = False,
) -> Dataset:
    """Evaluate the truth on phase-space points and write them as one HDF5 file.

    Points come in the order of their trials, and the first `n_points` that pass the cuts and have a finite
    positive amplitude are kept; so the content depends on process, couplings, number and seed alone. Until
    the end, shards lie in ``PATH.parts``. Killed at any moment, the same call resumes.

    Parameters
    ----------
    process : Process, str or path
        A process, or what :func:`pyamp.processes.load_process` takes.
    n_points : int
        Number of points.
    path : path-like
        File to write; if it exists and is what is asked for, it is read and nothing is computed.
    seed : int
        Seed of the phase space.
    workers : int
        Threads; the truth releases the interpreter lock.
    alpha_s, alpha : float
        Couplings of :attr:`Dataset.me2`; stored amplitudes have them stripped.
    importance : float
        Share of the points that follow a power of ``∏ ŝ/p_T²`` over outgoing legs instead of being flat, so that the
        soft and collinear regions, which carry cross sections, are trained on. 0: none.
    importance_exponent : float
        That power.
    importance_legs : "gluons" or "all"
        Those legs. ``all``, without a limit to the density, costs many more trials of phase space for a point; for
        amplitudes that take longer than these, it comes much closer to the cross section.
    momenta : path-like, optional
        Take the points from a file of Les Houches or HepMC3 events in the place of pyamp's phase space; those
        within the card, in their order.
    points_per_shard : int
        About how much an interruption costs for each worker. The content does not depend on it.
    progress : bool
        Show a progress bar on standard error.

    Raises
    ------
    PyampError
        On bad arguments, or if the file or its shards belong to something else.
    """
    path = Path(path)
    process = process if isinstance(process, Process) else load_process(process)
    for name, value in (("n_points", n_points), ("workers", workers), ("points_per_shard", points_per_shard)):
        if value < 1:
            raise PyampError(f"{name} is {value}; expected at least 1")
    amplitude = truth(process.amplitude, alpha_s, alpha)
    if amplitude.pdg_ids != process.pdg_ids or amplitude.n_incoming != process.n_incoming:
        raise PyampError(
            f"{process.name}: legs {list(process.pdg_ids)}, but the amplitude {process.amplitude} has "
            f"{list(amplitude.pdg_ids)}; correct the card"
        )
    space: PhaseSpace | EventPoints
    thinning, efficiency = None, 1.0
    if momenta is None:
        space = PhaseSpace(process)
        pilot = space.trials(space.sample(1, seed).n_trials + _PILOT_TRIALS, seed)
        if importance:
            thinning = Importance.from_pilot(
                process, pilot.momenta, importance, importance_exponent, importance_legs
            )
        kept = pilot if thinning is None else thinning.thin(space, pilot, seed)[0]
        efficiency = max(1, len(kept.weights)) / pilot.n_trials
    else:
        space = EventPoints(process, momenta)
        if importance:
            raise PyampError(
                "importance has no meaning beside momenta, where a file gives the points; drop it"
            )
        if n_points > space.n_available:
            raise PyampError(
                f"{momenta}: {space.n_available} events within {process.name} found, {n_points} points wanted; ask for "
                "fewer"
            )
    info = _info(process, amplitude, seed, thinning, space)
    request = {"n_points": n_points, **info.attributes()}
    directory = path.with_name(path.name + ".parts")
    if path.exists():
        dataset = _already_there(path, request)
        remove_parts(directory)
        return dataset
    require_parent(path)
    try:
        with locked(directory):
            parts = Parts.open(directory, request, max(1, round(points_per_shard / efficiency)))
            _make_shards(parts, space, thinning, n_points, workers, progress, info)
            _merge(parts, path, info, n_points)
            shutil.rmtree(directory)
    except OSError as error:
        raise PyampError(f"{path}: cannot write ({error}); mend that and start again to resume") from error
    return Dataset.open(path)


def _info(
    process: Process,
    amplitude: Truth,
    seed: int,
    thinning: Importance | None,
    space: PhaseSpace | EventPoints,
) -> DatasetInfo:
    orders = amplitude.coupling_orders
    return DatasetInfo(
        process=process,
        alpha_s=amplitude.alpha_s,
        alpha=amplitude.alpha,
        alpha_s_power=orders.alpha_s_power,
        alpha_power=orders.alpha_power,
        spin_colour_average=amplitude.spin_colour_average,
        provider=amplitude.version,
        seed=seed,
        n_trials=0,
        pyamp_version=version("pyamp"),
        importance=thinning.to_json() if thinning else "",
        recorded=space.provenance if isinstance(space, EventPoints) else "",
    )


def _already_there(path: Path, request: dict[str, Any]) -> Dataset:
    dataset = Dataset.open(path)
    found = {"n_points": len(dataset), **dataset.info.attributes(), "n_trials": 0}
    for key, wanted in request.items():
        if found.get(key) != wanted:
            raise PyampError(
                f"{path}: exists and is something else ({key} is {found.get(key)!r}, {wanted!r} wanted); "
                "remove it, or choose another output"
            )
    return dataset


def _make_shards(
    parts: Parts,
    space: PhaseSpace | EventPoints,
    thinning: Importance | None,
    n_points: int,
    workers: int,
    show_progress: bool,
    info: DatasetInfo,
) -> None:
    indices: Iterable[int] = itertools.count()
    if isinstance(space, EventPoints):
        indices = range(-(-space.n_available // parts.trials_per_shard))
    todo = (index for index in indices if parts.n_points(index) is None)
    running: dict[Future[tuple[int, int]], int] = {}
    failed = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with (
        ThreadPoolExecutor(workers) as executor,
        Progress(*columns, console=console, disable=not show_progress) as bar,
    ):
        done = sum(parts.n_points(int(index)) or 0 for index in parts.manifest["shards"])
        task = bar.add_task(f"truth {space.process.name}", total=n_points, completed=min(done, n_points))
        try:
            while parts.enough(n_points) is None:
                for index in itertools.islice(todo, workers - len(running)):
                    running[executor.submit(_make_shard, parts, space, thinning, info, index)] = index
                if not running:
                    raise PyampError(
                        f"{space.process.name}: {n_points} points wanted, {done} events have a good amplitude; ask for "
                        "fewer"
                    )
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    good, bad = future.result()
                    parts.add(running.pop(future), good)
                    done, failed = done + good, failed + bad
                    bar.update(task, completed=min(done, n_points))
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
        if failed:
            bar.console.print(f"{failed} points failed and are left out; their trials are in {FAILED}")


def _make_shard(
    parts: Parts, space: PhaseSpace | EventPoints, thinning: Importance | None, info: DatasetInfo, index: int
) -> tuple[int, int]:
    """Write one shard; the numbers of good and of failed points."""
    n_trials = parts.trials_per_shard
    # Couplings 1: the stripped amplitude, with its accuracy. Each shard has its own provider, which need not
    # be safe to share between threads.
    amplitude = truth(space.process.amplitude, alpha_s=1.0, alpha=1.0)
    begin = time.thread_time()
    sample = space.trials(n_trials, info.seed, index * n_trials)
    n_ps = len(sample.weights)
    t_ps = time.thread_time() - begin
    columns: dict[str, Any] = {}
    if thinning is not None and isinstance(space, PhaseSpace):
        sample, columns[SAMPLING] = thinning.thin(space, sample, info.seed)
    value, accuracy = amplitude.me2(sample.momenta, return_accuracy=True, on_failure="nan")
    timed = sample.momenta[:_TIMED_POINTS]
    begin = amplitude.clock()
    amplitude.me2(timed, on_failure="nan")
    t_me = amplitude.clock() - begin

    good = good_amplitudes(value, accuracy)
    columns |= {
        "momenta": sample.momenta,
        "amplitude": value,
        "accuracy": accuracy,
        "phase_space_weight": sample.weights,
        "trial": sample.trials,
    }
    if isinstance(space, EventPoints):
        with np.errstate(divide="ignore", invalid="ignore"):  # of points that failed
            columns["phase_space_weight"] = sample.weights / (value * info.couplings)
        columns[SAMPLING] = space.sampling_weight(sample.momenta, columns["phase_space_weight"])
        columns |= {"pdf_weight": np.ones(len(value)), "alpha_s": np.full(len(value), info.alpha_s)}

    def fill(file: h5py.File) -> None:
        create_columns(file, int(good.sum()), space.process.n_legs, info.extra_columns)
        for name, values in columns.items():
            file[name][...] = values[good]
        create_failed(file, sample.trials[~good])
        file.create_group(TIMING).attrs.update(t_me=t_me, n_me=len(timed), t_ps=t_ps, n_ps=n_ps)

    write_whole(parts.shard(index), fill)
    return int(good.sum()), int((~good).sum())


def good_amplitudes(value: FloatArray, accuracy: FloatArray) -> npt.NDArray[np.bool_]:
    """Which amplitudes ``(n,)`` a dataset keeps, given their relative accuracies ``(n,)``."""
    return np.isfinite(value) & (value > 0) & (accuracy <= _WORST_ACCURACY)


def _merge(parts: Parts, path: Path, info: DatasetInfo, n_points: int) -> None:
    """Join the leading shards into the dataset, cut after `n_points` points."""
    n_shards = parts.enough(n_points)
    assert n_shards is not None
    timing = dict.fromkeys(("t_me", "n_me", "t_ps", "n_ps"), 0.0)

    def fill(file: h5py.File) -> None:
        create_columns(file, n_points, info.process.n_legs, info.extra_columns)
        names = [*COLUMNS, *info.extra_columns]
        failed = []
        position = 0
        for index in range(n_shards):
            with h5py.File(parts.shard(index), "r") as shard:
                end = min(position + len(shard["amplitude"]), n_points)
                for name in names:
                    file[name][position:end] = shard[name][: end - position]
                failed.append(shard[FAILED][...])
                for key in timing:
                    timing[key] += shard[TIMING].attrs[key]
            position = end
        n_trials = int(file["trial"][-1]) + 1
        all_failed = np.concatenate(failed)
        create_failed(file, all_failed[all_failed < n_trials])
        file.attrs.update(replace(info, n_trials=n_trials).attributes())
        group = file.create_group(TIMING)
        group.attrs["clock"] = "processor time of the thread"
        for what in ("me", "ps"):
            per_point = timing[f"t_{what}"] / max(timing[f"n_{what}"], 1)
            group.attrs[f"t_{what}_ms"] = 1e3 * per_point

    write_whole(path, fill, temporary=parts.directory / "merged.h5.tmp")
