"""What every network offers: standardised features to the outputs that a likelihood reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch

from pyamp.configuration import StrictModel
from pyamp.representations import Representation
from pyamp.targets import Target


class Network(torch.nn.Module, ABC):
    """Features ``(n, n_features)`` to outputs ``(n, n_outputs)``, made of operations that ``torch.func.vmap`` knows.

    Attributes
    ----------
    not_exportable : str or None
        Why the C++ evaluator cannot run it; None if it can.
    """

    not_exportable: ClassVar[str | None] = None

    @abstractmethod
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Outputs ``(n, n_outputs)``."""

    @abstractmethod
    def header(self) -> dict[str, Any]:
        """The ``network`` entry of a model file."""

    def fit(self, representation: Representation, target: Target) -> None:
        """Take the constants of the preprocessing, for networks whose structure needs them."""


class NetworkConfig(StrictModel, ABC):
    """Options of a kind of network, which it builds."""

    @abstractmethod
    def build(self, representation: Representation, n_outputs: int) -> Network:
        """A network with fresh weights from Torch's global generator.

        Raises
        ------
        PyampError
            If the network cannot work on the representation or with that many outputs.
        """
