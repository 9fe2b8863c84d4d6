"""Fitting a surrogate to points: preprocessing, the stages of training, boosting, and what comes after them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from rich.progress import Progress

from pyamp.networks import Network
from pyamp.recalibration import RecalibrationKind, fit_recalibration
from pyamp.surrogate import Surrogate
from pyamp.training.boosting import Boosting
from pyamp.training.config import TrainingConfig
from pyamp.training.last_layer import refit_last_layer
from pyamp.training.loop import RunFiles, Trainer
from pyamp.training.sample import Sample
from pyamp.training.sigma_network import SigmaNetworkConfig, train_sigma_network
from pyamp.training.stage import StageConfig


@dataclass(frozen=True)
class Points:
    """Momenta ``(n, legs, 4)`` in GeV, stripped amplitudes ``(n,)`` and, or None, weights in the loss; float64."""

    momenta: torch.Tensor
    amplitude: torch.Tensor
    weight: torch.Tensor | None = None


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


def fit(
    surrogate: Surrogate,
    config: TrainingConfig,
    training: Points,
    validation: Points,
    files: RunFiles,
    progress: Progress,
    start: Surrogate | None = None,
) -> float:
    """Train a surrogate on points.

    Parameters
    ----------
    surrogate : Surrogate
        Left on the CPU with its best weights, in the arithmetic in which it will be evaluated.
    config : TrainingConfig
    training, validation : Points
    files : RunFiles
        Where every stage has its checkpoint, named after that of the first.
    progress : Progress
    start : Surrogate, optional
        Whose standardisation and weights to begin with; by default they are those of the points, and random.

    Returns
    -------
    float
        Seconds spent in training, earlier parts of a resumed run included.
    """
    if start is None:
        surrogate.fit_preprocessing(training.momenta, training.amplitude)
    else:
        surrogate.continue_from(start)
    dtype = getattr(torch, config.most_precise_dtype())
    known, held_out = (
        Sample(*surrogate.preprocess(p.momenta, p.amplitude, dtype), p.weight) for p in (training, validation)
    )
    with _threads(config.threads):
        run = _Run(surrogate, config, known, held_out, files, progress)
        run.train()
    if config.evaluation_dtype:
        surrogate.to_dtype(getattr(torch, config.evaluation_dtype))
    if config.recalibration:
        _recalibrate(surrogate, config.recalibration, validation)
    return run.seconds


class _Run:
    """The stages of one fit, each with its number, its checkpoint and its place in the log."""

    def __init__(
        self,
        surrogate: Surrogate,
        config: TrainingConfig,
        training: Sample,
        validation: Sample,
        files: RunFiles,
        progress: Progress,
    ) -> None:
        self.seconds = 0.0
        self._surrogate = surrogate
        self._config = config
        self._training = training
        self._validation = validation
        self._files = files
        self._progress = progress
        self._number = 0
        self._steps = 0

    def train(self) -> None:
        stages = self._config.stages()
        for number, stage in enumerate(stages):
            title = "training" if len(stages) == 1 else f"training {number + 1}/{len(stages)}"
            self._stage(stage, self._training, title)
        if self._config.boosting:
            self._boost()
        self._surrogate.posterior.cpu()
        with torch.no_grad():
            outputs = self._surrogate.posterior(self._validation.features.to(self._surrogate.dtype))
        self._surrogate.likelihood.fit(outputs, self._validation.target)
        if self._config.sigma_network:
            self._train_sigma(self._config.sigma_network)
        if self._config.refit_last_layer:
            refit_last_layer(self._surrogate, self._training)
            if self._config.sigma_network:
                self._train_sigma(self._config.sigma_network)

    def _train_sigma(self, config: SigmaNetworkConfig) -> None:
        self.seconds += train_sigma_network(
            self._surrogate,
            config,
            self._training,
            self._validation,
            progress=self._progress,
            **self._options(),
        )
        self._number += 1
        self._steps += config.training.steps

    def _boost(self) -> None:
        config, surrogate = self._config.boosting, self._surrogate
        assert config is not None
        boosting = Boosting(config, self._training)
        for number in range(config.rounds):
            sample = boosting.next_sample(number, surrogate.posterior, surrogate.likelihood)
            prior = surrogate.posterior.prior
            if prior is not None:  # copies of points are points that share it
                surrogate.posterior.prior = replace(prior, n_train=len(sample.target))
            self._stage(config.training, sample, f"boosting {number + 1}/{config.rounds}")

    def _stage(self, stage: StageConfig, sample: Sample, title: str) -> None:
        trainer = Trainer(
            self._surrogate.posterior,
            self._surrogate.likelihood,
            stage,
            sample,
            self._validation,
            **self._options(),
        )
        self.seconds += trainer.run(self._progress, title)
        self._number += 1
        self._steps += stage.steps

    def _options(self) -> dict[str, Any]:
        name = self._files.checkpoint
        if self._number:
            name = name.replace(".pt", f"_{self._number}.pt")
        return {
            "files": replace(self._files, checkpoint=name),
            "seed": self._config.seed + self._number,
            "device": self._config.device,
            "first_step": self._steps,
        }


def _recalibrate(surrogate: Surrogate, kind: RecalibrationKind, points: Points) -> None:
    with torch.no_grad():
        found = surrogate(points.momenta)
    values = (found.amplitude, points.amplitude, found.sigma_syst, found.sigma_stat)
    surrogate.recalibration = fit_recalibration(kind, *(value.numpy() for value in values))


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Torch's intra-op threads, as they were afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
