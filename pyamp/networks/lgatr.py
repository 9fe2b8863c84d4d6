"""L-GATr: a Lorentz-equivariant transformer of the legs' momenta."""

from __future__ import annotations

from typing import Any, Literal

import lgatr
import torch
from pydantic import Field
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import one_hot

from pyamp.errors import PyampError
from pyamp.networks.network import Network, NetworkConfig
from pyamp.representations import Momenta, Representation, leg_classes


class LGATr(Network):
    """Lorentz-equivariant geometric-algebra transformer (arXiv:2405.14806, 2411.00446), one token for each leg.

    A token holds the momentum as a multivector and the class of the leg as scalars; the outputs are the means over legs
    of the scalar parts, hence invariant under the full Lorentz group, and under the exchange of identical legs.

    Parameters
    ----------
    classes : list of int
        Class of each leg; legs of one class are identical.
    n_outputs : int
    blocks, multivectors, scalars, heads : int
        Transformer blocks, channels of both kinds, attention heads.
    """

    not_exportable = (
        "network lgatr found, a network that the C++ evaluator can run expected; "
        "evaluate it in Python, or train another network"
    )

    def __init__(
        self, classes: list[int], n_outputs: int, blocks: int, multivectors: int, scalars: int, heads: int
    ) -> None:
        super().__init__()
        self.classes = classes
        self.n_outputs = n_outputs
        self.blocks = blocks
        self.multivectors = multivectors
        self.scalars = scalars
        self.heads = heads
        self._types = one_hot(torch.tensor(classes))
        self.net = lgatr.LGATr(
            num_blocks=blocks,
            in_mv_channels=1,
            out_mv_channels=n_outputs,
            hidden_mv_channels=multivectors,
            in_s_channels=self._types.shape[1],
            out_s_channels=0,
            hidden_s_channels=scalars,
            attention={"num_heads": heads},
            mlp={"mlp_ratio": 2},
            # Parity too: |M|² of QCD and QED, summed over helicities, does not change under it.
            # The dense product is the faster one without a compiler.
            primitives={"subgroup": False, "sparse_gp": False},
        )
        # A conversion fills the package's caches of constants; under inference mode they would be unfit for training.
        self.net.double().float()

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        vectors = features.reshape(len(features), len(self.classes), 1, 4)
        types = self._types.to(features).expand(len(features), -1, -1)
        self._move_constants(features.device)
        # The fused kernels have no batched form for the members of an ensemble, and gain nothing for a few legs.
        with sdpa_kernel(SDPBackend.MATH):
            multivectors, _ = self.net(lgatr.embed_vector(vectors), types)
        outputs: torch.Tensor = multivectors[..., 0].mean(dim=-2)
        return outputs

    def header(self) -> dict[str, Any]:
        return {
            "type": "lgatr",
            "classes": self.classes,
            "n_outputs": self.n_outputs,
            "blocks": self.blocks,
            "multivectors": self.multivectors,
            "scalars": self.scalars,
            "heads": self.heads,
        }

    def _move_constants(self, device: torch.device) -> None:
        """The package's constants follow the features: of an ensemble's architecture only the weights are replaced."""
        for module in self.net.modules():
            for name, constant in module.named_buffers(recurse=False):
                if constant.device != device:
                    setattr(module, name, constant.to(device))


class LGATrConfig(NetworkConfig):
    """Lorentz-equivariant transformer, for Python only; needs the representation four_vectors."""

    type: Literal["lgatr"] = "lgatr"
    blocks: int = Field(default=4, ge=1, description="transformer blocks")
    multivectors: int = Field(default=8, ge=1, description="multivector channels")
    scalars: int = Field(default=16, ge=1, description="scalar channels")
    heads: int = Field(default=4, ge=1, description="attention heads")

    def build(self, representation: Representation, n_outputs: int) -> LGATr:
        if not isinstance(representation, Momenta) or not representation.as_vectors:
            raise PyampError(
                f"network lgatr: representation {representation.kind} found, momenta with one scale for all "
                "components expected; set type: four_vectors in the representation"
            )
        classes = leg_classes(representation.pdg_ids, representation.n_incoming)
        return LGATr(classes, n_outputs, self.blocks, self.multivectors, self.scalars, self.heads)
