"""Datasets from Sherpa's own integrator: its phase space, its matrix elements, its parton densities."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pyamp.configuration import read_yaml
from pyamp.datasets.dataset import Dataset, DatasetInfo
from pyamp.datasets.joining import write_dataset
from pyamp.datasets.parts import Parts, locked, remove_parts
from pyamp.datasets.recording import (
    Shard,
    check_covers,
    find_shards,
    process_of,
    select_shards,
)
from pyamp.datasets.storage import SAMPLING
from pyamp.errors import PyampError
from pyamp.files import require_parent
from pyamp.phase_space import PhaseSpace
from pyamp.processes import Process, leg_order, load_process
from pyamp.sherpa import execute

PLUGIN, HOOK = "SherpaPyAmp", "PyAmpRecorder"
_SECONDS_PER_SHARD = 60

Columns = dict[str, npt.NDArray[Any]]


def generate_from_sherpa(
    source: str | Path | Sequence[str | Path],
    n_points: int,
    path: str | Path,
    seed: int = 1,
    *,
    process: Process | str | Path | None = None,
    alpha_s: float = 0.118,
    settings: Mapping[str, Any] | None = None,
    points_per_shard: int = 5000,
    progress: bool = False,
) -> Dataset:
    """Record weighted events of Sherpa as a dataset.

    Sherpa optimises its integrator and then generates weighted events, which the userhook ``PyAmpRecorder`` writes as
    shards under ``PATH.parts``. Killed at any moment, the same call resumes with another random seed and the integrator
    as it was; at most the last minute is lost.

    Parameters
    ----------
    source : path or sequence of paths
        Run cards of Sherpa, of which later ones win; whatever they say of event generation, events are weighted. Or the
        folder in which runs elsewhere, say on a cluster, have recorded (``PYAMP_RECORDER: {DIRECTORY: …}``).
    n_points : int
        Number of points.
    path : path-like
        HDF5 file to write; if it exists and is what is asked for, it is read and Sherpa not run.
    seed : int
        RANDOM_SEED of the first run.
    process : Process, str or path, optional
        Process card whose legs, energies and cuts the dataset is to have: points beyond are left out, and a run that is
        narrower is refused. By default what the run card amounts to.
    alpha_s : float
        Coupling of :attr:`Dataset.me2`; stored amplitudes have the run's couplings, of every point, stripped.
    settings : mapping, optional
        Settings of Sherpa that win over the cards.
    points_per_shard : int
        Points after which a shard is written, if no minute has passed before.
    progress : bool
        Show a progress bar on standard error.

    Raises
    ------
    PyampError
        On bad arguments, if Sherpa stops, or if the file or its shards belong to something else.
    """
    path = Path(path)
    card = None if process is None else process if isinstance(process, Process) else load_process(process)
    for name, value in (("n_points", n_points), ("points_per_shard", points_per_shard)):
        if value < 1:
            raise PyampError(f"{name} is {value}; expected at least 1")
    sources = [Path(source)] if isinstance(source, str | Path) else [Path(part) for part in source]
    folder = sources[0] if len(sources) == 1 and sources[0].is_dir() else None
    request: dict[str, Any] = {"seed": seed, "process": "" if card is None else card.to_json()}
    if folder is None:
        request["run_cards"] = [_card_text(part) for part in sources]
        request["settings"] = json.dumps(settings or {}, sort_keys=True)
    else:
        request["folder"] = str(folder.resolve())
    directory = path.with_name(path.name + ".parts")
    if path.exists():
        dataset = _existing(path, n_points, request)
        remove_parts(directory)
        return dataset
    require_parent(path)
    if folder is not None:
        shards = select_shards(find_shards(folder), card, folder)
        return _collect(shards, card, n_points, path, request, alpha_s)
    try:
        with locked(directory):
            Parts.open(directory, request, 0)  # refuses what another request left
            recorder = _Recorder(sources, directory, card, settings or {}, points_per_shard)
            shards = recorder.record(n_points, seed, progress)
            dataset = _collect(shards, card, n_points, path, request, alpha_s)
            shutil.rmtree(directory)
    except OSError as error:
        raise PyampError(f"{path}: cannot write ({error}); mend that and start again to resume") from error
    return dataset


def _card_text(path: Path) -> str:
    read_yaml(path, "a run card of Sherpa")
    return path.read_text(encoding="utf-8")


def _existing(path: Path, n_points: int, request: Mapping[str, Any]) -> Dataset:
    dataset = Dataset.open(path)
    if len(dataset) != n_points or _recorded(dataset) != _provenance(request):
        raise PyampError(f"{path}: exists and is something else; remove it, or choose another output")
    return dataset


def _recorded(dataset: Dataset) -> dict[str, Any]:
    recorded = json.loads(dataset.info.recorded or "{}")
    recorded.pop("run", None)
    return dict(recorded)


def _provenance(request: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for, as the dataset stores it."""
    digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
    return {"source": "Sherpa", "run_cards": request.get("run_cards", []), "request_sha256": digest}


