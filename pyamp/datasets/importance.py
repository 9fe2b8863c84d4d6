"""Training points where amplitudes are singular: flat points thinned out, with weights that know it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from pyamp import _core
from pyamp.errors import PyampError
from pyamp.phase_space import PhaseSpace, PhaseSpaceSample
from pyamp.processes import Process

FloatArray = npt.NDArray[np.float64]

Legs = Literal["gluons", "all"]

_REFERENCE_QUANTILE: dict[Legs, float] = {"gluons": 0.999, "all": 1.0}


@dataclass(frozen=True)
class Importance:
    """A share of the points follows g^exponent, the rest is flat in phase space.

    g is the product of ``s_01²/(s_0i s_1i)``, which is ŝ/p_T,i², over outgoing legs i: of gluons alone it is their
    eikonal factor; of all legs it also rises where gluons take most of the energy along the beams and leave little to
    the others. A flat point is kept with the probability ``p = base + (1 − base) min(1, (g/reference)^exponent)``, and
    its weights are divided by p, so that integrals stay what they were.

    Attributes
    ----------
    share : float
        Expected share of the points that follow g^exponent.
    exponent, reference, base : float
    legs : "gluons" or "all"
    """

    share: float
    exponent: float
    reference: float
    base: float
    legs: Legs = "gluons"

    @classmethod
    def from_pilot(
        cls, process: Process, pilot: FloatArray, share: float, exponent: float, legs: Legs = "gluons"
    ) -> Importance:
        """The constants for flat points ``pilot`` of shape (n, legs, 4)."""
        if not 0 < share < 1:
            raise PyampError(f"importance is {share}; expected a share of the points between 0 and 1")
        if not 0 < exponent <= 1:
            raise PyampError(f"importance_exponent is {exponent}; expected more than 0 and at most 1")
        if legs not in _REFERENCE_QUANTILE:
            raise PyampError(f"importance_legs is '{legs}'; expected one of {', '.join(_REFERENCE_QUANTILE)}")
        log_g = _log_density(process, pilot, legs)
        log_reference = float(np.quantile(log_g, _REFERENCE_QUANTILE[legs]))
        mean = float(np.exp(exponent * np.minimum(log_g - log_reference, 0.0)).mean())
        flat_over_important = mean * (1 - share) / share
        base = flat_over_important / (1 + flat_over_important)
        return cls(share, exponent, float(np.exp(log_reference)), base, legs)

    def thin(
        self, space: PhaseSpace, sample: PhaseSpaceSample, seed: int
    ) -> tuple[PhaseSpaceSample, FloatArray]:
        """The points that are kept, each whatever the others are, and their sampling weights 1/p ``(n,)``."""
        log_g = _log_density(space.process, sample.momenta, self.legs)
        important = np.exp(self.exponent * np.minimum(log_g - np.log(self.reference), 0.0))
        p = self.base + (1 - self.base) * important
        first = int(sample.trials[0]) if len(sample.trials) else 0
        span = int(sample.trials[-1]) + 1 - first if len(sample.trials) else 0
        kept = _core.importance_uniforms(seed, first, span)[sample.trials - first] < p
        thinned = replace(
            sample,
            momenta=sample.momenta[kept],
            weights=sample.weights[kept] / p[kept],
            trials=sample.trials[kept],
        )
        return thinned, 1.0 / p[kept]

    def to_json(self) -> str:
        """What a dataset stores of it; files from before there was a choice of legs have no ``legs``."""
        constants = asdict(self)
        if self.legs == "gluons":
            del constants["legs"]
        return json.dumps(constants, sort_keys=True)


def _log_density(process: Process, momenta: FloatArray, legs: Legs) -> FloatArray:
    import torch

    from pyamp.kinematics import invariants, pair_index
    from pyamp.representations import eikonal_factor

    log_s = invariants(torch.from_numpy(momenta), process.n_incoming).abs().log().numpy()
    if legs == "gluons":
        terms = [(term.i, term.j, term.power) for term in eikonal_factor(process.pdg_ids, process.n_incoming)]
    else:
        outgoing = range(process.n_incoming, process.n_legs)
        terms = [term for i in outgoing for term in ((0, 1, 1.0), (0, i, -1.0), (1, i, -1.0))]
    log_factor = sum(power * log_s[:, pair_index(i, j, process.n_legs)] for i, j, power in terms)
    dimension = sum(power for _, _, power in terms)
    return np.asarray(log_factor - dimension * log_s[:, 0])
