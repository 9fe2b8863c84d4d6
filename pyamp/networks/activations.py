"""Activation functions by name, and the field of a configuration that names one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import torch
from pydantic import AfterValidator, Field
from torch.nn import functional

from pyamp.configuration import nearest

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gelu": functional.gelu,
    "leaky_relu": functional.leaky_relu,
    "relu": functional.relu,
    "silu": functional.silu,
    "sine": torch.sin,
    "softplus": functional.softplus,
    "tanh": torch.tanh,
}


def _known(activation: str) -> str:
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"activation is '{activation}'; did you mean '{nearest(activation, list(ACTIVATIONS))}'?"
        )
    return activation


def _positive(widths: list[int]) -> list[int]:
    if min(widths) < 1:
        raise ValueError(f"hidden is {widths}, positive widths expected")
    return widths


ActivationName = Annotated[str, AfterValidator(_known), Field(description=", ".join(ACTIVATIONS))]
Widths = Annotated[list[int], Field(min_length=1), AfterValidator(_positive)]
