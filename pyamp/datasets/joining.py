"""Datasets joined to one, and written as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from pyamp.datasets.dataset import Dataset
from pyamp.datasets.storage import (
    COLUMNS,
    RUN_COLUMNS,
    SAMPLING,
    TIMING,
    create_columns,
    create_failed,
    write_whole,
)
from pyamp.files import require_parent


def joined(parts: Sequence[Dataset], n_trials: int, refined: str) -> Dataset:
    """Points of independent trials of one phase space, one part after the other.

    Weights stay as they are: each part alone has the right mean over its own trials, so all have it over all trials.
    The parts number their trials on their own.

    Parameters
    ----------
    parts : sequence of Dataset
        Of one process with the same couplings; all else is said to be as in the first.
    n_trials : int
        Trials of all parts; selections of points that share trials count once.
    refined : str
        JSON of how the parts belong together.
    """
    info = replace(parts[0].info, n_trials=n_trials, refined=refined)
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in (*COLUMNS, SAMPLING, *RUN_COLUMNS)
    }
    failed = np.unique(np.concatenate([part.failed_trial for part in parts]))
    return Dataset(**columns, failed_trial=failed, info=info)


def write_dataset(path: Path, dataset: Dataset) -> None:
    """Write a dataset; the file appears whole or not at all."""
    require_parent(path)
    info = dataset.info

    def fill(file: h5py.File) -> None:
        create_columns(file, len(dataset), info.process.n_legs, info.extra_columns)
        for name in (*COLUMNS, *info.extra_columns):
            file[name][...] = getattr(dataset, name)
        create_failed(file, dataset.failed_trial)
        file.attrs.update(info.attributes())
        times = {name: getattr(info, name) for name in ("t_me_ms", "t_ps_ms")}
        file.create_group(TIMING).attrs.update({k: v for k, v in times.items() if np.isfinite(v)})

    write_whole(path, fill)
