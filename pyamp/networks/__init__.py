"""Networks: standardised features to the outputs that a likelihood reads."""

from pyamp.networks.mlp import ACTIVATIONS, MLP

__all__ = ["ACTIVATIONS", "MLP"]
