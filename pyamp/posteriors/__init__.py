"""Posteriors of the weights: one network, or several whose spread is the statistical uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Tag

from pyamp.configuration import by_type
from pyamp.networks import Network
from pyamp.posteriors.deterministic import Deterministic, DeterministicConfig
from pyamp.posteriors.ensemble import DeepEnsemble, EnsembleConfig
from pyamp.posteriors.posterior import Batch, Posterior, PosteriorConfig, mean_loss

__all__ = [
    "AnyPosteriorConfig",
    "Batch",
    "DeepEnsemble",
    "Deterministic",
    "DeterministicConfig",
    "EnsembleConfig",
    "Posterior",
    "PosteriorConfig",
    "mean_loss",
    "posterior_from_header",
]

AnyPosteriorConfig = Annotated[
    Annotated[DeterministicConfig, Tag("deterministic")] | Annotated[EnsembleConfig, Tag("ensemble")],
    by_type("deterministic"),
]


def posterior_from_header(header: dict[str, Any], make_network: Callable[[], Network]) -> Posterior:
    """Rebuild from the ``posterior`` entry of a model file, for evaluation; the weights are not set."""
    match header["type"]:
        case "deterministic":
            return Deterministic(make_network())
        case _:
            return DeepEnsemble([make_network() for _ in range(header["members"])])
