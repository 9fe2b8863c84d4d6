"""From a dataset to a model file: split, train, test, write."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from rich.progress import Progress

from pyamp.calibration import accuracy, pulls, relative_deviation
from pyamp.datasets import Dataset
from pyamp.datasets.storage import file_sha256
from pyamp.errors import PyampError
from pyamp.model_file import SELF_TEST_POINTS, ModelInfo, load_surrogate, write_model
from pyamp.plotting import plot_pulls
from pyamp.recalibration import least_points
from pyamp.surrogate import Surrogate
from pyamp.training.config import TrainingConfig
from pyamp.training.fit import Points, fit, make_surrogate
from pyamp.training.loop import RunFiles
from pyamp.unweighting import budget_maximum

FloatArray = NDArray[np.float64]

MODEL_NAME = "model.safetensors"
METRICS_NAME = "metrics.json"
CHECKPOINT_NAME = "checkpoint.pt"
MINIMUM_POINTS = 100
OVERWEIGHT_BUDGET = 1e-3
LARGEST_WEIGHT = 30.0  # of a point in the loss: above, a batch would be that point's alone


@dataclass(frozen=True)
class TrainingResult:
    """A finished run.

    Attributes
    ----------
    model_path : Path or None
        The model file; None if the configuration says ``export: false``.
    metrics : dict
        Accuracy on the test split: ``flat`` (all points the same) and ``amplitude`` (weighted with amplitude ×
        phase-space weight), keys as in :class:`pyamp.calibration.Accuracy`; ``x_max``, ``train_s``, ``n_parameters``.
    """

    model_path: Path | None
    metrics: dict[str, Any]


def train(
    dataset: Dataset,
    directory: str | os.PathLike[str],
    config: TrainingConfig | None = None,
    *,
    resume: bool = False,
    show_progress: bool = False,
    start: str | os.PathLike[str] | None = None,
) -> TrainingResult:
    """Train a surrogate and write it with its metrics.

    Parameters
    ----------
    dataset : Dataset
        Split into training, validation and test points by the configuration.
    directory : path-like
        Gets ``model.safetensors``, ``metrics.json``, ``pulls.png``, ``config.yaml``, ``log.csv``, TensorBoard events
        and ``checkpoint.pt``.
    config : TrainingConfig, optional
    resume : bool
        Continue an interrupted run from its checkpoint; the result is that of the uninterrupted run.
    show_progress : bool
        Show a progress bar.
    start : path-like, optional
        Model file whose weights and standardisation to begin with; its configuration has to be the same but for steps
        and the like.

    Returns
    -------
    TrainingResult

    Raises
    ------
    PyampError
        Too few points; a checkpoint of another configuration or dataset; the training diverged.
    """
    config = config or TrainingConfig()
    directory = Path(directory)
    if len(dataset) < MINIMUM_POINTS:
        raise PyampError(
            f"dataset: {len(dataset)} points found, at least {MINIMUM_POINTS} expected; generate more"
        )
    if not resume:
        for name, what in ((MODEL_NAME, "a finished"), (CHECKPOINT_NAME, "an interrupted")):
            if (directory / name).exists():
                raise PyampError(
                    f"{directory}: holds {what} run; continue it with --resume, choose another directory or remove it"
                )
    n_test = round(config.test_fraction * len(dataset))
    n_validation = round(config.validation_fraction * len(dataset))
    if n_test < SELF_TEST_POINTS or n_validation < 1:
        raise PyampError(
            f"dataset: {n_test} test and {n_validation} validation points of {len(dataset)}, at least "
            f"{SELF_TEST_POINTS} and 1 expected; generate more, or raise test_fraction and validation_fraction"
        )
    if config.recalibration and n_validation < least_points(config.recalibration):
        raise PyampError(
            f"dataset: {n_validation} validation points of {len(dataset)}, at least "
            f"{least_points(config.recalibration)} expected for recalibration {config.recalibration}; "
            "generate more, or raise validation_fraction"
        )
    dataset_sha256 = dataset.sha256()
    training, validation, test = dataset.split(len(dataset) - n_test - n_validation, n_validation, n_test)
    info = dataset.info
    surrogate = make_surrogate(config, list(info.process.pdg_ids), info.process.n_incoming, len(training))
    reason = surrogate.posterior.architecture.not_exportable
    if config.export and reason:
        raise PyampError(f"network: {reason}; set export: false to train and measure it without a model file")
    directory.mkdir(parents=True, exist_ok=True)
    first = None if start is None else load_surrogate(start)
    files = RunFiles(
        directory,
        CHECKPOINT_NAME,
        {
            "configuration": config.sha256(),
            "dataset": dataset_sha256,
            **({} if start is None else {"start": file_sha256(Path(start))}),
        },
        config.checkpoint_seconds,
        resume,
    )
    files.load()  # refuses what belongs to another run before anything is written
    (directory / "config.yaml").write_text(yaml.safe_dump(config.model_dump(), sort_keys=False))
    with Progress(disable=not show_progress) as progress:
        known = training_points(training, config, seed=config.seed)
        held_out = training_points(validation, config, seed=config.seed + 1)
        seconds = fit(surrogate, config, known, held_out, files, progress, first)

    amplitude, sigma = _predict(surrogate, test.momenta)
    metrics = {
        **measure(test, amplitude, sigma),
        "train_s": seconds,
        "config_sha256": config.sha256(),
        "n_parameters": sum(p.numel() for p in surrogate.parameters()),
    }
    plot_pulls(
        directory / "pulls.png",
        pulls(amplitude, test.amplitude, sigma),
        relative_deviation(amplitude, test.amplitude),
        f"{info.process.name}: {len(training)} training and {len(test)} test points",
    )
    model_info = ModelInfo(
        process={
            "name": info.process.amplitude,
            "pdg_ids": list(info.process.pdg_ids),
            "n_incoming": info.process.n_incoming,
        },
        couplings={
            "alpha_s": info.alpha_s,
            "alpha": info.alpha,
            "alpha_s_power": info.alpha_s_power,
            "alpha_power": info.alpha_power,
        },
        spin_colour_average=info.spin_colour_average,
        domain=info.domain,
        training={
            "seed": config.seed,
            "n_train": len(training),
            "config": config.model_dump(),
            "config_sha256": config.sha256(),
            "dataset_sha256": dataset_sha256,
            "truth": info.provider,
        },
        metrics=metrics,
    )
    (directory / METRICS_NAME).write_text(json.dumps(metrics, indent=1) + "\n")
    if not config.export:
        return TrainingResult(None, metrics)
    model_path = directory / MODEL_NAME
    write_model(model_path, surrogate, model_info, torch.from_numpy(test.momenta[:SELF_TEST_POINTS]))
    return TrainingResult(model_path, metrics)


def measure(test: Dataset, amplitude: FloatArray, sigma: FloatArray) -> dict[str, Any]:
    """Accuracy of stripped predictions ``(n,)`` on test points, in both samples, and the x_max of a second stage.

    ``x_max`` is None for a surrogate that is not positive everywhere.
    """
    weights = test.amplitude * test.measure
    flat = None if test.info.is_flat else test.sampling_weight
    if not np.isfinite(amplitude).all():
        raise PyampError(
            f"training: {(~np.isfinite(amplitude)).sum()} of {len(amplitude)} predictions on test points are NaN or "
            "infinite, finite ones expected; train for longer or lower learning_rate"
        )
    return {
        "n_test": len(test),
        "flat": accuracy(amplitude, test.amplitude, sigma, flat).as_dict(),
        "amplitude": accuracy(amplitude, test.amplitude, sigma, weights).as_dict(),
        "x_max": _x_max(test, amplitude),
        "x_max_overweight_budget": OVERWEIGHT_BUDGET,
    }


def _x_max(test: Dataset, amplitude: FloatArray) -> float | None:
    """None where the surrogate is not positive everywhere: it cannot choose events then."""
    if (amplitude <= 0).any():
        return None
    surrogate_weights = amplitude * test.measure
    return float(budget_maximum(test.amplitude / amplitude, OVERWEIGHT_BUDGET, weights=surrogate_weights))


def training_points(dataset: Dataset, config: TrainingConfig, seed: int) -> Points:
    """What is trained on: with the noise of the configuration, and its weights."""
    amplitude, kept = config.noise.apply(dataset.momenta, dataset.amplitude, seed)
    weight = None
    if config.event_weighting:
        weight = torch.from_numpy(
            loss_weights(dataset.amplitude * dataset.measure, config.event_weighting)[kept]
        )
    return Points(torch.from_numpy(dataset.momenta[kept]), torch.from_numpy(amplitude[kept]), weight)


def loss_weights(event_weights: FloatArray, power: float) -> FloatArray:
    """What points ``(n,)`` weigh in the loss: a power of their event weights over its mean, at most LARGEST_WEIGHT."""
    powers: FloatArray = event_weights**power
    return np.asarray(np.minimum(powers / powers.mean(), LARGEST_WEIGHT))


def _predict(surrogate: Surrogate, momenta: FloatArray) -> tuple[FloatArray, FloatArray]:
    with torch.inference_mode():
        prediction = surrogate(torch.from_numpy(momenta))
    return prediction.amplitude.numpy(), prediction.sigma_syst.numpy()
