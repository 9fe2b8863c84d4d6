"""Boosted training: further rounds on the points that the network gets wrong (arXiv:2206.14831, Sec. 4)."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field

from pyamp.configuration import StrictModel
from pyamp.likelihoods import Likelihood
from pyamp.posteriors import Posterior
from pyamp.training.sample import Sample, predicted
from pyamp.training.stage import StageConfig


class BoostingConfig(StrictModel):
    """Rounds of training that follow the stages, each with more of the points that need it."""

    type: Literal["loss", "performance", "alternating"] = Field(
        default="loss",
        description="loss: points with a large pull weigh more; performance: copies of the least certain points; "
        "alternating: one after the other",
    )
    rounds: int = Field(default=5, ge=1, description="usual: 5 of loss, 20 of performance")
    training: StageConfig = Field(
        default=StageConfig(steps=4000, learning_rate=1e-3, warmup_steps=0), description="of each round"
    )
    pull: float = Field(default=2.0, gt=0, description="loss: points with a larger |pull| are boosted")
    weight: float = Field(default=5.0, gt=1, description="loss: what they weigh")
    points: int = Field(default=200, ge=1, description="performance: points with the largest σ_tot")
    copies: int = Field(default=3, ge=1, description="performance: how many more of each of them")


class Boosting:
    """The training samples of the rounds.

    Parameters
    ----------
    config : BoostingConfig
    sample : Sample
        Of the stages before.
    """

    def __init__(self, config: BoostingConfig, sample: Sample) -> None:
        self._config = config
        self._sample = sample
        self._copies = torch.ones(len(sample.target), dtype=torch.int64)

    def next_sample(self, number: int, posterior: Posterior, likelihood: Likelihood) -> Sample:
        """The sample of round ``number``, counted from 0, for a posterior as trained so far.

        Weights of loss boosting are those of the round alone; copies of performance boosting accumulate.
        """
        config, sample = self._config, self._sample
        mean, sigma = predicted(posterior, likelihood, sample.features)
        weight = torch.ones_like(sample.target) if sample.weight is None else sample.weight
        if config.type == "performance" or (config.type == "alternating" and number % 2 == 1):
            least_certain = sigma.topk(min(config.points, len(sigma))).indices
            self._copies[least_certain] += config.copies
        else:
            pull = (mean - sample.target) / sigma
            weight = torch.where(pull.abs() > config.pull, config.weight * weight, weight)
        indices = torch.arange(len(weight)).repeat_interleave(self._copies)
        return Sample(sample.features[indices], sample.target[indices], weight[indices])
