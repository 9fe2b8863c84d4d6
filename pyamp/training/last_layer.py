"""The last layer by weighted least squares: an exact finish of the mean, each point as certain as its σ says.

Training on squared errors lets the few points that are hard to learn move all others a little. With the weights 1/σ² of
a network for σ they no longer do, and the best last layer for given hidden layers is a linear problem.
"""

from __future__ import annotations

from typing import Any

import torch

from pyamp.errors import PyampError
from pyamp.likelihoods import MeanSquaredError
from pyamp.posteriors import DeepEnsemble, Deterministic
from pyamp.surrogate import Surrogate
from pyamp.training.sample import CHUNK, Sample

RIDGE = 1e-12  # of the mean diagonal: below what matters, above rounding


def refit_last_layer(surrogate: Surrogate, sample: Sample) -> None:
    """Replace the last layer of every member by the weighted least-squares solution, in float64.

    Parameters
    ----------
    surrogate : Surrogate
        With likelihood mse, a σ-network, and a network that ends with a linear layer.
    sample : Sample
        Training points.

    Raises
    ------
    PyampError
        Another surrogate.
    """
    posterior = surrogate.posterior
    name, layer = [*_linear_layers(surrogate)][-1]
    simple = type(posterior) in (Deterministic, DeepEnsemble) and isinstance(
        surrogate.likelihood, MeanSquaredError
    )
    if not simple or surrogate.sigma_network is None or layer.out_features != 1:
        raise PyampError(
            f"refit_last_layer: likelihood {surrogate.likelihood.header()['type']}, posterior "
            f"{posterior.header()['type']}{'' if surrogate.sigma_network else ' without sigma_network'} found; "
            "mse, deterministic or ensemble, and a sigma_network expected"
        )
    dtype = surrogate.dtype
    surrogate.to_dtype(torch.float64)
    tensors = posterior.tensors()
    for member in range(posterior.members):
        several = isinstance(posterior, DeepEnsemble)
        # Slices of an ensemble's tensors, or the tensors: what is written to them is written to the posterior's.
        weights = {key: value[member] if several else value for key, value in tensors.items()}
        old = torch.cat([weights[f"{name}.weight"][0], weights[f"{name}.bias"]])
        solution = old + _change(surrogate, layer, weights, sample)
        weights[f"{name}.weight"].copy_(solution[None, :-1])
        weights[f"{name}.bias"].copy_(solution[-1:])
    posterior.load_tensors(tensors)
    surrogate.to_dtype(dtype)


def _linear_layers(surrogate: Surrogate) -> list[tuple[str, torch.nn.Linear]]:
    modules = surrogate.posterior.architecture.named_modules()
    found = [(name, module) for name, module in modules if isinstance(module, torch.nn.Linear)]
    if not found:
        raise PyampError(
            "refit_last_layer: a network without linear layers found, one that ends with one expected"
        )
    return found


def _change(
    surrogate: Surrogate, layer: torch.nn.Linear, weights: dict[str, torch.Tensor], sample: Sample
) -> torch.Tensor:
    """By how much weight and bias ``(in + 1,)`` of the last layer move to the solution."""
    network = surrogate.posterior.architecture
    assert surrogate.sigma_network is not None
    seen: list[torch.Tensor] = []

    def remember(_: torch.nn.Module, inputs: tuple[torch.Tensor], __: Any) -> None:
        seen.append(inputs[0])

    size = layer.in_features + 1
    matrix = torch.zeros((size, size), dtype=torch.float64)
    vector = torch.zeros(size, dtype=torch.float64)
    handle = layer.register_forward_hook(remember)
    try:
        with torch.no_grad():
            for begin in range(0, len(sample.target), CHUNK):
                part = slice(begin, begin + CHUNK)
                outputs = torch.func.functional_call(network, weights, (sample.features[part],))
                hidden = torch.cat([seen.pop(), torch.ones_like(outputs)], dim=1)
                log_sigma = surrogate.sigma_network(sample.features[part])[:, 0].clamp(max=0.0)
                precision = torch.exp(-2.0 * log_sigma)
                if sample.weight is not None:
                    precision = precision * sample.weight[part]
                matrix += (hidden * precision[:, None]).T @ hidden
                # Of the change, which loses fewer digits than the solution itself.
                vector += (hidden * precision[:, None]).T @ (sample.target[part] - outputs[:, 0])
    finally:
        handle.remove()
    matrix.diagonal().add_(RIDGE * matrix.diagonal().mean())
    change: torch.Tensor = torch.linalg.solve(matrix, vector)
    return change
