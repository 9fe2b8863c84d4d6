"""A stretch of training with one optimiser: its options."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pyamp.configuration import StrictModel


class StageConfig(StrictModel):
    """A stretch of training with one optimiser and one arithmetic."""

    optimizer: Literal["adam", "adamw", "soap", "natural_gradient"] = "adam"
    steps: int = Field(default=40_000, ge=1, description="optimiser steps")
    batch_size: int = Field(default=512, ge=1)
    learning_rate: float = Field(
        default=4e-3, gt=0, description="at the start; falls to 0 along the schedule"
    )
    schedule: Literal["cosine", "linear", "constant", "cooldown"] = Field(
        default="cosine", description="cooldown: constant, and a cosine over the second half"
    )
    warmup_steps: int = Field(default=200, ge=0, description="linear rise of the learning rate")
    weight_decay: float = Field(default=0.0, ge=0, description="of adamw and soap")
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
    bfloat16_steps: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of the steps, from the first, whose matrix products round to bfloat16; network mlp",
    )
    validation_interval: int = Field(default=200, ge=1, description="steps between validations")
    patience: int = Field(
        default=0, ge=0, description="validations without a better loss before stopping; 0: never"
    )

    @model_validator(mode="after")
    def _rounds_what_it_can(self) -> StageConfig:
        if self.bfloat16_steps and (self.dtype != "float32" or self.optimizer == "natural_gradient"):
            found = f"{self.optimizer} in {self.dtype}"
            raise ValueError(
                f"bfloat16_steps with {found} found, adam, adamw or soap in float32 expected; leave bfloat16_steps out"
            )
        return self
