"""Four-momenta in units of the partonic energy, component by component or as vectors."""

from __future__ import annotations

from typing import Any

import torch

from pyamp.kinematics import invariants
from pyamp.representations.representation import Power, Representation, factor_from_header


class Momenta(Representation):
    """Components ``p/√s_01``, leg by leg, ``E, px, py, pz``.

    Parameters
    ----------
    n_legs, n_incoming : int
    factor : list of Power
    as_vectors : bool
        One scale for all components, nothing subtracted: features remain Lorentz vectors. Otherwise each component is
        standardised on its own.
    """

    def __init__(self, n_legs: int, n_incoming: int, factor: list[Power], as_vectors: bool = False) -> None:
        super().__init__(n_legs, n_incoming, 4 * n_legs, factor)
        self.as_vectors = as_vectors

    @classmethod
    def from_header(cls, header: dict[str, Any], n_legs: int, n_incoming: int) -> Momenta:
        """Rebuild from the ``representation`` entry of a model file."""
        result = cls(n_legs, n_incoming, factor_from_header(header))
        result._load_constants(header)
        return result

    def header(self) -> dict[str, Any]:
        return {"type": "momenta", **self._constants_header()}

    def fit(self, momenta: torch.Tensor) -> None:
        if self.as_vectors:
            self.std.fill_(float(self.raw_features(momenta).std()))
        else:
            super().fit(momenta)

    def raw_features(self, momenta: torch.Tensor) -> torch.Tensor:
        energy = invariants(momenta[:, :2], 2).abs().sqrt()
        return (momenta / energy[:, :, None]).flatten(start_dim=1)
