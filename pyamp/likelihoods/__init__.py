"""Likelihoods of the standardised target: the training loss, and what outputs mean for the amplitude."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from pyamp.configuration import StrictModel
from pyamp.likelihoods.evidential import Evidential
from pyamp.likelihoods.gaussian import HeteroskedasticGaussian
from pyamp.likelihoods.likelihood import Components, Likelihood, cut_log_sigma
from pyamp.likelihoods.mean_squared_error import MeanSquaredError
from pyamp.likelihoods.mixture import GaussianMixture

__all__ = [
    "Components",
    "Evidential",
    "GaussianMixture",
    "HeteroskedasticGaussian",
    "Likelihood",
    "LikelihoodConfig",
    "MeanSquaredError",
    "cut_log_sigma",
    "likelihood_from_header",
]


class LikelihoodConfig(StrictModel):
    """How deviations of the target from the prediction are distributed."""

    type: Literal["heteroskedastic_gaussian", "mse", "gaussian_mixture", "evidential"] = (
        "heteroskedastic_gaussian"
    )
    components: int = Field(default=1, ge=1, description="Gaussians of a gaussian_mixture")
    regularisation: float = Field(default=0.01, ge=0, description="of evidential: cost of misplaced evidence")

    @model_validator(mode="after")
    def _consistent(self) -> LikelihoodConfig:
        if (self.type == "gaussian_mixture") != (self.components > 1):
            raise ValueError(
                f"components is {self.components} for type '{self.type}'; "
                "expected 2 or more for gaussian_mixture, 1 otherwise"
            )
        return self

    def build(self) -> Likelihood:
        match self.type:
            case "heteroskedastic_gaussian":
                return HeteroskedasticGaussian()
            case "mse":
                return MeanSquaredError()
            case "gaussian_mixture":
                return GaussianMixture(self.components)
            case "evidential":
                return Evidential(self.regularisation)


def likelihood_from_header(header: dict[str, Any]) -> Likelihood:
    """Rebuild from the ``likelihood`` entry of a model file."""
    match header["type"]:
        case "mse":
            return MeanSquaredError(header["sigma"])
        case "gaussian_mixture":
            return GaussianMixture(header["components"])
        case other:
            return LikelihoodConfig(type=other).build()
