"""What a refinement refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from pyamp.datasets import Dataset
from pyamp.errors import PyampError
from pyamp.evaluator import Evaluator
from pyamp.model_file import SELF_TEST_POINTS
from pyamp.refinement.measurement import predict
from pyamp.refinement.settings import RefineSettings, Targets
from pyamp.training import TrainingConfig
from pyamp.training.run import MODEL_NAME

SEED_STEP = 1_000_003  # far from the seeds that people choose


def model_file(path: str | os.PathLike[str]) -> Path:
    """The model file of a path that may be the directory of a run."""
    path = Path(path)
    if path.is_dir():
        path = path / MODEL_NAME
        if not path.is_file():
            raise PyampError(
                f"{path.parent}: has no {MODEL_NAME}; give a model file, or the directory of a finished run"
            )
    return path


def stored_config(evaluator: Evaluator, path: Path) -> TrainingConfig:
    """The configuration with which a model was trained, from its header."""
    stored = evaluator.header["training"].get("config")
    try:
        return TrainingConfig.model_validate(stored)
    except ValueError:
        raise PyampError(
            f"{path}: does not hold the configuration it was trained with, or one of another version; give --config"
        ) from None


def fresh_seed(asked: int | None, known: dict[str, Dataset]) -> int:
    """A seed of phase space whose trials none of the datasets, named by what they are, can hold."""
    taken = {seed: name for name, dataset in known.items() for seed in _seeds(dataset)}
    if asked is None:
        return max(taken) + SEED_STEP
    if asked in taken:
        raise PyampError(
            f"seed is {asked}, that of the {taken[asked]}, whose points would be drawn again; choose another"
        )
    return asked


def _seeds(dataset: Dataset) -> set[int]:
    refined = json.loads(dataset.info.refined or "{}")
    return {dataset.info.seed, *([int(refined["seed"])] if "seed" in refined else [])}


def check_budget(targets: Targets, settings: RefineSettings, *, test_is_given: bool) -> None:
    """Refuse a budget that the test alone would spend."""
    if (
        not test_is_given
        and targets.truth_budget is not None
        and targets.truth_budget <= settings.test_points
    ):
        raise PyampError(
            f"truth_budget is {targets.truth_budget}, of which the test takes {settings.test_points}; raise it, ask "
            "for fewer test points, or give a test dataset"
        )


def check_parts(
    evaluator: Evaluator,
    model: Path,
    data: Dataset,
    path: Path,
    config: TrainingConfig,
    settings: RefineSettings,
) -> None:
    """Refuse a model, points and settings that do not go together."""
    info, process = data.info, evaluator.process
    if (list(info.process.pdg_ids), info.process.amplitude) != (list(process["pdg_ids"]), process["name"]):
        raise PyampError(
            f"{path}: amplitude {info.process.amplitude} of legs {list(info.process.pdg_ids)}, but {model} is "
            f"{process['name']} of {list(process['pdg_ids'])}; give points of its process"
        )
    if info.recorded:
        raise PyampError(
            f"{path}: points of another generator's run, which pyamp's phase space cannot add to; give points of "
            "`pyamp generate` with a process card"
        )
    if not config.export:
        raise PyampError("export is false, but new points are chosen with the model file; set it to true")
    if settings.sigma_power and _has_no_sigma(evaluator, data):
        raise PyampError(
            f"{model}: its σ is 0 everywhere, so nothing says where it may be wrong; train it with another likelihood "
            "or a sigma_network, or set --sigma-power 0"
        )


def _has_no_sigma(evaluator: Evaluator, data: Dataset) -> bool:
    _, sigma = predict(evaluator, data.momenta[:100])
    return not (sigma > 0).any()


def checked_test(path: Path, data: Dataset, data_path: Path) -> Dataset:
    """Test points that go with the others and are none of them."""
    test = Dataset.open(path)
    same = test.info.process == data.info.process and test.info.couplings == data.info.couplings
    if not same or test.info.recorded:
        raise PyampError(
            f"{path}: not of the process card, couplings and phase space of {data_path}; generate it with the same "
            "and another seed"
        )
    leg = data.info.process.n_incoming
    if np.isin(test.momenta[:, leg, 1], data.momenta[:, leg, 1]).any():
        raise PyampError(f"{path}: holds points of {data_path}; generate the test points with another seed")
    if len(test) < SELF_TEST_POINTS:
        raise PyampError(f"{path}: {len(test)} points found; expected at least {SELF_TEST_POINTS}")
    return test


def same_request(path: Path, request: dict[str, Any]) -> None:
    """Refuse the folder of another refinement."""
    try:
        found = json.loads(path.read_text())
    except ValueError:
        raise PyampError(f"{path}: not readable; choose another output, or remove {path.parent}") from None
    for key, wanted in request.items():
        if found.get(key) != wanted:
            raise PyampError(
                f"{path.parent}: holds another refinement ({key} is {found.get(key)!r}, {wanted!r} wanted); choose "
                "another output, or remove it"
            )
