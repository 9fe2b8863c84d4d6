"""Cuts on the outgoing legs, as data; the C++ core applies them, here and in the evaluator's domain check."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field

from pyamp import _core
from pyamp.configuration import StrictModel
from pyamp.errors import PyampError


def _string_keys(value: object) -> object:
    # YAML reads the key 22 as a number.
    return {str(k).replace(" ", ""): v for k, v in value.items()} if isinstance(value, dict) else value


_Limits = Annotated[dict[str, float], BeforeValidator(_string_keys)]
_OrderedLimits = Annotated[dict[str, float | list[float]], BeforeValidator(_string_keys)]


class Cuts(StrictModel):
    """Cuts in the frame of the momenta they are applied to: the laboratory, in process cards and datasets.

    A species is a positive PDG id and covers the antiparticle. Every comparison is strict.

    Parameters
    ----------
    pt_min : dict of str to float or list of float
        Transverse momentum in GeV, by species: the i-th hardest leg must exceed the i-th value; the last
        repeats.
    abs_eta_max : dict of str to float
        |pseudorapidity| of every leg of the species.
    delta_r_min : dict of str to float
        By pair of species, as in ``"22,21"``: smallest sqrt(Δη² + Δφ²) of every such pair.
    """

    pt_min: _OrderedLimits = Field(default_factory=dict)
    abs_eta_max: _Limits = Field(default_factory=dict)
    delta_r_min: _Limits = Field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The cuts that are set; what datasets and model files store."""
        return self.model_dump(exclude_defaults=True)

    def bound(self, pdg_ids: Sequence[int], n_incoming: int = 2) -> _core.Cuts:
        """The compiled cuts for the legs of a process."""
        return _core.Cuts(json.dumps(self.as_dict()), list(pdg_ids), n_incoming)

    def passes(
        self, momenta: npt.ArrayLike, pdg_ids: Sequence[int], n_incoming: int = 2
    ) -> npt.NDArray[np.bool_]:
        """Which points pass.

        Parameters
        ----------
        momenta : array_like, shape (n_points, n_legs, 4)
            ``[E, px, py, pz]`` in GeV, incoming legs first.
        pdg_ids : sequence of int, length n_legs
            Species of the legs.

        Returns
        -------
        ndarray of bool, shape (n_points,)
            NaN momenta do not pass.
        """
        array = np.asarray(momenta, dtype=np.float64)
        if array.ndim != 3 or array.shape[1:] != (len(pdg_ids), 4):
            raise PyampError(f"cuts: momenta have shape {array.shape}; expected (n, {len(pdg_ids)}, 4)")
        return self.bound(pdg_ids, n_incoming).passes(array)

    def minimum_sqrt_s_hat(self, pdg_ids: Sequence[int], n_incoming: int = 2) -> float:
        """Smallest partonic energy in GeV at which massless legs can pass the cuts in pT; 0 without such.

        The mass of a system of massless legs is at least the sum of their pT, and transverse vectors of
        lengths t_i can add up to zero if none is longer than the others together.
        """
        minima = []
        for leg_species in sorted({abs(i) for i in pdg_ids[n_incoming:]}):
            limits = self.pt_min.get(str(leg_species), 0.0)
            ordered = limits if isinstance(limits, list) else [limits]
            n = sum(abs(i) == leg_species for i in pdg_ids[n_incoming:])
            minima += [ordered[min(i, len(ordered) - 1)] for i in range(n)]
        return max(sum(minima), 2 * max(minima))
