"""Posteriors of the weights: one network, or several whose spread is the statistical uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Tag

from pyamp.configuration import by_type
from pyamp.networks import Network
from pyamp.posteriors.bayesian import Bayesian, BayesianConfig
from pyamp.posteriors.deterministic import Deterministic, DeterministicConfig
from pyamp.posteriors.ensemble import DeepEnsemble, EnsembleConfig
from pyamp.posteriors.posterior import Batch, GaussianPrior, Posterior, PosteriorConfig, mean_loss
from pyamp.posteriors.repulsive import RepulsiveEnsemble, RepulsiveEnsembleConfig

__all__ = [
    "AnyPosteriorConfig",
    "Batch",
    "Bayesian",
    "BayesianConfig",
    "DeepEnsemble",
    "Deterministic",
    "DeterministicConfig",
    "EnsembleConfig",
    "GaussianPrior",
    "Posterior",
    "PosteriorConfig",
    "RepulsiveEnsemble",
    "RepulsiveEnsembleConfig",
    "mean_loss",
    "posterior_from_header",
]

AnyPosteriorConfig = Annotated[
    Annotated[DeterministicConfig, Tag("deterministic")]
    | Annotated[BayesianConfig, Tag("bayesian")]
    | Annotated[EnsembleConfig, Tag("ensemble")]
    | Annotated[RepulsiveEnsembleConfig, Tag("repulsive_ensemble")],
    by_type("deterministic"),
]


def posterior_from_header(header: dict[str, Any], make_network: Callable[[], Network]) -> Posterior:
    """Rebuild from the ``posterior`` entry of a model file, for evaluation; the weights are not set.

    Members are all that a file holds of a distribution of weights, so anything but a single network comes back as a
    :class:`DeepEnsemble` under its own name.
    """
    match header["type"]:
        case "deterministic":
            return Deterministic(make_network())
        case kind:
            return DeepEnsemble([make_network() for _ in range(header["members"])], kind)
