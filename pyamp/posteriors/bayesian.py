"""Bayesian network: a normal distribution of every weight, by variational inference."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field

from pyamp.errors import PyampError
from pyamp.likelihoods import Likelihood
from pyamp.networks import Network
from pyamp.posteriors.ensemble import key_of, name_of
from pyamp.posteriors.posterior import Batch, GaussianPrior, Posterior, PosteriorConfig, mean_loss

DRAWS = 2**64 - 1  # a step that no training reaches


class Bayesian(Posterior):
    """Weights of linear layers are normal and independent of each other (arXiv:2206.14831, 2412.12069).

    The loss of a point is ``−⟨ln p⟩_q + KL[q, p]/N`` with ::

        KL = Σ (σ_q² − σ_p² + μ_q²)/(2σ_p²) + ln(σ_p/σ_q)

    over the weights and biases of the layers chosen; all other parameters are as in a plain network, without a prior.

    In training each layer adds noise to its result, which is normal with the variance ``x² σ_W² + σ_b²`` (local
    reparametrisation, arXiv:1506.02557): independent for each point, hence a small variance of the gradient. A layer
    that the network applies several times to a point (deep sets) gets one draw of its weights per step instead, since
    independent noise would cancel where one weight's would not. The noise is a function of the seed and the number of
    the step.

    For evaluation, validation and the model file K weight vectors are drawn, a function of the seed and the weights:
    the same noise in every validation. The draw is kept until the next step of training, so a change of the arithmetic
    does not change the members.

    Parameters
    ----------
    network : Network
        Its weights are the initial means.
    prior : GaussianPrior
        σ_p and N.
    seed : int
    members : int
        K.
    layers : {"all", "last"}
        Linear layers with a distribution: all, or the last in the order of the network's modules.
    initial_width : float
        σ_q at the start.
    """

    prior: GaussianPrior

    def __init__(
        self,
        network: Network,
        prior: GaussianPrior,
        seed: int,
        members: int = 16,
        layers: Literal["all", "last"] = "all",
        initial_width: float = 1e-3,
    ) -> None:
        super().__init__()
        self.network = network
        self.prior = prior
        self.members = members
        self._seed = seed
        found = [(name, module) for name, module in network.named_modules() if _is_linear(module)]
        if not found:
            raise PyampError(
                f"posterior: bayesian with a network {network.header()['type']} without linear layers found, one with "
                "linear layers expected; use an ensemble"
            )
        self._layers = dict(found if layers == "all" else found[-1:])
        means = dict(network.named_parameters())
        self.log_widths = torch.nn.ParameterDict(
            {
                key_of(f"{layer}.{part}"): torch.full_like(means[f"{layer}.{part}"], math.log(initial_width))
                for layer, module in self._layers.items()
                for part, _ in module.named_parameters(recurse=False)
            }
        )
        # Converted with the weights, but no part of a checkpoint.
        self._drawn = torch.nn.Module()
        for key, width in self.log_widths.items():
            shape = (members, *width.shape)
            self._drawn.register_buffer(key, width.detach().new_empty(shape), persistent=False)
        self._draw_is_old = True
        self.register_load_state_dict_post_hook(_forget_draw)  # type: ignore[no-untyped-call]
        self._shared: set[str] | None = None
        self._member: Callable[..., torch.Tensor] = torch.func.vmap(self._evaluate_member, in_dims=(0, None))

    @property
    def trained_members(self) -> int:
        return 1

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self._member(self._draw(), features)

    def loss(self, batch: Batch, likelihood: Likelihood) -> torch.Tensor:
        outputs = self.noisy_outputs(batch)
        return mean_loss(likelihood, outputs[None], batch) + self.kl() / self.prior.n_train

    def noisy_outputs(self, batch: Batch) -> torch.Tensor:
        """Outputs ``(n, n_outputs)`` with the noise of a step of training."""
        self._draw_is_old = True
        if self._shared is None:
            self._shared = self._find_shared(batch.features)
        noise = _Noise(self._generator(batch.step, batch.features.device), self._shared)
        with self._hooks(lambda name, *call: noise(name, self._widths(name), *call)):
            outputs: torch.Tensor = self.network(batch.features)
        return outputs

    def kl(self) -> torch.Tensor:
        """KL[q, p] of all weights with a distribution."""
        means = dict(self.network.named_parameters())
        prior = self.prior.width
        terms = []
        for key, log_width in self.log_widths.items():
            variance = torch.exp(2.0 * log_width) + means[name_of(key)].square()
            terms.append((0.5 * (variance / prior**2 - 1.0) + math.log(prior) - log_width).sum())
        return torch.stack(terms).sum()

    @property
    def architecture(self) -> Network:
        return self.network

    def header(self) -> dict[str, Any]:
        return {"type": "bayesian", "members": self.members}

    def tensors(self) -> dict[str, torch.Tensor]:
        plain = {name: value.detach() for name, value in self.network.named_parameters()}
        expanded = {n: v.expand(self.members, *v.shape).contiguous() for n, v in plain.items()}
        return expanded | {name: value.clone() for name, value in self._draw().items()}

    def load_tensors(self, tensors: dict[str, torch.Tensor]) -> None:
        raise PyampError(
            "posterior: the members of a bayesian network found, means and widths expected; a model file cannot "
            "continue a training, its checkpoint can"
        )

    def _evaluate_member(self, weights: dict[str, torch.Tensor], features: torch.Tensor) -> torch.Tensor:
        # What has no distribution is the network's own, and is evaluated once for all members.
        outputs: torch.Tensor = torch.func.functional_call(self.network, weights, (features,))
        return outputs

    def _draw(self) -> dict[str, torch.Tensor]:
        """The members' weights by the names of the network, with a leading axis K."""
        drawn = {key: self._drawn.get_buffer(key) for key in self.log_widths}
        if self._draw_is_old:
            generator = self._generator(DRAWS, torch.device("cpu"))
            means = dict(self.network.named_parameters())
            with torch.no_grad():
                for key, log_width in self.log_widths.items():
                    shape = (self.members, *log_width.shape)
                    noise = torch.randn(shape, generator=generator, dtype=torch.float64).to(log_width.device)
                    drawn[key].copy_(means[name_of(key)].double() + log_width.double().exp() * noise)
            self._draw_is_old = False
        return {name_of(key): value for key, value in drawn.items()}

    def _generator(self, step: int, device: torch.device) -> torch.Generator:
        # Torch's generator knows 32 bits of a seed; this one takes both numbers as its key.
        mixed = np.random.Philox(key=np.array([self._seed, step], dtype=np.uint64)).random_raw()
        return torch.Generator(device).manual_seed(int(mixed))

    def _widths(self, layer: str) -> dict[str, torch.Tensor]:
        """σ_q of a layer's parameters."""
        prefix = key_of(f"{layer}.")
        return {k.removeprefix(prefix): v.exp() for k, v in self.log_widths.items() if k.startswith(prefix)}

    def _find_shared(self, features: torch.Tensor) -> set[str]:
        """Layers that the network applies more than once to a point."""
        results: dict[str, int] = dict.fromkeys(self._layers, 0)

        def count(name: str, module: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> None:
            results[name] += y.numel()

        with self._hooks(count), torch.no_grad():
            self.network(features)
        once = {name: len(features) * _results_per_point(module) for name, module in self._layers.items()}
        return {name for name, n_results in results.items() if n_results > once[name]}

    @contextmanager
    def _hooks(
        self, hook: Callable[[str, torch.nn.Module, torch.Tensor, torch.Tensor], Any]
    ) -> Iterator[None]:
        """Let the hook see, or replace, the results of the layers."""

        def of_layer(name: str) -> Callable[..., Any]:
            return lambda module, inputs, result: hook(name, module, inputs[0], result)

        handles = [module.register_forward_hook(of_layer(name)) for name, module in self._layers.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


class _Noise:
    """Adds the noise of its weights to the result of a layer."""

    def __init__(self, generator: torch.Generator, shared: set[str]) -> None:
        self._generator = generator
        self._shared = shared
        self._draws: dict[str, dict[str, torch.Tensor]] = {}
        self._inside = False

    def __call__(
        self,
        name: str,
        widths: dict[str, torch.Tensor],
        module: torch.nn.Module,
        x: torch.Tensor,
        result: torch.Tensor,
    ) -> torch.Tensor | None:
        if self._inside:  # the layer is called for its noise
            return None
        if name in self._shared:
            if name not in self._draws:
                self._draws[name] = {part: width * self._normal(width) for part, width in widths.items()}
            return result + self._apply(module, self._draws[name], x)
        variance = self._apply(module, {part: width.square() for part, width in widths.items()}, x.square())
        # A dead input of a layer without bias has no noise, and the root no derivative there.
        sigma = variance.clamp(min=torch.finfo(x.dtype).tiny).sqrt()
        return result + sigma * self._normal(result)

    def _apply(
        self, module: torch.nn.Module, weights: dict[str, torch.Tensor], x: torch.Tensor
    ) -> torch.Tensor:
        """The layer with other weights."""
        self._inside = True
        result: torch.Tensor = torch.func.functional_call(module, weights, (x,))
        self._inside = False
        return result

    def _normal(self, like: torch.Tensor) -> torch.Tensor:
        return torch.randn(like.shape, generator=self._generator, dtype=like.dtype, device=like.device)


def _is_linear(module: torch.nn.Module) -> bool:
    """Whether it computes ``x Wᵀ + b``, for one matrix or a stack ``(…, out, in)`` of them."""
    if isinstance(module, torch.nn.Linear):
        return True
    parameters = dict(module.named_parameters(recurse=False))
    return (
        parameters.keys() == {"weight", "bias"}
        and parameters["weight"].dim() >= 3
        and parameters["weight"].shape[:-1] == parameters["bias"].shape
    )


def _results_per_point(module: torch.nn.Module) -> int:
    return module.get_parameter("weight")[..., 0].numel()


def _forget_draw(posterior: torch.nn.Module, _: Any) -> None:
    """After new weights were loaded."""
    assert isinstance(posterior, Bayesian)
    posterior._draw_is_old = True


class BayesianConfig(PosteriorConfig):
    """Bayesian network: a normal distribution of every weight."""

    type: Literal["bayesian"] = "bayesian"
    members: int = Field(default=16, ge=2, description="weight vectors drawn for predictions")
    prior_width: float = Field(default=1.0, gt=0, description="of the Gaussian prior of the weights")
    layers: Literal["all", "last"] = Field(default="all", description="linear layers with a distribution")
    initial_width: float = Field(default=1e-3, gt=0, description="of the weights, at the start")

    def build(self, make_network: Callable[[], Network], n_train: int, seed: int) -> Bayesian:
        return Bayesian(
            make_network(),
            GaussianPrior(self.prior_width, n_train),
            seed,
            self.members,
            self.layers,
            self.initial_width,
        )
