"""Training configuration: one YAML file per run, validated, unknown keys refused."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import Field, model_validator

from pyamp.datasets.noise import AnyNoiseConfig, NoNoise
from pyamp.likelihoods import LikelihoodConfig
from pyamp.networks import AnyNetworkConfig, MLPConfig
from pyamp.posteriors import AnyPosteriorConfig, DeterministicConfig
from pyamp.recalibration import RecalibrationKind
from pyamp.representations import RepresentationConfig
from pyamp.targets import TargetConfig
from pyamp.training.boosting import BoostingConfig
from pyamp.training.sigma_network import SigmaNetworkConfig
from pyamp.training.stage import StageConfig


class TrainingConfig(StageConfig):
    """How a surrogate is trained; the defaults reach a median |Δ| below 3e-4 with 90k points of gg → γγg at 1 TeV."""

    representation: RepresentationConfig = RepresentationConfig()
    target: TargetConfig = TargetConfig()
    network: AnyNetworkConfig = MLPConfig()
    likelihood: LikelihoodConfig = LikelihoodConfig()
    posterior: AnyPosteriorConfig = DeterministicConfig()
    then: list[StageConfig] = Field(default=[], description="further stages of training, one after the other")
    event_weighting: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="a point weighs as this power of its event weight |M|² × measure; 0: all alike, 0.5: what "
        "unweighting accepts comes first",
    )
    boosting: BoostingConfig | None = Field(
        default=None, description="further rounds on points that went wrong"
    )
    sigma_network: SigmaNetworkConfig | None = Field(
        default=None, description="own network for σ_syst, trained on the deviations of the mean"
    )
    refit_last_layer: bool = Field(
        default=False,
        description="after sigma_network: the last layer by least squares with the weights 1/σ², and σ once more; "
        "likelihood mse",
    )
    recalibration: RecalibrationKind | None = Field(
        default=None,
        description="scale or isotonic: correct σ on the validation points, see 'pyamp calibrate'",
    )
    noise: AnyNoiseConfig = Field(default=NoNoise(), description="added to what is trained on, for studies")
    export: bool = Field(
        default=True, description="write a model file; false for a network that only Python can evaluate"
    )
    evaluation_dtype: Literal["float32", "float64"] | None = Field(
        default=None, description="arithmetic of the model file; default: that of the last stage"
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

    @model_validator(mode="after")
    def _bfloat16_of_an_mlp(self) -> TrainingConfig:
        if any(stage.bfloat16_steps for stage in self.stages()) and self.network.type != "mlp":
            raise ValueError(
                f"bfloat16_steps with network {self.network.type} found, mlp expected; leave bfloat16_steps out"
            )
        return self

    def stages(self) -> list[StageConfig]:
        """All stages, the first of which the keys of the configuration itself describe."""
        first = StageConfig(**self.model_dump(include=set(StageConfig.model_fields)))
        return [first, *self.then]

    def most_precise_dtype(self) -> Literal["float32", "float64"]:
        """The arithmetic in which features are needed: that of the stages, and float64 for least squares."""
        stages = self.stages()
        stages += [part.training for part in (self.boosting, self.sigma_network) if part]
        single = all(stage.dtype == "float32" for stage in stages) and not self.refit_last_layer
        return "float32" if single else "float64"

    def sha256(self) -> str:
        """Hash of what determines the result."""
        content = self.model_dump(exclude={"checkpoint_seconds"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
