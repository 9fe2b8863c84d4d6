"""Reading datasets, whole or in blocks, checked on opening."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
import numpy.typing as npt

from pyamp.configuration import validated
from pyamp.datasets.storage import COLUMNS, FAILED, FORMAT, FORMAT_VERSION, RUN_COLUMNS, SAMPLING, TIMING
from pyamp.errors import PyampError
from pyamp.processes import Process

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DatasetInfo:
    """How a dataset was made.

    Attributes
    ----------
    process : Process
        The process card, phase space and cuts included.
    alpha_s, alpha : float
        Couplings that :attr:`Dataset.me2` multiplies the stripped amplitudes with.
    alpha_s_power, alpha_power : int
        How |M|² scales with them.
    spin_colour_average : float
        Number of initial helicity and colour states averaged over.
    provider : str
        Name and version of the truth.
    seed : int
        Seed of the phase space.
    n_trials : int
        Trials drawn for the points, those that failed the cuts included.
    pyamp_version : str
        Version that wrote it.
    importance : str
        JSON of :class:`pyamp.datasets.Importance`; empty if the points were not thinned so.
    recorded : str
        JSON of the run that the points were taken from, such as Sherpa's; empty if pyamp's own phase space drew them.
    refined : str
        JSON of how a surrogate chose the points, see :mod:`pyamp.refinement`; empty if none did.
    t_me_ms, t_ps_ms : float
        Processor time in ms: of the truth for a point (without its accuracy), and of the phase space for a
        point that passes the cuts, failed trials included. No part of the content.
    """

    process: Process
    alpha_s: float
    alpha: float
    alpha_s_power: int
    alpha_power: int
    spin_colour_average: float
    provider: str
    seed: int
    n_trials: int
    pyamp_version: str
    importance: str = ""
    recorded: str = ""
    refined: str = ""
    t_me_ms: float = field(default=float("nan"), compare=False)
    t_ps_ms: float = field(default=float("nan"), compare=False)

    @property
    def domain(self) -> dict[str, Any]:
        """Partonic energies in GeV and cuts that the points cover."""
        return self.process.domain()

    @property
    def is_flat(self) -> bool:
        """Whether the points are flat in phase space, so that all sampling weights are 1."""
        return not (self.importance or self.recorded or self.refined)

    @property
    def extra_columns(self) -> tuple[str, ...]:
        """Columns beside those that every dataset has."""
        return () if self.is_flat else (SAMPLING, *(RUN_COLUMNS if self.recorded else ()))

    @property
    def couplings(self) -> float:
        """α_s^p α^q of the dataset: |M|² over the stripped amplitude."""
        return float(self.alpha_s**self.alpha_s_power * self.alpha**self.alpha_power)

    def attributes(self) -> dict[str, str | int | float]:
        """What the file stores about its content, in a fixed order; timings apart."""
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION if self.refined else 2 if self.recorded else 1,
            "pyamp_version": self.pyamp_version,
            "provider": self.provider,
            "process": self.process.to_json(),
            "cuts": json.dumps(self.process.cuts.as_dict(), sort_keys=True),
            "domain": json.dumps(self.domain, sort_keys=True),
            "alpha_s": self.alpha_s,
            "alpha": self.alpha,
            "alpha_s_power": self.alpha_s_power,
            "alpha_power": self.alpha_power,
            "spin_colour_average": self.spin_colour_average,
            "seed": self.seed,
            "n_trials": self.n_trials,
            **({"importance": self.importance} if self.importance else {}),
            **({"recorded": self.recorded} if self.recorded else {}),
            **({"refined": self.refined} if self.refined else {}),
        }


@dataclass(frozen=True)
class Dataset:
    """Points, amplitudes and how they were made; made by :func:`generate`, read by :meth:`open`.

    Attributes
    ----------
    momenta : ndarray, shape (n_points, n_legs, 4)
        ``[E, px, py, pz]`` in GeV in the laboratory, incoming legs first.
    amplitude : ndarray, shape (n_points,)
        |M|² summed over final and averaged over initial helicities and colours, couplings stripped, without
        identical-particle factors, in GeV^(8 - 2 n_legs).
    accuracy : ndarray, shape (n_points,)
        Relative numerical accuracy of the amplitude as the truth estimates it; NaN where it does not.
    phase_space_weight : ndarray, shape (n_points,)
        In pb GeV^(2 n_legs - 8), see :class:`pyamp.phase_space.PhaseSpace`.
    trial : ndarray of int64, shape (n_points,)
        Index of the phase-space trial.
    sampling_weight : ndarray, shape (n_points,)
        1 where points are flat in phase space; otherwise how many flat points one stands for. The phase-space weight
        contains it.
    pdf_weight : ndarray, shape (n_points,)
        x₁f(x₁) x₂f(x₂) of the run that the points were taken from; 1 where there was none, or without hadrons.
    alpha_s : ndarray, shape (n_points,)
        Strong coupling of that run at the scale of the point; otherwise that of `info`.
    failed_trial : ndarray of int64, shape (n_failed,)
        Trials left out since the truth gave no finite positive number, or one with a relative error above 1e-3.
    info : DatasetInfo
        How it was made.
    """

    momenta: FloatArray
    amplitude: FloatArray
    accuracy: FloatArray
    phase_space_weight: FloatArray
    trial: IntArray
    sampling_weight: FloatArray
    pdf_weight: FloatArray
    alpha_s: FloatArray
    failed_trial: IntArray
    info: DatasetInfo

    def __len__(self) -> int:
        return len(self.amplitude)

    @property
    def me2(self) -> FloatArray:
        """|M|² with the couplings of the dataset, shape (n_points,), in GeV^(8 - 2 n_legs)."""
        return self.amplitude * self.info.couplings

    @property
    def measure(self) -> FloatArray:
        """What :attr:`me2` is multiplied with for the weights of events, shape (n_points,), in pb GeV^(2 n_legs - 8).

        The phase-space weight with parton densities and the running of α_s, where the points bring them. Averaged over
        all trials of phase space, the product is the cross section in pb.
        """
        running = (self.alpha_s / self.info.alpha_s) ** self.info.alpha_s_power
        return self.phase_space_weight * self.pdf_weight * running

    @classmethod
    def open(cls, path: str | Path) -> "Dataset":
        """Read a dataset.

        Raises
        ------
        PyampError
            If the file is missing, no pyamp dataset, of a newer format or incomplete.
        """
        with DatasetFile(path) as file:
            return file.read()

    def select(self, points: Any) -> "Dataset":
        """The points of an index, a slice or a mask, in that order; how they were made stays as it is."""
        return replace(
            self, **{name: getattr(self, name)[points] for name in (*COLUMNS, SAMPLING, *RUN_COLUMNS)}
        )

    def split(self, *sizes: float, seed: int | None = None) -> tuple["Dataset", ...]:
        """Disjoint parts, such as ``train, validation, test = dataset.split(0.8, 0.1, 0.1)``.

        Parameters
        ----------
        *sizes : float or int
            Share of the points (below or equal 1.0, a float) or number of points (int) of each part.
        seed : int, optional
            Shuffle first. By default the parts are consecutive, which is as good: points are independent.
        """
        counts = [round(size * len(self)) if isinstance(size, float) else size for size in sizes]
        if isinstance(sizes[0], float) and sum(counts) - len(self) in range(1, len(sizes)):
            counts[-1] -= sum(counts) - len(self)  # rounding
        if min(counts) < 0 or sum(counts) > len(self):
            raise PyampError(f"split: parts of {counts} points asked of {len(self)}; ask for fewer")
        order = np.arange(len(self)) if seed is None else np.random.default_rng(seed).permutation(len(self))
        ends = np.cumsum(counts)
        return tuple(self.select(order[end - count : end]) for count, end in zip(counts, ends, strict=True))

    def sha256(self) -> str:
        """Hash of the content in hexadecimal: every column and attribute, but no timing."""
        digest = hashlib.sha256(json.dumps(self.info.attributes(), sort_keys=True).encode())
        for name in (*COLUMNS, FAILED, *self.info.extra_columns):
            column = np.ascontiguousarray(getattr(self, name))
            digest.update(f"{name} {column.dtype.str} {column.shape}".encode())
            digest.update(column.tobytes())
        return digest.hexdigest()


class DatasetFile:
    """A dataset on disk, of which parts are read: a context manager.

    Parameters
    ----------
    path : path-like
        HDF5 file.

    Attributes
    ----------
    path : Path
    info : DatasetInfo
        How it was made.

    Raises
    ------
    PyampError
        If the file is missing, no pyamp dataset, of a newer format or incomplete; on reading, if points are not sound.

    Examples
    --------
    >>> with DatasetFile("aag.h5") as file:  # doctest: +SKIP
    ...     for block in file.blocks(10_000):
    ...         total += (block.me2 * block.measure).sum()
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path = Path(path)
        if not path.is_file():
            hint = ""
            if path.with_name(path.name + ".parts").is_dir():
                hint = f" (its generation was interrupted: {path.name}.parts holds what is done; resume it)"
            raise PyampError(f"{path}: no such file{hint}; make it with `pyamp generate`")
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            raise self._unreadable(error) from None
        try:
            self.info = self._checked()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._file["amplitude"])

    def read(self, start: int = 0, stop: int | None = None) -> Dataset:
        """Points `start` to `stop` (to the end by default); how they were made is that of all."""
        points = slice(start, stop)
        try:
            columns = {name: self._file[name][points] for name in (*COLUMNS, *self.info.extra_columns)}
            columns[FAILED] = self._file[FAILED][...]
        except OSError as error:
            raise self._unreadable(error) from None
        n = len(columns["amplitude"])
        columns = {
            SAMPLING: np.ones(n),
            "pdf_weight": np.ones(n),
            "alpha_s": np.full(n, self.info.alpha_s),
            **columns,
        }
        if not (np.isfinite(columns["momenta"]).all() and (columns["amplitude"] > 0).all()):
            raise PyampError(
                f"{self.path}: NaN momenta or amplitudes that are not positive; generate the dataset again"
            )
        return Dataset(**columns, info=self.info)

    def blocks(self, size: int, start: int = 0, stop: int | None = None) -> Iterator[Dataset]:
        """The points from `start` to `stop` in blocks of `size`, one in memory at a time."""
        stop = len(self) if stop is None else min(stop, len(self))
        for begin in range(start, stop, size):
            yield self.read(begin, min(begin + size, stop))

    def _unreadable(self, error: OSError) -> PyampError:
        return PyampError(f"{self.path}: not a readable HDF5 file ({str(error).splitlines()[0]})")

    def _checked(self) -> DatasetInfo:
        file, path = self._file, self.path
        attributes = dict(file.attrs)
        if attributes.get("format") != FORMAT:
            raise PyampError(f"{path}: format is {attributes.get('format')!r}; expected '{FORMAT}'")
        if not 1 <= attributes.get("format_version", 0) <= FORMAT_VERSION:
            raise PyampError(
                f"{path}: format version {attributes.get('format_version')}, this pyamp reads up to "
                f"{FORMAT_VERSION}; update pyamp"
            )
        info = _read_info(attributes, file[TIMING].attrs if TIMING in file else {}, path)
        missing = [name for name in (*COLUMNS, FAILED, *info.extra_columns) if name not in file]
        if missing:
            raise PyampError(f"{path}: columns {', '.join(missing)} are missing; generate the dataset again")
        n = len(file["amplitude"])
        for name in (*COLUMNS, *info.extra_columns):
            expected = (n, info.process.n_legs, 4) if name == "momenta" else (n,)
            if file[name].shape != expected:
                raise PyampError(
                    f"{path}: column {name} has shape {file[name].shape}; expected {expected}; "
                    "generate the dataset again"
                )
        return info


def _read_info(attributes: dict[str, Any], timing: Mapping[str, Any], path: Path) -> DatasetInfo:
    stored = [f.name for f in fields(DatasetInfo) if not f.name.startswith("t_")]
    attributes = {"importance": "", "recorded": "", "refined": "", **attributes}
    missing = [name for name in stored if name not in attributes]
    if missing:
        raise PyampError(f"{path}: attributes {', '.join(missing)} are missing; generate the dataset again")
    values = {name: _plain(attributes[name]) for name in stored}
    values["process"] = validated(json.loads(values["process"]), Process, f"{path}: attribute process")
    values |= {name: float(timing[name]) for name in ("t_me_ms", "t_ps_ms") if name in timing}
    return DatasetInfo(**values)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
