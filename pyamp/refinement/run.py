"""Active learning: rounds of choosing points, asking the truth, training and measuring, in one folder."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pyamp.datasets import Dataset
from pyamp.datasets.joining import joined, write_dataset
from pyamp.datasets.parts import locked
from pyamp.datasets.storage import file_sha256
from pyamp.evaluator import Evaluator
from pyamp.files import rename_durably
from pyamp.phase_space import PhaseSpace, PhaseSpaceSample
from pyamp.refinement.checks import (
    check_budget,
    check_parts,
    checked_test,
    fresh_seed,
    model_file,
    same_request,
    stored_config,
)
from pyamp.refinement.evaluation import evaluated
from pyamp.refinement.measurement import EventAccuracy, event_accuracy, predict
from pyamp.refinement.selection import FloatArray, select
from pyamp.refinement.settings import RefineSettings, Targets
from pyamp.training import TrainingConfig, train
from pyamp.training.run import MODEL_NAME
from pyamp.unweighting import Times

REQUEST_NAME = "request.json"
HISTORY_NAME = "history.json"
MEASURED_NAME = "measured.json"
DATA_NAME = "data.h5"
TEST_NAME = "test.h5"
TIMED_POINTS = 2000


@dataclass(frozen=True)
class Round:
    """What a round has brought; round 0 is the surrogate that was given.

    Attributes
    ----------
    number : int
    n_truth : int
        Evaluations of the truth so far, test points included.
    n_train : int
        Points trained on or validated with; 0 for round 0, whose file need not say.
    measured : EventAccuracy
    seconds : float
        Processor time of choice, truth, training and measurement; of an interrupted round that of its last part.
    model : Path
        Its model file.
    """

    number: int
    n_truth: int
    n_train: int
    measured: EventAccuracy
    seconds: float
    model: Path

    def as_dict(self) -> dict[str, Any]:
        """One flat row, without the place of the model."""
        row = asdict(self)
        del row["model"]
        measured = row.pop("measured")
        return {**row, **measured}


@dataclass(frozen=True)
class Refinement:
    """A refinement that has come to its end.

    Attributes
    ----------
    rounds : list of Round
    best : Round
        With the smallest mean p, then the largest ε_2nd: ``model.safetensors`` is its model.
    stopped : str
        "targets", "truth_budget" or "rounds".
    """

    rounds: list[Round]
    best: Round
    stopped: str


def refine(
    model: str | os.PathLike[str],
    dataset: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    targets: Targets,
    settings: RefineSettings | None = None,
    *,
    config: TrainingConfig | None = None,
    test: str | os.PathLike[str] | None = None,
    workers: int = 1,
    show_progress: bool = False,
    after_round: Callable[[list[Round]], object] | None = None,
) -> Refinement:
    """Ask the truth where it helps unweighting most, and train with it, round by round.

    Each round draws candidates from the phase space of the dataset, evaluates the surrogate of the best round so far,
    chooses points at random in proportion to (event weight)^a · (σ_tot/A)^b, asks the truth at these alone, trains on
    all points there are, and measures. Probabilities are known and in the weights of the points, so that integrals
    stay what they were. Killed at any moment, the same call goes on.

    Parameters
    ----------
    model : path-like
        Model file to begin with, or the directory of a ``pyamp train`` run.
    dataset : path-like
        Points to train on beside the new ones, such as those the model was trained on; its process card gives phase
        space and truth.
    directory : path-like
        Gets ``test.h5``, ``round-01/…`` (points, training run, measurements), ``data.h5`` (all points),
        ``history.json`` and ``model.safetensors``, the model of the best round.
    targets : Targets
        When to stop; on going on they may be others.
    settings : RefineSettings, optional
    config : TrainingConfig, optional
        By default that of the model; ``validation_fraction`` holds for every set of points, ``test_fraction`` has no
        meaning.
    test : path-like, optional
        Dataset to measure on; by default `test_points` are drawn as events are distributed.
    workers : int
        Threads for the truth.
    show_progress : bool
    after_round : callable, optional
        Told the rounds so far.

    Raises
    ------
    PyampError
        Bad arguments; a folder of another refinement; a training that diverged.
    """
    settings = settings or RefineSettings()
    directory = Path(directory)
    first_model = model_file(model)
    data = Dataset.open(Path(dataset))
    first = Evaluator(first_model, policy="nan")
    config = config or stored_config(first, first_model)
    check_budget(targets, settings, test_is_given=test is not None)
    check_parts(first, first_model, data, Path(dataset), config, settings)
    given_test = None if test is None else checked_test(Path(test), data, Path(dataset))
    known = {"dataset": data, **({} if given_test is None else {"test": given_test})}
    settings = replace(settings, seed=fresh_seed(settings.seed, known))
    request = {
        **asdict(settings),
        "model_sha256": file_sha256(first_model),
        "dataset_sha256": data.sha256(),
        "config_sha256": config.sha256(),
        "test_sha256": None if given_test is None else given_test.sha256(),
    }
    directory.mkdir(parents=True, exist_ok=True)
    with locked(directory):
        if (directory / REQUEST_NAME).exists():
            same_request(directory / REQUEST_NAME, request)
        else:
            _write_json(directory / REQUEST_NAME, request)
        run = _Run(directory, data, config, settings, request, workers, show_progress)
        run.take_test(given_test, first)
        return run.rounds(first_model, targets, after_round)


class _Run:
    """One folder of rounds."""

    def __init__(
        self,
        directory: Path,
        data: Dataset,
        config: TrainingConfig,
        settings: RefineSettings,
        request: dict[str, Any],
        workers: int,
        show_progress: bool,
    ) -> None:
        self.directory, self.data, self.config, self.settings = directory, data, config, settings
        self.request, self.workers, self.show_progress = request, workers, show_progress
        self.space = PhaseSpace(data.info.process)
        self.chosen: list[Dataset] = []
        self.n_truth = 0
        self.next_trial = 0
        self.test = data  # until take_test
        assert settings.seed is not None
        self.seed = settings.seed

    def take_test(self, given: Dataset | None, first: Evaluator) -> None:
        """The test points: given, or drawn as the first surrogate says that events are distributed."""
        if given is not None:
            self.test = given
            return
        s = self.settings
        self.test = self._choose(
            self.directory / TEST_NAME, first, s.test_points, s.test_candidates, (1.0, 0.0), "test points"
        )

    def rounds(
        self, model: Path, targets: Targets, after_round: Callable[[list[Round]], object] | None
    ) -> Refinement:
        """All rounds, of which those that are done are read."""
        done: list[Round] = []
        while True:
            number = len(done)
            if number:
                wanted = self.settings.points_per_round
                if targets.truth_budget is not None:
                    wanted = min(wanted, targets.truth_budget - self.n_truth)
                done.append(self._round(number, _best(done), wanted))
            else:
                done.append(self._measure(0, model, self.directory, 0, time.process_time()))
            best = _best(done)
            stopped = (
                "targets"
                if targets.reached(best.measured)
                else "truth_budget"
                if targets.truth_budget is not None and self.n_truth >= targets.truth_budget
                else "rounds"
                if number >= targets.rounds
                else ""
            )
            _write_json(
                self.directory / HISTORY_NAME,
                {
                    "request": self.request,
                    "targets": targets.as_dict(),
                    "stopped": stopped,
                    "best": best.number,
                    "rounds": [r.as_dict() for r in done],
                },
            )
            if after_round is not None:
                after_round(done)
            if stopped:
                _copy(best.model, self.directory / MODEL_NAME)
                return Refinement(done, best, stopped)

    def _round(self, number: int, best: Round, wanted: int) -> Round:
        begin = time.process_time()
        folder = self.directory / f"round-{number:02d}"
        folder.mkdir(exist_ok=True)
        s = self.settings
        powers = (s.weight_power, s.sigma_power)
        evaluator = Evaluator(best.model, policy="nan")
        self.chosen.append(
            self._choose(folder / "points.h5", evaluator, wanted, s.candidates, powers, f"round {number}")
        )
        training, config = self._training_set(number)
        start = best.model if s.warm_start and self.config.posterior.type != "bayesian" else None
        path = folder / MEASURED_NAME
        if not path.exists():
            train(training, folder, config, resume=True, show_progress=self.show_progress, start=start)
            write_dataset(self.directory / DATA_NAME, training)
        return self._measure(number, folder / MODEL_NAME, folder, len(training) - len(self.test), begin)

    def _choose(
        self,
        path: Path,
        evaluator: Evaluator,
        n: int,
        n_trials: int,
        powers: tuple[float, float],
        title: str,
    ) -> Dataset:
        """Points of the next trials with their truth, from the file if they are there."""
        start, self.next_trial = self.next_trial, self.next_trial + n_trials
        if path.exists():
            dataset = Dataset.open(path)
        else:
            dataset = self._draw(path, evaluator, n, start, n_trials, powers, title)
        self.n_truth += len(dataset) + len(dataset.failed_trial)
        return dataset

    def _draw(
        self,
        path: Path,
        evaluator: Evaluator,
        n: int,
        start: int,
        n_trials: int,
        powers: tuple[float, float],
        title: str,
    ) -> Dataset:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(file=sys.stderr), disable=not self.show_progress) as bar:
            looking = bar.add_task(f"{title}: candidates", total=n_trials)
            selection = select(
                self.space,
                lambda sample: importance(evaluator, sample, *powers),
                n,
                n_trials,
                self.seed,
                start,
                flat_share=self.settings.flat_share,
                watch=lambda done: bar.update(looking, completed=done),
            )
            provenance = {
                "weight_power": powers[0],
                "sigma_power": powers[1],
                "flat_share": self.settings.flat_share,
                "n_candidates": selection.n_candidates,
                "first_trial": start,
                "model_tensors_sha256": evaluator.header["tensors_sha256"],
            }
            asking = bar.add_task(f"{title}: truth", total=len(selection.trial))
            return evaluated(
                selection,
                self.data.info,
                path,
                self.seed,
                provenance,
                self.workers,
                watch=lambda more: bar.advance(asking, more),
            )

    def _training_set(self, number: int) -> tuple[Dataset, TrainingConfig]:
        """All points in the order in which :func:`pyamp.training.train` splits them, and the shares of the split."""
        fraction = self.config.validation_fraction
        sets = [self.data, *self.chosen]
        n_validation = [max(1, round(fraction * len(part))) for part in sets]
        training = [part.select(slice(0, len(part) - n)) for part, n in zip(sets, n_validation, strict=True)]
        validation = [
            part.select(slice(len(part) - n, None)) for part, n in zip(sets, n_validation, strict=True)
        ]
        n_trials = sum(part.info.n_trials for part in [*sets, self.test])
        whole = joined(
            [*training, *validation, self.test],
            n_trials,
            json.dumps({**self.request, "rounds": number}, sort_keys=True),
        )
        split = {
            "validation_fraction": sum(n_validation) / len(whole),
            "test_fraction": len(self.test) / len(whole),
        }
        return whole, TrainingConfig.model_validate({**self.config.model_dump(), **split})

    def _measure(self, number: int, model: Path, folder: Path, n_train: int, begin: float) -> Round:
        path = folder / MEASURED_NAME
        if path.exists():
            stored = json.loads(path.read_text())
            measured = EventAccuracy(**stored.pop("measured"))
            return Round(**stored, measured=measured, model=model)
        evaluator = Evaluator(model, policy="nan")
        times = Times(self.data.info.t_me_ms, self.data.info.t_ps_ms, _milliseconds(evaluator, self.test))
        measured = event_accuracy(evaluator, self.test, times)
        found: dict[str, Any] = {"number": number, "n_truth": self.n_truth, "n_train": n_train}
        found["seconds"] = time.process_time() - begin
        _write_json(path, {**found, "measured": measured.as_dict()})
        return Round(**found, measured=measured, model=model)


def importance(
    evaluator: Evaluator, sample: PhaseSpaceSample, weight_power: float, sigma_power: float
) -> FloatArray:
    """(event weight)^weight_power · (σ_tot/A)^sigma_power ``(n,)``; 0 outside the domain of the surrogate."""
    amplitude, sigma = predict(evaluator, sample.momenta)
    known = np.isfinite(amplitude) & (amplitude > 0) & np.isfinite(sigma)
    amplitude = np.where(known, amplitude, 1.0)
    result = (amplitude * sample.weights) ** weight_power * (sigma / amplitude) ** sigma_power
    return np.where(known, result, 0.0)


def _best(rounds: list[Round]) -> Round:
    return min(rounds, key=lambda r: (r.measured.mean_p, -r.measured.epsilon_2nd))


def _milliseconds(evaluator: Evaluator, test: Dataset) -> float:
    """Processor time of a point in a batch."""
    batch = test.momenta[:TIMED_POINTS]
    evaluator(batch)
    found = []
    for _ in range(5):
        begin = time.thread_time()
        evaluator(batch)
        found.append(time.thread_time() - begin)
    return 1e3 * float(np.median(found)) / len(batch)


def _write_json(path: Path, content: object) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(json.dumps(content, indent=1) + "\n")
    rename_durably(temporary, path)


def _copy(source: Path, target: Path) -> None:
    temporary = target.with_name(target.name + ".tmp")
    shutil.copyfile(source, temporary)
    rename_durably(temporary, target)
