"""Training points where amplitudes are singular: flat points thinned out, with weights that know it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

import numpy as np
import numpy.typing as npt

from pyamp import _core
from pyamp.errors import PyampError
from pyamp.phase_space import PhaseSpace, PhaseSpaceSample
from pyamp.processes import Process

FloatArray = npt.NDArray[np.float64]

_REFERENCE_QUANTILE = 0.999


@dataclass(frozen=True)
class Importance:
    """A share of the points follows g^exponent, the rest is flat in phase space.

    g is the dimensionless eikonal factor ``∏ s_01²/(s_0g s_1g)`` of the outgoing gluons g. A flat point is kept with
    the probability ``p = base + (1 − base) min(1, (g/reference)^exponent)``, and its weights are divided by p, so that
    integrals stay what they were.

    Attributes
    ----------
    share : float
        Expected share of the points that follow g^exponent.
    exponent, reference, base : float
    """

    share: float
    exponent: float
    reference: float
    base: float

    @classmethod
    def from_pilot(cls, process: Process, pilot: FloatArray, share: float, exponent: float) -> Importance:
        """The constants for flat points ``pilot`` of shape (n, legs, 4)."""
        if not 0 < share < 1:
            raise PyampError(f"importance is {share}; expected a share of the points between 0 and 1")
        if not 0 < exponent <= 1:
            raise PyampError(f"importance_exponent is {exponent}; expected more than 0 and at most 1")
        log_g = _log_eikonal(process, pilot)
        log_reference = float(np.quantile(log_g, _REFERENCE_QUANTILE))
        mean = float(np.exp(exponent * np.minimum(log_g - log_reference, 0.0)).mean())
        flat_over_important = mean * (1 - share) / share
        base = flat_over_important / (1 + flat_over_important)
        return cls(share, exponent, float(np.exp(log_reference)), base)

    def thin(
        self, space: PhaseSpace, sample: PhaseSpaceSample, seed: int
    ) -> tuple[PhaseSpaceSample, FloatArray]:
        """The points that are kept, each whatever the others are, and their sampling weights 1/p ``(n,)``."""
        log_g = _log_eikonal(space.process, sample.momenta)
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
        """What a dataset stores of it."""
        return json.dumps(asdict(self), sort_keys=True)


def _log_eikonal(process: Process, momenta: FloatArray) -> FloatArray:
    import torch

    from pyamp.kinematics import invariants, pair_index
    from pyamp.representations import eikonal_factor

    log_s = invariants(torch.from_numpy(momenta), process.n_incoming).abs().log().numpy()
    terms = eikonal_factor(process.pdg_ids, process.n_incoming)
    log_factor = sum(term.power * log_s[:, pair_index(term.i, term.j, process.n_legs)] for term in terms)
    dimension = sum(term.power for term in terms)
    return np.asarray(log_factor - dimension * log_s[:, 0])
