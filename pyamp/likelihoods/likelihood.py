"""What every likelihood offers: a loss for training, and what outputs say about the target."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch

from pyamp.errors import PyampError


@dataclass(frozen=True)
class Components:
    """The predictive distribution of the standardised target as a mixture of Gaussians, ``(…, n, K)`` each.

    Attributes
    ----------
    weight, mean, variance : torch.Tensor
        Of each component; the weights add up to 1.
    statistical : torch.Tensor or None
        Variance of the mean from a likelihood that knows how well it is determined; None where it does not.
    """

    weight: torch.Tensor
    mean: torch.Tensor
    variance: torch.Tensor
    statistical: torch.Tensor | None = None

    def total_mean(self) -> torch.Tensor:
        """Mean of the mixture, ``(…, n)``."""
        return (self.weight * self.mean).sum(dim=-1)

    def moments(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance of the mixture, ``(…, n)`` each, what is known of the mean's variance included."""
        mean = self.total_mean()
        variance = self.variance + (self.mean - mean[..., None]) ** 2
        if self.statistical is not None:
            variance = variance + self.statistical
        return mean, (self.weight * variance).sum(dim=-1)


def cut_log_sigma(output: torch.Tensor) -> torch.Tensor:
    """ln σ cut off at 0, with the gradient of the uncut one: an output beyond the cut can come back."""
    return output - output.clamp(min=0.0).detach()


class Likelihood(ABC):
    """Likelihood of the standardised target given a network's outputs.

    Variances are cut off at 1, the spread of all targets: a larger one says nothing, and in the tail of ln A it would
    make the mean of A arbitrarily large.
    """

    n_outputs: int

    @abstractmethod
    def loss(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """−ln p without constants, per point ``(…, n)``, of outputs ``(…, n, n_outputs)`` for targets ``(n,)``."""

    @abstractmethod
    def components(self, outputs: torch.Tensor) -> Components:
        """What outputs ``(…, n, n_outputs)`` predict."""

    @abstractmethod
    def header(self) -> dict[str, Any]:
        """The ``likelihood`` entry of a model file."""

    def curvature(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Positive curvature ``(n, n_outputs)`` of the loss in each output, for natural gradients.

        Raises
        ------
        PyampError
            A likelihood for which it is not known.
        """
        raise PyampError(
            f"likelihood: {self.header()['type']} with optimizer natural_gradient found, mse or "
            "heteroskedastic_gaussian expected; use adam"
        )

    def fit(self, outputs: torch.Tensor, target: torch.Tensor) -> None:  # noqa: B027
        """Set constants after training from held-out outputs ``(members, n, n_outputs)`` and targets ``(n,)``."""
