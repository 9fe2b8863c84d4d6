"""Cross sections from the surrogate's integral and a few corrections by the truth, unbiased for any surrogate.

σ = ⟨s⟩ + ⟨w − s⟩: the first mean costs no truth and is taken over as many points as one likes; the second, whose terms
are small, only over points chosen with a probability p, each divided by it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyamp import _core
from pyamp.errors import PyampError
from pyamp.unweighting.inclusion import inclusion_probabilities
from pyamp.unweighting.maxima import asked_weights, event_weights
from pyamp.unweighting.roulette import relative_uncertainties

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_P_MIN_SHARE = 0.1  # of the evaluations go to all points alike, whatever their uncertainty says


@dataclass(frozen=True)
class CrossSection:
    """A mean weight, such as a cross section in pb, and what it cost.

    Attributes
    ----------
    value, error : float
        Estimate and standard error.
    n_points, n_truth : int
        Points, and evaluations of the truth.
    error_plain : float
        Standard error of the mean of w over as many points as the truth was evaluated for, without the surrogate.
    """

    value: float
    error: float
    n_points: int
    n_truth: int
    error_plain: float

    @property
    def gain(self) -> float:
        """How many times fewer evaluations the same error takes, (error_plain/error)²."""
        return (self.error_plain / self.error) ** 2 if self.error > 0 else float("inf")


def control_variate(
    surrogate_weights: npt.ArrayLike,
    relative_sigma: npt.ArrayLike,
    truth_weights: Callable[[IntArray], npt.ArrayLike],
    n_truth: int,
    seed: int,
    start: int = 0,
) -> CrossSection:
    """Mean of the true weights w, from all surrogate weights and about `n_truth` true ones.

    The mean of ``s + E (w − s)/p`` with E = 1 for a share p of the points. Its variance is least for p ∝ s σ_tot/A
    (Neyman's allocation), cut at 1; a tenth of the evaluations is spread evenly, so that an uncertainty that is too
    small costs precision and never validity.

    Parameters
    ----------
    surrogate_weights : array_like, shape (n,)
        Weights s of points of phase space; not negative, 0 for those that fail the cuts.
    relative_sigma : array_like, shape (n,)
        σ_tot/A of the surrogate.
    truth_weights : callable
        True weights w of the points at the indices it is given; asked once.
    n_truth : int
        Expected number of evaluations.
    seed, start : int
        Whether point i is evaluated depends on (seed, start + i) alone.

    Returns
    -------
    CrossSection
    """
    s = event_weights("surrogate_weights", surrogate_weights)
    sigma = relative_uncertainties(relative_sigma)
    if sigma.shape != s.shape:
        raise PyampError(f"{len(s)} surrogate weights but {len(sigma)} uncertainties; expected as many")
    if not 2 <= n_truth <= len(s):
        raise PyampError(f"n_truth is {n_truth}; expected from 2 to {len(s)}, the number of points")
    p = inclusion_probabilities(s * np.where(np.isfinite(sigma), sigma, 0.0), n_truth, _P_MIN_SHARE)
    p[np.isinf(sigma)] = 1.0
    index = np.flatnonzero(_core.unweighting_uniforms(seed, start, len(s), 2)[:, 1] < p)
    w = asked_weights(truth_weights, index)
    terms = s.copy()
    terms[index] += (w - s[index]) / p[index]
    # ⟨w²⟩ from the same points, for the comparison; s² corrected like s.
    square = s**2
    square[index] += (w**2 - s[index] ** 2) / p[index]
    value = float(terms.mean())
    plain = max(float(square.mean()) - value**2, 0.0)
    return CrossSection(
        value=value,
        error=float(terms.std(ddof=1) / np.sqrt(len(terms))),
        n_points=len(s),
        n_truth=len(index),
        error_plain=float(np.sqrt(plain / max(len(index), 1))),
    )
