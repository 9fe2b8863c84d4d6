"""Training of a network for σ_syst around the mean of a posterior (arXiv:2509.00155)."""

from __future__ import annotations

from typing import Any

import torch
from rich.progress import Progress

from pyamp.likelihoods import Components, Likelihood
from pyamp.networks import MLP
from pyamp.posteriors import Deterministic, Posterior
from pyamp.surrogate import Surrogate
from pyamp.training.config import SigmaNetworkConfig
from pyamp.training.loop import RunFiles, Sample, Trainer

CHUNK = 8192


class KnownMean(Likelihood):
    """Gaussian for the deviation of the target from a mean that is known; the output is ln σ."""

    n_outputs = 1

    def loss(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        log_sigma = outputs[..., 0].clamp(max=0.0)
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
        files,
        **options,
    )
    seconds = trainer.run(progress, "training of sigma")
    assert isinstance(network, MLP)
    surrogate.sigma_network = network.to(surrogate.dtype)
    return seconds


def _deviations(surrogate: Surrogate, sample: Sample) -> Sample:
    with torch.no_grad():
        means = [
            _mean(surrogate.posterior, surrogate.likelihood, x) for x in torch.split(sample.features, CHUNK)
        ]
    return Sample(sample.features, sample.target - torch.cat(means), sample.weight)


def _mean(posterior: Posterior, likelihood: Likelihood, features: torch.Tensor) -> torch.Tensor:
    parameter = next(posterior.parameters())
    outputs = posterior(features.to(parameter.device, parameter.dtype)).double().cpu()
    return likelihood.components(outputs).total_mean().mean(dim=0)
