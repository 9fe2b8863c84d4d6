"""From a dataset to a model file: split, train, test, write."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from rich.progress import Progress

from pyamp.calibration import accuracy, pulls, relative_deviation
from pyamp.datasets import Dataset
from pyamp.errors import PyampError
from pyamp.model_file import SELF_TEST_POINTS, ModelInfo, write_model
from pyamp.networks import Network
from pyamp.plotting import plot_pulls
from pyamp.surrogate import Surrogate
from pyamp.training.config import TrainingConfig
from pyamp.training.loop import RunFiles, Sample, Trainer
from pyamp.training.sigma_network import train_sigma_network
from pyamp.unweighting import budget_maximum

FloatArray = NDArray[np.float64]

MODEL_NAME = "model.safetensors"
CHECKPOINT_NAME = "checkpoint.pt"
MINIMUM_POINTS = 100
OVERWEIGHT_BUDGET = 1e-3


@dataclass(frozen=True)
class TrainingResult:
    """A finished run.

    Attributes
    ----------
    model_path : Path
        The model file.
    metrics : dict
        Accuracy on the test split: ``flat`` (all points the same) and ``amplitude`` (weighted with amplitude ×
        phase-space weight), keys as in :class:`pyamp.calibration.Accuracy`; ``x_max``, ``train_s``, ``n_parameters``.
    """

    model_path: Path
    metrics: dict[str, Any]


def train(
    dataset: Dataset,
    directory: str | os.PathLike[str],
    config: TrainingConfig | None = None,
    *,
    resume: bool = False,
    show_progress: bool = False,
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
    directory.mkdir(parents=True, exist_ok=True)
    dataset_sha256 = dataset.sha256()
    training, validation, test = dataset.split(len(dataset) - n_test - n_validation, n_validation, n_test)
    info = dataset.info
    surrogate = make_surrogate(config, list(info.process.pdg_ids), info.process.n_incoming, len(training))
    files = RunFiles(
        directory,
        CHECKPOINT_NAME,
        {"configuration": config.sha256(), "dataset": dataset_sha256},
        config.checkpoint_seconds,
        resume,
    )
    files.load()  # refuses what belongs to another run before anything is written
    (directory / "config.yaml").write_text(yaml.safe_dump(config.model_dump(), sort_keys=False))
    surrogate.fit_preprocessing(torch.from_numpy(training.momenta), torch.from_numpy(training.amplitude))
    samples = _sample(surrogate, training), _sample(surrogate, validation)
    with _threads(config.threads), Progress(disable=not show_progress) as progress:
        seconds = _train_stages(surrogate, config, *samples, files, progress)

    amplitude, sigma = _predict(surrogate, test.momenta)
    metrics = {
        **measure(test, amplitude, sigma),
        "train_s": seconds,
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
    model_path = directory / MODEL_NAME
    (directory / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    write_model(model_path, surrogate, model_info, torch.from_numpy(test.momenta[:SELF_TEST_POINTS]))
    return TrainingResult(model_path, metrics)


def make_surrogate(config: TrainingConfig, pdg_ids: list[int], n_incoming: int, n_train: int) -> Surrogate:
    """The surrogate that a configuration describes, with fresh weights.

    Raises
    ------
    PyampError
        Parts that do not go together.
    """
    torch.manual_seed(config.seed)
    representation = config.representation.build(pdg_ids, n_incoming)
    likelihood = config.likelihood.build()

    def make_network() -> Network:
        return config.network.build(representation, likelihood.n_outputs)

    posterior = config.posterior.build(make_network, n_train, config.seed)
    return Surrogate(representation, config.target.build(), posterior, likelihood)


def _train_stages(
    surrogate: Surrogate,
    config: TrainingConfig,
    training: Sample,
    validation: Sample,
    files: RunFiles,
    progress: Progress,
) -> float:
    """Every stage, then what is fitted to the result; seconds spent."""
    seconds, steps = 0.0, 0
    stages = config.stages()
    for number, stage in enumerate(stages):
        title = "training" if len(stages) == 1 else f"training {number + 1}/{len(stages)}"
        trainer = Trainer(
            surrogate.posterior,
            surrogate.likelihood,
            stage,
            training,
            validation,
            replace(files, checkpoint=_checkpoint_name(number)),
            config.seed + number,
            config.device,
            steps,
        )
        seconds += trainer.run(progress, title)
        steps += stage.steps
    surrogate.posterior.cpu()
    with torch.no_grad():
        outputs = surrogate.posterior(validation.features.to(surrogate.dtype))
    surrogate.likelihood.fit(outputs, validation.target)
    if config.sigma_network:
        seconds += train_sigma_network(
            surrogate,
            config.sigma_network,
            training,
            validation,
            replace(files, checkpoint="checkpoint_sigma.pt"),
            progress,
            seed=config.seed + len(stages),
            first_step=steps,
        )
    return seconds


def _checkpoint_name(stage: int) -> str:
    return CHECKPOINT_NAME if stage == 0 else f"checkpoint_{stage}.pt"


def measure(test: Dataset, amplitude: FloatArray, sigma: FloatArray) -> dict[str, Any]:
    """Accuracy of stripped predictions ``(n,)`` on test points, in both samples, and the x_max of a second stage."""
    weights = test.amplitude * test.phase_space_weight
    flat = test.sampling_weight if test.info.importance else None
    x = test.amplitude / amplitude
    return {
        "n_test": len(test),
        "flat": accuracy(amplitude, test.amplitude, sigma, flat).as_dict(),
        "amplitude": accuracy(amplitude, test.amplitude, sigma, weights).as_dict(),
        "x_max": float(budget_maximum(x, OVERWEIGHT_BUDGET, weights=weights / x)),
        "x_max_overweight_budget": OVERWEIGHT_BUDGET,
    }


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Torch's intra-op threads, as they were afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _sample(surrogate: Surrogate, dataset: Dataset) -> Sample:
    momenta, amplitude = torch.from_numpy(dataset.momenta), torch.from_numpy(dataset.amplitude)
    return Sample(*surrogate.preprocess(momenta, amplitude))


def _predict(surrogate: Surrogate, momenta: FloatArray) -> tuple[FloatArray, FloatArray]:
    with torch.inference_mode():
        prediction = surrogate(torch.from_numpy(momenta))
    return prediction.amplitude.numpy(), prediction.sigma_syst.numpy()
