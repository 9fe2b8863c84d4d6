"""The truth at points that were chosen, as a dataset; killed at any moment, it goes on with what is missing."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

import numpy as np

from pyamp.datasets import Dataset, DatasetInfo
from pyamp.datasets.generate import good_amplitudes
from pyamp.datasets.joining import write_dataset
from pyamp.files import rename_durably
from pyamp.refinement.selection import FloatArray, Selection
from pyamp.truth import truth

_POINTS_PER_PART = 500


def evaluated(
    selection: Selection,
    info: DatasetInfo,
    path: Path,
    seed: int,
    provenance: dict[str, object],
    workers: int = 1,
    watch: Callable[[int], object] | None = None,
) -> Dataset:
    """Ask the truth at the chosen points and write them as a dataset.

    Parameters
    ----------
    selection : Selection
    info : DatasetInfo
        Of a dataset of the same process, whose couplings are taken.
    path : Path
        File to write; beside it lie finished parts until it is whole.
    seed : int
        Of the phase space of the selection.
    provenance : dict
        What the file says about the choice, as JSON.
    workers : int
        Threads; the content is the same.
    watch : callable, optional
        Told how many more points are done.
    """
    parts = path.with_name(path.name + ".parts")
    parts.mkdir(exist_ok=True)
    chunks = [
        selection.momenta[begin : begin + _POINTS_PER_PART]
        for begin in range(0, len(selection.trial), _POINTS_PER_PART)
    ]

    def work(number: int) -> None:
        _part(parts / f"part-{number:06d}.npz", info.process.amplitude, chunks[number])

    with ThreadPoolExecutor(workers) as executor:
        running = {executor.submit(work, number): number for number in range(len(chunks))}
        try:
            for future in as_completed(running):
                future.result()
                if watch is not None:
                    watch(len(chunks[running[future]]))
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
    results = [
        _part(parts / f"part-{n:06d}.npz", info.process.amplitude, chunk) for n, chunk in enumerate(chunks)
    ]
    value, accuracy = np.concatenate(results, axis=1)
    good = good_amplitudes(value, accuracy)
    dataset = Dataset(
        momenta=selection.momenta[good],
        amplitude=value[good],
        accuracy=accuracy[good],
        phase_space_weight=selection.phase_space_weight[good],
        trial=selection.trial[good],
        sampling_weight=selection.sampling_weight[good],
        pdf_weight=np.ones(int(good.sum())),
        alpha_s=np.full(int(good.sum()), info.alpha_s),
        failed_trial=selection.trial[~good],
        info=replace(
            info,
            provider=truth(info.process.amplitude, info.alpha_s, info.alpha).version,
            seed=seed,
            n_trials=selection.n_trials,
            importance="",
            refined=json.dumps(provenance, sort_keys=True),
        ),
    )
    write_dataset(path, dataset)
    shutil.rmtree(parts)
    return Dataset.open(path)


def _part(path: Path, amplitude: str, momenta: FloatArray) -> FloatArray:
    """Stripped amplitudes and their relative accuracies ``(2, n)``, from the file if it is of these points."""
    digest = hashlib.sha256(momenta.tobytes()).hexdigest()
    if path.exists():
        with np.load(path) as stored:
            if str(stored["momenta_sha256"]) == digest:
                return np.asarray(stored["values"])
    # Its own provider, which need not be safe to share between threads.
    provider = truth(amplitude, alpha_s=1.0, alpha=1.0)
    values = np.stack(provider.me2(momenta, return_accuracy=True, on_failure="nan"))
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        np.savez(file, values=values, momenta_sha256=digest)
    rename_durably(temporary, path)
    return values
