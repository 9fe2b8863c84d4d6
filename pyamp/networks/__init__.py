"""Networks: standardised features to the outputs that a likelihood reads."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Tag

from pyamp.configuration import by_type
from pyamp.networks.activations import ACTIVATIONS
from pyamp.networks.kan import KAN, KANConfig
from pyamp.networks.mlp import MLP, MLPConfig
from pyamp.networks.network import Network, NetworkConfig

__all__ = [
    "ACTIVATIONS",
    "KAN",
    "MLP",
    "AnyNetworkConfig",
    "KANConfig",
    "MLPConfig",
    "Network",
    "NetworkConfig",
    "network_from_header",
]

AnyNetworkConfig = Annotated[
    Annotated[MLPConfig, Tag("mlp")] | Annotated[KANConfig, Tag("kan")],
    by_type("mlp"),
]

_NETWORKS: dict[str, type[Network]] = {"mlp": MLP, "kan": KAN}


def network_from_header(header: dict[str, Any]) -> Network:
    """Rebuild from the ``network`` entry of a model file; the weights are not set."""
    options = {key: value for key, value in header.items() if key != "type"}
    return _NETWORKS[header["type"]](**options)
