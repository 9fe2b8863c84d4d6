"""A second stage that asks the truth only where the surrogate may be wrong: Russian roulette with the truth.

After the first stage the truth is evaluated with the probability p = clip(κ σ_tot/A, p_min, 1). What was evaluated
gets the weight 1 + (x − 1)/p, what was not gets 1: the expectation is x = w/s for every p > 0, whatever the surrogate
and its uncertainty say. `docs/unweighting.md` derives the variance, and that p ∝ σ_tot/A is the best choice.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyamp import _core
from pyamp.errors import PyampError
from pyamp.unweighting.compiled import compiled
from pyamp.unweighting.events import Events
from pyamp.unweighting.maxima import asked_weights, event_weights
from pyamp.unweighting.two_stage import check_maximum, first_stage

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Roulette:
    """How often the truth is asked.

    Attributes
    ----------
    kappa : float
        Probability over σ_tot/A; at least 0.
    p_min : float
        Smallest probability; above 0, at most 1.
    """

    kappa: float
    p_min: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.kappa) and self.kappa >= 0):
            raise PyampError(f"kappa is {self.kappa}; expected a number from 0 on")
        if not 0 < self.p_min <= 1:
            raise PyampError(f"p_min is {self.p_min}; expected a probability above 0")

    def probability(self, relative_sigma: npt.ArrayLike) -> FloatArray:
        """Probability p ``(n,)`` of points with the relative uncertainties σ_tot/A ``(n,)``.

        1 where the uncertainty is no number: the truth is asked where nothing is known.
        """
        sigma = relative_uncertainties(relative_sigma)
        known = np.isfinite(sigma)
        p = np.ones_like(sigma)
        p[known] = np.clip(self.kappa * sigma[known], self.p_min, 1.0)
        return p


def unweight_roulette(
    surrogate_weights: npt.ArrayLike,
    relative_sigma: npt.ArrayLike,
    truth_weights: Callable[[IntArray], npt.ArrayLike],
    s_max: float,
    roulette: Roulette,
    seed: int,
    start: int = 0,
    bounds: npt.ArrayLike | None = None,
) -> Events:
    """Accept by the surrogate, then correct a few of the accepted points by the truth.

    Parameters
    ----------
    surrogate_weights : array_like, shape (n,)
        Weight s of every point with the surrogate's amplitude.
    relative_sigma : array_like, shape (n,)
        σ_tot/A of the surrogate; where it is NaN or infinite the truth is asked always.
    truth_weights : callable
        True weights w of the points at the indices it is given; asked once, for the points that are evaluated.
    s_max : float
        Maximum of s, see :func:`budget_maximum`.
    roulette : Roulette
        See :func:`choose_roulette`.
    seed, start : int
        The decisions on point i depend on (seed, start + i) alone; the first stage's are those of
        :func:`unweight_two_stage`.
    bounds : array_like, shape (n,), optional
        y_max q, what a screen allows s to be: see :func:`first_stage`.

    Returns
    -------
    Events
        With weights around 1; one that is evaluated and has x < 1 − p has a weight below 0, which belongs there.

    Raises
    ------
    PyampError
        As :func:`unweight_two_stage`.
    """
    s = event_weights("surrogate_weights", surrogate_weights)
    check_maximum("s_max", s_max)
    probability = roulette.probability(relative_sigma)
    if probability.shape != s.shape:
        raise PyampError(f"{len(s)} surrogate weights but {len(probability)} uncertainties; expected as many")
    uniform = _core.unweighting_uniforms(seed, start, len(s), 2)
    accepted, first_weight = first_stage(s, s_max, uniform[:, 0], bounds)
    index = np.flatnonzero(accepted)
    p = probability[index]
    evaluated = uniform[index, 1] < p
    asked = index[evaluated]
    x = np.ones(len(index))
    x[evaluated] = asked_weights(truth_weights, asked) / s[asked]
    weight = first_weight[index] * roulette_weights(x, p, evaluated)
    return Events(index, weight, s_max, len(s), len(asked))


@compiled
def roulette_weights(x: FloatArray, p: FloatArray, evaluated: npt.NDArray[np.bool_]) -> FloatArray:
    """1 + (x − 1)/p for what was evaluated, 1 for the rest."""
    weight = np.ones(len(x))
    for i in range(len(x)):
        if evaluated[i]:
            weight[i] = 1.0 + (x[i] - 1.0) / p[i]
    return weight


@compiled
def roulette_moments(
    x: FloatArray, p: FloatArray, accepted: FloatArray, weight: FloatArray
) -> tuple[float, float, float]:
    """Mean p, N_eff/N and the share of weights below 0, as expected of a roulette.

    For points that stand for `accepted` events of the first stage each, of that `weight`.
    """
    first = evaluated = mean = square = negative = 0.0
    for i in range(len(x)):
        deviation = x[i] - 1.0
        first += accepted[i]
        evaluated += accepted[i] * p[i]
        mean += accepted[i] * weight[i] * x[i]
        square += accepted[i] * weight[i] ** 2 * (x[i] ** 2 + deviation**2 * (1.0 / p[i] - 1.0))
        if x[i] < 1.0 - p[i]:
            negative += accepted[i] * p[i]
    return evaluated / first, mean * mean / (first * square), negative / first


def relative_uncertainties(values: npt.ArrayLike) -> FloatArray:
    """Check σ_tot/A (n,): not negative; what is NaN becomes infinite."""
    sigma = np.array(values, dtype=np.float64)
    if sigma.ndim != 1:
        raise PyampError(f"relative_sigma has shape {sigma.shape}; expected (n,)")
    if (sigma < 0).any():
        raise PyampError(f"relative_sigma: {(sigma < 0).sum()} of {len(sigma)} are negative")
    sigma[np.isnan(sigma)] = np.inf
    return sigma
