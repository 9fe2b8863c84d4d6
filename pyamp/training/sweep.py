"""Many trainings on one dataset, in parallel processes or on a Dask cluster."""

from __future__ import annotations

import csv
import itertools
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field
from rich.progress import Progress

from pyamp.configuration import StrictModel, validated
from pyamp.datasets import Dataset
from pyamp.errors import PyampError
from pyamp.training.config import TrainingConfig
from pyamp.training.run import METRICS_NAME, MODEL_NAME, train

if TYPE_CHECKING:
    from dask.distributed import Client

TABLE_NAME = "sweep.csv"


class SweepConfig(StrictModel):
    """A base configuration and what varies: every combination of a grid, or a list of named changes."""

    base: dict[str, Any] = Field(default={}, description="keys of a training configuration")
    grid: dict[str, list[Any]] = Field(
        default={}, description="key, with dots into sections, and its values: all combinations are trained"
    )
    runs: dict[str, dict[str, Any]] = Field(
        default={}, description="name of a run and its changes, keys with dots"
    )

    def configurations(self, source: str) -> dict[str, TrainingConfig]:
        """The configuration of each run by its name.

        Raises
        ------
        PyampError
            A configuration that is none, or no run at all; ``source`` begins the message.
        """
        if not self.grid and not self.runs:
            raise PyampError(
                f"{source}: neither grid nor runs found, at least one expected; name what varies"
            )
        changes = {}
        if self.grid:
            for values in itertools.product(*self.grid.values()):
                change = dict(zip(self.grid, values, strict=True))
                changes["-".join(_word(key, value) for key, value in change.items())] = change
        return {
            name: validated(_merged(self.base, change), TrainingConfig, f"{source}: run {name}")
            for name, change in {**changes, **self.runs}.items()
        }


def sweep(
    dataset: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    config: SweepConfig,
    *,
    source: str = "sweep",
    workers: int = 1,
    scheduler: str | None = None,
    show_progress: bool = False,
) -> list[dict[str, Any]]:
    """Train every configuration of a sweep in a directory of its own.

    Finished runs are not repeated and interrupted ones continue; a run that fails does not stop the others.

    Parameters
    ----------
    dataset : path-like
        Where every worker can read it.
    directory : path-like
        Gets a directory for each run, and ``sweep.csv``.
    config : SweepConfig
    source : str
        Begins the message of an error in the configuration.
    workers : int
        Processes on this machine.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers are used instead.
    show_progress : bool

    Returns
    -------
    list of dict
        A row for each run: ``run``, ``error`` (empty if it went well) and the metrics of the flat sample, best median
        deviation first.
    """
    from dask.distributed import as_completed

    configurations = config.configurations(source)
    Dataset.open(Path(dataset))  # a clear error now rather than one for each run
    directory = Path(directory).absolute()
    directory.mkdir(parents=True, exist_ok=True)
    rows = []
    with _client(workers, scheduler) as client, Progress(disable=not show_progress) as progress:
        task = progress.add_task("sweep", total=len(configurations))
        running = [
            client.submit(_train_one, str(Path(dataset).absolute()), str(directory / name), one.model_dump())
            for name, one in configurations.items()
        ]
        for future in as_completed(running):  # type: ignore[no-untyped-call]
            rows.append(future.result())
            progress.update(task, advance=1)
    rows.sort(key=lambda row: (bool(row["error"]), row.get("median_abs_delta", 0.0), row["run"]))
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with (directory / TABLE_NAME).open("w", newline="") as file:
        table = csv.DictWriter(file, columns)
        table.writeheader()
        table.writerows(rows)
    return rows


def _train_one(dataset: str, directory: str, config: dict[str, Any]) -> dict[str, Any]:
    """On a worker: train, or read what an earlier sweep left."""
    path = Path(directory)
    row: dict[str, Any] = {"run": path.name, "error": ""}
    settings = TrainingConfig.model_validate(config)
    try:
        if (path / MODEL_NAME).exists():
            metrics = json.loads((path / METRICS_NAME).read_text())
            found = metrics["config_sha256"]
            if found != settings.sha256():
                raise PyampError(f"{path}: holds another run; remove it or choose another output")
        else:
            metrics = train(Dataset.open(dataset), path, settings, resume=True).metrics
    except PyampError as error:
        return {**row, "error": str(error)}
    return {**row, **metrics["flat"], "x_max": metrics["x_max"], "train_s": metrics["train_s"]}


@contextmanager
def _client(workers: int, scheduler: str | None) -> Iterator[Client]:
    from dask.distributed import Client, LocalCluster

    if scheduler:
        try:
            client = Client(scheduler, timeout=10)  # type: ignore[no-untyped-call]
        except OSError as error:
            raise PyampError(
                f"scheduler {scheduler}: no Dask scheduler answers ({type(error).__name__}); "
                "start one with 'dask scheduler'"
            ) from None
        with client:
            yield client
        return
    cluster = LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, Client(cluster) as client:  # type: ignore[no-untyped-call]
        yield client


def _merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The base with the changes, whose keys have dots into sections."""
    result = json.loads(json.dumps(base))
    for key, value in change.items():
        *sections, last = key.split(".")
        inner = result
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[last] = value
    return dict(result)


def _word(key: str, value: Any) -> str:
    """Part of the name of a directory."""
    text = json.dumps(value) if isinstance(value, list | dict) else str(value)
    plain = "".join(c if c.isalnum() or c in "._" else "x" for c in text.replace(" ", ""))
    return f"{key.rsplit('.', 1)[-1]}_{plain.strip('x')}"
