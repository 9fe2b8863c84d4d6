"""What an optimiser step is: a batch and a learning rate to new weights."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from pyamp.errors import PyampError
from pyamp.likelihoods import Likelihood
from pyamp.posteriors import Batch, Posterior
from pyamp.training.stage import StageConfig


class Optimizer(ABC):
    """Moves the weights of a posterior."""

    @abstractmethod
    def step(self, batch: Batch, learning_rate: float, progress: float) -> torch.Tensor:
        """Take a step, at a fraction ``progress`` of the stage.

        Returns
        -------
        torch.Tensor
            The loss of the batch before it, per point and member.
        """

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint needs to continue exactly."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""


class Gradient(Optimizer):
    """Adam, AdamW or SOAP, with the norm of the gradient limited; a batch without a finite one is passed over.

    During the first part of the stage (``bfloat16_steps``) matrix products of the network's inner layers and of the
    optimiser have inputs rounded to bfloat16 and sums in float32. Weights stay float32 throughout.
    """

    def __init__(self, posterior: Posterior, likelihood: Likelihood, config: StageConfig) -> None:
        self._posterior = posterior
        self._likelihood = likelihood
        self._limit = config.gradient_clip * math.sqrt(posterior.trained_members)
        self._bfloat16_steps = config.bfloat16_steps
        if config.optimizer == "soap" and posterior.trained_members > 1:
            # Its preconditioner would mix the members, whose weights lie in one tensor.
            raise PyampError(
                f"optimizer: soap with posterior {posterior.header()['type']} of {posterior.trained_members} networks "
                "found, one network expected; take adam, or train them one by one with --sweep"
            )
        parameters = list(posterior.parameters())
        self._optimizer = _of_torch(parameters, config)

    def step(self, batch: Batch, learning_rate: float, progress: float) -> torch.Tensor:
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        rounded = progress < self._bfloat16_steps
        with torch.autocast(batch.features.device.type, torch.bfloat16, enabled=rounded):
            loss = self._posterior.loss(batch, self._likelihood)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self._posterior.parameters(), self._limit)
        # One point whose powers overflow would otherwise end the training with NaN weights.
        if torch.isfinite(norm):
            with _products("medium" if rounded else torch.get_float32_matmul_precision()):
                self._optimizer.step()
        return loss.detach() / self._posterior.trained_members

    def state_dict(self) -> dict[str, Any]:
        return self._optimizer.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._optimizer.load_state_dict(state)


@contextmanager
def _products(precision: str) -> Iterator[None]:
    """Torch's precision of products of float32 matrices, as it was afterwards."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _of_torch(parameters: list[torch.nn.Parameter], config: StageConfig) -> torch.optim.Optimizer:
    match config.optimizer:
        case "adamw":
            return torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
        case "soap":
            try:
                from pytorch_optimizer import SOAP  # here, for importing it takes long
            except ImportError:
                raise PyampError(
                    "optimizer: soap needs the package pytorch_optimizer, which is not installed; pip install "
                    "pytorch_optimizer, or take adam"
                ) from None
            return SOAP(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
        case _:
            return torch.optim.Adam(parameters, lr=config.learning_rate)
