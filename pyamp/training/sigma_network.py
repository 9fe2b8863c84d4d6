"""Training of a network for σ_syst around the mean of a posterior (arXiv:2509.00155)."""

from __future__ import annotations

from typing import Any

import torch
from rich.progress import Progress

from pyamp.configuration import StrictModel
from pyamp.likelihoods import Components, Likelihood, cut_log_sigma
from pyamp.networks import MLP, MLPConfig
from pyamp.posteriors import Deterministic
from pyamp.surrogate import Surrogate
from pyamp.training.loop import RunFiles, Trainer
from pyamp.training.sample import Sample, predicted
from pyamp.training.stage import StageConfig


class SigmaNetworkConfig(StrictModel):
    """A network for σ_syst around the mean of the posterior, trained after it (arXiv:2509.00155)."""

    network: MLPConfig = MLPConfig(hidden=[64, 64])
    training: StageConfig = StageConfig(steps=10_000, learning_rate=2e-3)


class KnownMean(Likelihood):
    """Gaussian for the deviation of the target from a mean that is known; the output is ln σ."""

    n_outputs = 1

    def loss(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        log_sigma = cut_log_sigma(outputs[..., 0])
        return 0.5 * (target * torch.exp(-log_sigma)) ** 2 + log_sigma

    def components(self, outputs: torch.Tensor) -> Components:
        raise NotImplementedError("a deviation is no amplitude")

    def header(self) -> dict[str, Any]:
        raise NotImplementedError("a model file holds the likelihood of the mean")


def train_sigma_network(
    surrogate: Surrogate,
    config: SigmaNetworkConfig,
    training: Sample,
    validation: Sample,
    files: RunFiles,
    progress: Progress,
    **options: Any,
) -> float:
    """Train ``surrogate.sigma_network`` on the deviations of the posterior's mean; the posterior stays as it is.

    Returns
    -------
    float
        Seconds spent.
    """
    network = config.network.build(surrogate.representation, KnownMean.n_outputs)
    trainer = Trainer(
        Deterministic(network),
        KnownMean(),
        config.training,
        _deviations(surrogate, training),
        _deviations(surrogate, validation),
        files=files,
        **options,
    )
    seconds = trainer.run(progress, "training of sigma")
    assert isinstance(network, MLP)
    surrogate.sigma_network = network.to(surrogate.dtype)
    return seconds


def _deviations(surrogate: Surrogate, sample: Sample) -> Sample:
    mean, _ = predicted(surrogate.posterior, surrogate.likelihood, sample.features)
    return Sample(sample.features, sample.target - mean, sample.weight)
