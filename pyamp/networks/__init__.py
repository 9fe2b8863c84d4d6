"""Networks: standardised features to the outputs that a likelihood reads."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Tag

from pyamp.configuration import by_type
from pyamp.networks.activations import ACTIVATIONS
from pyamp.networks.dipole import DipoleConfig, DipoleNetwork
from pyamp.networks.dsi import DSI, DSIConfig
from pyamp.networks.fks import FKS, FKSConfig
from pyamp.networks.group_kan import GroupKAN, GroupKANConfig
from pyamp.networks.kan import KAN, KANConfig
from pyamp.networks.lgatr import LGATr, LGATrConfig
from pyamp.networks.mlp import MLP, MLPConfig
from pyamp.networks.network import Network, NetworkConfig

__all__ = [
    "ACTIVATIONS",
    "DSI",
    "FKS",
    "KAN",
    "MLP",
    "AnyNetworkConfig",
    "DSIConfig",
    "DipoleConfig",
    "DipoleNetwork",
    "FKSConfig",
    "GroupKAN",
    "GroupKANConfig",
    "KANConfig",
    "LGATr",
    "LGATrConfig",
    "MLPConfig",
    "Network",
    "NetworkConfig",
    "network_from_header",
]

AnyNetworkConfig = Annotated[
    Annotated[MLPConfig, Tag("mlp")]
    | Annotated[KANConfig, Tag("kan")]
    | Annotated[GroupKANConfig, Tag("group_kan")]
    | Annotated[DSIConfig, Tag("dsi")]
    | Annotated[FKSConfig, Tag("fks")]
    | Annotated[DipoleConfig, Tag("dipole")]
    | Annotated[LGATrConfig, Tag("lgatr")],
    by_type("mlp"),
]

_NETWORKS: dict[str, type[Network]] = {
    "mlp": MLP,
    "kan": KAN,
    "group_kan": GroupKAN,
    "dsi": DSI,
    "fks": FKS,
    "dipole": DipoleNetwork,
    "lgatr": LGATr,
}


def network_from_header(header: dict[str, Any]) -> Network:
    """Rebuild from the ``network`` entry of a model file; the weights are not set."""
    options = {key: value for key, value in header.items() if key != "type"}
    return _NETWORKS[header["type"]](**options)
