"""Training configuration: one YAML file per run, validated, unknown keys refused."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import Field, model_validator

from pyamp.configuration import StrictModel
from pyamp.likelihoods import LikelihoodConfig
from pyamp.networks import AnyNetworkConfig, MLPConfig
from pyamp.posteriors import AnyPosteriorConfig, DeterministicConfig
from pyamp.representations import RepresentationConfig
from pyamp.targets import TargetConfig


class StageConfig(StrictModel):
    """A stretch of training with one optimiser and one arithmetic."""

    optimizer: Literal["adam", "adamw", "natural_gradient"] = "adam"
    steps: int = Field(default=40_000, ge=1, description="optimiser steps")
    batch_size: int = Field(default=512, ge=1)
    learning_rate: float = Field(
        default=4e-3, gt=0, description="at the start; falls to 0 along the schedule"
    )
    schedule: Literal["cosine", "linear", "constant", "cooldown"] = Field(
        default="cosine", description="cooldown: constant, and a cosine over the last 40 %"
    )
    warmup_steps: int = Field(default=200, ge=0, description="linear rise of the learning rate")
    weight_decay: float = Field(default=0.0, ge=0, description="of adamw")
    gradient_clip: float = Field(default=1.0, gt=0, description="largest norm of the gradient")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="of natural_gradient")
    damping: tuple[float, float] = Field(
        default=(1e-3, 1e-8),
        description="of natural_gradient, at the start and at the end; float32: (1e-3, 1e-5)",
    )
    ema_decay: float = Field(
        default=0.0, ge=0, lt=1, description="average weights over about 1/(1 − ema_decay) steps; 0: not"
    )
    dtype: Literal["float32", "float64"] = Field(default="float32", description="arithmetic of the network")
    validation_interval: int = Field(default=200, ge=1, description="steps between validations")
    patience: int = Field(
        default=0, ge=0, description="validations without a better loss before stopping; 0: never"
    )


class SigmaNetworkConfig(StrictModel):
    """A network for σ_syst around the mean of the posterior, trained after it (arXiv:2509.00155)."""

    network: MLPConfig = MLPConfig(hidden=[64, 64])
    training: StageConfig = StageConfig(steps=10_000, learning_rate=2e-3)


class TrainingConfig(StageConfig):
    """How a surrogate is trained; the defaults reach a median |Δ| below 3e-4 with 90k points of gg → γγg at 1 TeV."""

    representation: RepresentationConfig = RepresentationConfig()
    target: TargetConfig = TargetConfig()
    network: AnyNetworkConfig = MLPConfig()
    likelihood: LikelihoodConfig = LikelihoodConfig()
    posterior: AnyPosteriorConfig = DeterministicConfig()
    then: list[StageConfig] = Field(default=[], description="further stages of training, one after the other")
    sigma_network: SigmaNetworkConfig | None = Field(
        default=None, description="own network for σ_syst, trained on the deviations of the mean"
    )
    validation_fraction: float = Field(default=0.05, gt=0, lt=1)
    test_fraction: float = Field(default=0.2, gt=0, lt=1)
    checkpoint_seconds: float = Field(default=30.0, gt=0, description="time between checkpoints")
    device: str = Field(default="cpu", description="cpu, cuda or cuda:N; data and networks live there")
    threads: int = Field(default=1, ge=1, description="1 is reproducible, and the fastest for small networks")
    seed: int = Field(default=1, ge=0, lt=2**63)

    @model_validator(mode="after")
    def _fractions(self) -> TrainingConfig:
        held_out = self.validation_fraction + self.test_fraction
        if held_out >= 1.0:
            raise ValueError(
                f"validation_fraction + test_fraction is {held_out}, less than 1 expected; leave points for training"
            )
        return self

    def stages(self) -> list[StageConfig]:
        """All stages, the first of which the keys of the configuration itself describe."""
        first = StageConfig(**self.model_dump(include=set(StageConfig.model_fields)))
        return [first, *self.then]

    def sha256(self) -> str:
        """Hash of what determines the result."""
        content = self.model_dump(exclude={"checkpoint_seconds"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