class _Recorder:
    """Runs Sherpa until there are enough points of a process."""

    def __init__(
        self,
        cards: list[Path],
        directory: Path,
        process: Process | None,
        settings: Mapping[str, Any],
        points_per_shard: int,
    ) -> None:
        self.cards, self.process = cards, process
        self.run_folder, self.folder = directory / "sherpa", (directory / "recorded").resolve()
        last: dict[str, Any] = {}
        for path in cards:
            last |= read_yaml(path, "a run card of Sherpa") or {}
        last |= settings
        self.settings = {
            **settings,
            "SHERPA_LDADD": _with(last.get("SHERPA_LDADD"), PLUGIN),
            "USERHOOKS": _with(last.get("USERHOOKS"), HOOK),
            "EVENT_GENERATION_MODE": "Weighted",
            "GENERATE_RESULT_DIRECTORY": True,  # so that a resumed run need not integrate again
            "PYAMP_RECORDER": {
                "DIRECTORY": str(self.folder),
                "POINTS_PER_SHARD": points_per_shard,
                "SECONDS_PER_SHARD": _SECONDS_PER_SHARD,
            },
        }
        self._known: dict[Path, Shard] = {}
        self._usable: dict[Path, int] = {}

    def record(self, n_points: int, seed: int, progress: bool) -> list[Shard]:
        """Shards of the process, with at least that many points that can be used."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        console = Console(file=sys.stderr)
        with Progress(*columns, console=console, disable=not progress) as bar:
            task = bar.add_task("Sherpa: integrating", total=n_points)

            def watch() -> None:
                done = sum(map(self._n_usable, self._shards()))
                what = "recording" if done else "integrating"
                bar.update(task, description=f"Sherpa: {what}", completed=min(done, n_points))

            while True:
                shards = self._shards()
                usable = sum(map(self._n_usable, shards))
                if usable >= n_points:
                    return shards
                events = n_points - usable
                if usable:
                    recorded = sum(shard.n_points for shard in self._known.values())
                    events = round(1.02 * events * recorded / usable) + 1
                runs = {shard.run for shard in self._known.values()}
                self._run(events, seed + len(runs), watch)
                if sum(map(self._n_usable, self._shards())) == usable:
                    raise PyampError(
                        f"{self.run_folder}: Sherpa generated {events} events, none of which the dataset can use; "
                        "does the process card fit the run card?"
                    )

    def _run(self, events: int, seed: int, watch: Any) -> None:
        if self.folder.is_dir():  # what a killed run had begun
            for rest in self.folder.glob("*/*.tmp"):
                rest.unlink()
        execute(
            self.cards,
            self.run_folder,
            {**self.settings, "EVENTS": events, "RANDOM_SEED": seed},
            watch=watch,
        )

    def _shards(self) -> list[Shard]:
        """Those of the process so far."""
        found = find_shards(self.folder, self._known)
        return select_shards(found, self.process, self.folder) if found else []

    def _n_usable(self, shard: Shard) -> int:
        if shard.path not in self._usable:
            self._usable[shard.path] = len(_points(shard, self.process or process_of(shard.facts))["trial"])
        return self._usable[shard.path]


def _with(found: Any, name: str) -> list[str]:
    listed = [] if found in (None, "None") else [found] if isinstance(found, str) else list(found)
    return listed if name in listed else [*listed, name]


def _points(shard: Shard, process: Process) -> Columns:
    """The points of a shard that a process has, in its order of legs; none if it is another process's shard."""
    columns = shard.columns()
    order = leg_order(shard.facts["pdg_ids"], process.pdg_ids, process.n_incoming)
    if order is None:
        return {name: values[:0] for name, values in columns.items()}
    momenta = np.ascontiguousarray(columns["momenta"][:, order])
    inside = process.contains(momenta)
    return {name: values[inside] for name, values in (columns | {"momenta": momenta}).items()}


def _collect(
    shards: list[Shard],
    card: Process | None,
    n_points: int,
    path: Path,
    request: Mapping[str, Any],
    alpha_s: float,
) -> Dataset:
    """Join shards, cut after `n_points` points, as a dataset."""
    facts = shards[0].facts
    process = card or process_of(facts)
    check_covers(facts, process)
    parts, failed, trials, n = [], [], 0, 0
    for shard in shards:
        offset = trials - shard.facts["begin_trial"]
        points = _points(shard, process)
        points["trial"] = points["trial"] + offset
        parts.append(points)
        failed.append(shard.failed_trials() + offset)
        trials += shard.facts["end_trial"] - shard.facts["begin_trial"]
        n += len(points["trial"])
        if n >= n_points:
            break
    if n < n_points:
        raise PyampError(
            f"{path}: {n_points} points wanted, {n} recorded ones found; ask for fewer or record more"
        )
    columns = {name: np.concatenate([part[name] for part in parts])[:n_points] for name in parts[0]}
    columns["accuracy"] = np.full(n_points, np.nan)
    flat = PhaseSpace(process).weights_at(columns["momenta"]) * facts["beam_assignments"]
    columns[SAMPLING] = columns["phase_space_weight"] / flat
    n_trials = int(columns["trial"][-1]) + 1
    all_failed = np.concatenate(failed)
    run = {key: value for key, value in facts.items() if key not in ("begin_trial", "end_trial")}
    info = DatasetInfo(
        process=process,
        alpha_s=alpha_s,
        alpha=facts["alpha"],
        alpha_s_power=facts["alpha_s_power"],
        alpha_power=facts["alpha_power"],
        spin_colour_average=float(facts["spin_colour_average"]),
        provider=" ".join(["Sherpa", facts["sherpa"], facts["generator"], facts["truth"]]).strip(),
        seed=request["seed"],
        n_trials=n_trials,
        pyamp_version=version("pyamp"),
        recorded=json.dumps({**_provenance(request), "run": run}, sort_keys=True),
    )

    dataset = Dataset(**columns, failed_trial=all_failed[all_failed < n_trials], info=info)
    write_dataset(path, dataset)
    return Dataset.open(path)
