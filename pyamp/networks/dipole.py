"""Factorisation-aware network: coefficients of Catani-Seymour dipoles."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from pydantic import Field

from pyamp.errors import PyampError
from pyamp.networks.activations import ActivationName, Widths
from pyamp.networks.mlp import MLP, preserve_variance
from pyamp.networks.network import Network, NetworkConfig
from pyamp.representations import LogInvariants, Representation
from pyamp.targets import Log, Target

FLOOR = 0.05
START = math.asinh(1.0)


class DipoleNetwork(Network):
    """``r = e^g Σ_d S_d sinh(c_d) D_d`` with coefficients c_d and a common g from one MLP.

    After arXiv:2107.06625 and 2301.13562: the network learns what multiplies the known dipoles D, which are as singular
    as the amplitude, with the coefficients in the scaling of arsinh. The common factor e^g is an addition: without it
    every coefficient would have to follow what all have in common, such as propagators of colour-neutral bosons.

    The outputs are those of the likelihood. The first, the mean of the standardised ln r, is ``(ln r − m)/d``, with
    ``ln r`` continued by ``arsinh(r/2ε) + ln ε`` through zero, where coefficients of both signs may lead; the others
    come from the MLP.

    Parameters
    ----------
    dipoles : int
        Number of dipoles; ``arsinh D`` of each is in the features, the last ``3 dipoles`` ones, and comes first there.
    widths : list of int
        Features, hidden widths, and ``dipoles + 1`` outputs besides those that the likelihood needs for the width.
    activation : str
        A key of :data:`ACTIVATIONS`.
    mean, std : list of float
        Standardisation of the features ``arsinh D``.
    scale : list of float
        S_d, in units of exp(m).
    target_std : float
        d.
    floor : float
        ε in units of exp(m + g).
    """

    def __init__(
        self,
        dipoles: int,
        widths: list[int],
        activation: str,
        mean: list[float],
        std: list[float],
        scale: list[float],
        target_std: float,
        floor: float,
    ) -> None:
        super().__init__()
        self.dipoles = dipoles
        self.mlp = MLP(widths, activation)
        self._set_constants(mean, std, scale, target_std, floor)

    def fit(self, representation: Representation, target: Target) -> None:
        if not isinstance(target, Log):
            raise PyampError(
                f"network dipole: target {target.header()['type']} found, log expected: it adds up amplitudes; "
                "set type: log in the target"
            )
        first = representation.n_features - 3 * self.dipoles
        mean, std = (
            values[first : first + self.dipoles] for values in (representation.mean, representation.std)
        )
        # Where all coefficients are S_d, dipoles of their typical size add up to the typical amplitude.
        scale = 1.0 / (self.dipoles * mean.clamp(min=START).sinh())
        d = float(target.std)
        self._set_constants(mean.tolist(), std.tolist(), scale.tolist(), d, FLOOR)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        outputs = self.mlp(features)
        coefficients = outputs[:, : self.dipoles].sinh()
        total = (coefficients * self._scaled_dipoles(features)).sum(dim=-1)
        log_r = torch.asinh(total / (2.0 * self._floor)) + math.log(self._floor) + outputs[:, self.dipoles]
        return torch.cat([log_r[:, None] / self._target_std, outputs[:, self.dipoles + 1 :]], dim=1)

    def header(self) -> dict[str, Any]:
        return {
            "type": "dipole",
            "dipoles": self.dipoles,
            "widths": self.mlp.widths,
            "activation": self.mlp.activation,
            "mean": self._mean.tolist(),
            "std": self._std.tolist(),
            "scale": self._scale.tolist(),
            "target_std": self._target_std,
            "floor": self._floor,
        }

    def _set_constants(
        self, mean: list[float], std: list[float], scale: list[float], target_std: float, floor: float
    ) -> None:
        # No buffers: they would follow the arithmetic of the weights and lose digits on the way.
        self._mean, self._std, self._scale = (
            torch.tensor(values, dtype=torch.float64) for values in (mean, std, scale)
        )
        self._target_std = target_std
        self._floor = floor

    def _scaled_dipoles(self, features: torch.Tensor) -> torch.Tensor:
        """S_d D_d ``(n, dipoles)``."""
        first = features.shape[1] - 3 * self.dipoles
        mean, std, scale = (c.to(features) for c in (self._mean, self._std, self._scale))
        return (features[:, first : first + self.dipoles] * std + mean).sinh() * scale


class DipoleConfig(NetworkConfig):
    """Coefficients of dipoles; needs representation dipole, target log and a likelihood with one mean."""

    type: Literal["dipole"] = "dipole"
    hidden: Widths = Field(default=[128, 128, 128], description="hidden widths")
    activation: ActivationName = "tanh"
    initialisation: Literal["torch", "variance_preserving"] = Field(
        default="torch", description="variance_preserving: the start that optimizer natural_gradient needs"
    )

    def build(self, representation: Representation, n_outputs: int) -> DipoleNetwork:
        if not isinstance(representation, LogInvariants) or not representation.dipoles:
            raise PyampError(
                f"network dipole: representation {representation.kind} found, dipole expected; set type: dipole in "
                "the representation"
            )
        if n_outputs not in (1, 2, 4):
            raise PyampError(
                f"network dipole: a likelihood of {n_outputs} outputs found, one with a single mean expected; "
                "set type: mse, heteroskedastic_gaussian or evidential in the likelihood"
            )
        n = len(representation.dipoles)
        widths = [representation.n_features, *self.hidden, n + n_outputs]
        network = DipoleNetwork(n, widths, self.activation, [0.0] * n, [1.0] * n, [1.0] * n, 1.0, 1e-2)
        if self.initialisation == "variance_preserving":
            preserve_variance(network.mlp)
        last = network.mlp.layers[-1]
        assert isinstance(last, torch.nn.Linear)
        with torch.no_grad():
            last.weight.mul_(0.3)
            last.bias[:n] = START
        return network
