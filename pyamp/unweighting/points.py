"""Where the points of an unweighting come from: datasets, read block by block, or the phase space of a process."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pyamp.datasets import Dataset, DatasetFile
from pyamp.datasets.storage import file_sha256
from pyamp.errors import PyampError
from pyamp.phase_space import PhaseSpace
from pyamp.processes import Process

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_HOPELESS = 1 << 22  # trials in a row that fail the cuts


@dataclass(frozen=True)
class Position:
    """Numbers of points, and of trials of the phase space, before some point."""

    point: int = 0
    trial: int = 0


@dataclass(frozen=True)
class Block:
    """Consecutive points.

    Attributes
    ----------
    start : int
        Number of points before the first one.
    momenta : ndarray, shape (n, n_legs, 4)
        In GeV, incoming legs first.
    measure : ndarray, shape (n,)
        What |M|² is multiplied with for a weight in pb.
    trials : ndarray of int64, shape (n,)
        Number of trials of the phase space up to each point, itself included.
    me2 : ndarray, shape (n,), or None
        The true |M|², where it is stored.
    t_ps : float
        Seconds that drawing the points took; NaN where they were read.
    """

    start: int
    momenta: FloatArray
    measure: FloatArray
    trials: IntArray
    me2: FloatArray | None = None
    t_ps: float = np.nan

    def __len__(self) -> int:
        return len(self.measure)

    @property
    def end(self) -> Position:
        """Position of the point that follows."""
        return Position(self.start + len(self), int(self.trials[-1]))

    def head(self, n: int) -> Block:
        """The first `n` points."""
        me2 = None if self.me2 is None else self.me2[:n]
        return replace(
            self, momenta=self.momenta[:n], measure=self.measure[:n], trials=self.trials[:n], me2=me2
        )


class PointSource(Protocol):
    """Points in a fixed order, whatever the sizes of the blocks in which they come."""

    @property
    def process(self) -> Process:
        """Process card."""

    @property
    def couplings(self) -> tuple[float, float] | None:
        """α_s and α of the weights; None: those of the model."""

    @property
    def n_points(self) -> int | None:
        """Number of points; None: as many as one likes."""

    @property
    def identity(self) -> list[dict[str, Any]]:
        """What tells these points from others, as plain numbers and strings."""

    @property
    def stored_times(self) -> tuple[float, float]:
        """Time in ms of the truth and the phase space for one point, as stored with the points; else NaN."""

    def blocks(self, start: Position, size: int) -> Iterator[Block]:
        """The points from a position on, about `size` at a time, none of them empty."""


class DatasetPoints:
    """The points of datasets of the same process, one file after the other.

    Parameters
    ----------
    paths : sequence of path-like
        HDF5 files of ``pyamp generate``.
    use_amplitudes : bool
        Whether the amplitudes of the files are the truth.

    Raises
    ------
    PyampError
        No files, unsound ones, or points of different processes or couplings.
    """

    couplings: tuple[float, float] | None

    def __init__(self, paths: Sequence[str | Path], use_amplitudes: bool = True) -> None:
        if not paths:
            raise PyampError("points: no dataset given; name HDF5 files of `pyamp generate`")
        self.paths = [Path(path) for path in paths]
        self.use_amplitudes = use_amplitudes
        self._lengths, self._trials, infos = [], [], []
        for path in self.paths:
            with DatasetFile(path) as file:
                infos.append(file.info)
                self._lengths.append(len(file))
                self._trials.append(int(file.info.n_trials))
        first = infos[0]
        for path, info in zip(self.paths, infos, strict=True):
            for name, found, expected in (
                ("legs", info.process.pdg_ids, first.process.pdg_ids),
                ("energies and cuts", info.domain, first.domain),
                ("alpha_s", info.alpha_s, first.alpha_s),
                ("alpha", info.alpha, first.alpha),
                ("truth", info.provider, first.provider),
                ("origin", bool(info.recorded), bool(first.recorded)),
            ):
                if found != expected:
                    raise PyampError(
                        f"{path}: {name} {found}, but {self.paths[0]} has {expected}; unweight them apart"
                    )
        self.process = first.process
        self.couplings = (first.alpha_s, first.alpha)
        self.provider = first.provider
        numbers = np.array(self._lengths, dtype=np.float64)
        self.stored_times = tuple(  # type: ignore[assignment]
            float((numbers * [getattr(info, name) for info in infos]).sum() / numbers.sum())
            for name in ("t_me_ms", "t_ps_ms")
        )
        if not use_amplitudes:
            self.stored_times = (np.nan, self.stored_times[1])

    stored_times: tuple[float, float]

    @property
    def n_points(self) -> int | None:
        """Of all files together."""
        return sum(self._lengths)

    @property
    def identity(self) -> list[dict[str, Any]]:
        """Names and hashes of the files."""
        return [{"dataset": path.name, "sha256": file_sha256(path)} for path in self.paths]

    def blocks(self, start: Position, size: int) -> Iterator[Block]:
        """Blocks of `size` points across the files; the last one may be smaller."""
        position = start.point
        with ExitStack() as opened:
            files = [opened.enter_context(DatasetFile(path)) for path in self.paths]
            while position < sum(self._lengths):
                end = min(position + size, sum(self._lengths))
                yield self._block(files, position, end)
                position = end

    def _block(self, files: list[DatasetFile], start: int, end: int) -> Block:
        parts: list[tuple[Dataset, int]] = []
        begin = trials = 0
        for file, length, n_trials in zip(files, self._lengths, self._trials, strict=True):
            low, high = max(start - begin, 0), min(end - begin, length)
            if low < high:
                parts.append((file.read(low, high), trials))
            begin, trials = begin + length, trials + n_trials
        return Block(
            start,
            np.concatenate([part.momenta for part, _ in parts]),
            np.concatenate([part.measure for part, _ in parts]),
            np.concatenate([part.trial + 1 + before for part, before in parts]),
            np.concatenate([part.me2 for part, _ in parts]) if self.use_amplitudes else None,
        )


class PhaseSpacePoints:
    """New points of a process; hadron beams without parton densities, x f(x) = 1.

    Parameters
    ----------
    process : Process
    seed : int
        Point k depends on it and on k alone.
    """

    couplings: tuple[float, float] | None = None
    n_points: int | None = None
    stored_times = (np.nan, np.nan)

    def __init__(self, process: Process, seed: int) -> None:
        self.process = process
        self.seed = seed
        self._space = PhaseSpace(process)

    @property
    def identity(self) -> list[dict[str, Any]]:
        """Card and seed."""
        return [{"phase_space": self.process.to_json(), "seed": self.seed}]

    def blocks(self, start: Position, size: int) -> Iterator[Block]:
        """Blocks of about `size` points."""
        point, trial, last_hit, efficiency = start.point, start.trial, start.trial, 1.0
        while True:
            n_trials = max(1, round(size / efficiency))
            begin = time.thread_time()
            sample = self._space.trials(n_trials, self.seed, trial)
            seconds = time.thread_time() - begin
            trial += n_trials
            n = len(sample.weights)
            efficiency = max(n / n_trials, 1e-3)
            if n:
                yield Block(point, sample.momenta, sample.weights, sample.trials + 1, t_ps=seconds)
                point, last_hit = point + n, trial
            elif trial - last_hit >= _HOPELESS:
                raise PyampError(
                    f"{self.process.name}: {trial - last_hit} trials in a row fail the cuts; loosen them or raise the "
                    "energy"
                )


def process_of_model(header: dict[str, Any]) -> Process:
    """The process card that the domain of a model file amounts to: its legs, energies and cuts."""
    process, domain = header["process"], header["domain"]
    low, high = domain["sqrt_s_hat"]
    energy = {"sqrt_s_hat": low} if low == high else {"sqrt_s": high, "sqrt_s_hat_min": low}
    return Process.model_validate(
        {
            "name": process["name"],
            "amplitude": process["name"],
            "pdg_ids": process["pdg_ids"],
            "n_incoming": process["n_incoming"],
            "energy": energy,
            "cuts": domain["cuts"],
        }
    )
