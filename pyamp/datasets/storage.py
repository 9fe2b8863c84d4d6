"""The HDF5 layout of datasets and their shards, and files that are either whole or not there."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from pyamp.files import rename_durably

FORMAT = "pyamp dataset"
FORMAT_VERSION = 3  # of what a surrogate chose; 2 with RUN_COLUMNS, 1 for all the rest

FAILED = "failed_trial"
TIMING = "timing"

_DTYPES = {
    "momenta": np.float64,
    "amplitude": np.float64,
    "accuracy": np.float64,
    "phase_space_weight": np.float64,
    "trial": np.int64,
}
COLUMNS = tuple(_DTYPES)
SAMPLING = "sampling_weight"  # only in a dataset that is not flat
RUN_COLUMNS = ("pdf_weight", "alpha_s")  # only where a run of a generator gave the points


def create_columns(file: h5py.File, n_points: int, n_legs: int, extra: Iterable[str] = ()) -> None:
    """Make the columns for `n_points` points, empty, each with its unit; `extra` ones are plain numbers."""
    for name in extra:
        file.create_dataset(name, (n_points,), np.float64).attrs["units"] = "1"
    units = {
        "momenta": "GeV",
        "amplitude": f"GeV^{8 - 2 * n_legs}",
        "accuracy": "1",
        "phase_space_weight": f"pb GeV^{2 * n_legs - 8}",
        "trial": "1",
    }
    for name, dtype in _DTYPES.items():
        shape = (n_points, n_legs, 4) if name == "momenta" else (n_points,)
        file.create_dataset(name, shape, dtype).attrs["units"] = units[name]


def create_failed(file: h5py.File, trials: npt.NDArray[np.int64]) -> None:
    """Store the trials whose truth gave no finite positive number."""
    file.create_dataset(FAILED, data=trials).attrs["units"] = "1"


def write_whole(path: Path, fill: Callable[[h5py.File], None], temporary: Path | None = None) -> None:
    """Write an HDF5 file so that a kill or power cut leaves either all of it or nothing under its name.

    Parameters
    ----------
    path : Path
        Final name.
    fill : callable
        Writes the content.
    temporary : Path, optional
        Name while it is written, on the same file system.
    """
    temporary = temporary or path.with_name(path.name + ".tmp")
    with h5py.File(temporary, "w") as file:
        fill(file)
    rename_durably(temporary, path)


def file_sha256(path: Path) -> str:
    """SHA-256 of the bytes of a file, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
