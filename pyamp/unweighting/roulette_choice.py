"""Which roulette keeps a stated effective sample size for the fewest evaluations of the truth."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyamp.errors import PyampError
from pyamp.unweighting.maxima import event_weights
from pyamp.unweighting.roulette import Roulette, relative_uncertainties, roulette_moments

FloatArray = npt.NDArray[np.float64]

N_EFF_OVER_N = 0.99
_N_MINIMA = 31  # of p_min between its least value and 1
_EVENTS_AT_P_MIN = 10
_KAPPA_LARGEST = 1e6


@dataclass(frozen=True)
class RouletteChoice:
    """A roulette and what the pilot run expects of it.

    Attributes
    ----------
    roulette : Roulette
    mean_p : float
        Share of the events of the first stage for which the truth is evaluated.
    n_eff_over_n : float
        Kish's effective sample size over the number of events.
    negative_share : float
        Expected share of events with a weight below 0.
    """

    roulette: Roulette
    mean_p: float
    n_eff_over_n: float
    negative_share: float


def choose_roulette(
    ratios: npt.ArrayLike,
    relative_sigma: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    first_weights: npt.ArrayLike | None = None,
    n_eff_over_n: float = N_EFF_OVER_N,
    allow_negative: bool = False,
) -> RouletteChoice:
    """κ and p_min with the smallest mean p that keep N_eff/N, from points whose truth is known.

    For every p_min of a logarithmic grid from 10/n to 1, κ is the smallest that keeps N_eff/N and, unless
    `allow_negative`, leaves no point of the pilot with a negative weight, x ≥ 1 − p. Here n is how many events the
    pilot is worth: what is rarer than it can know, one event in n with some x, then adds no more than (x − 1)²/10 to
    the mean squared weight.

    Parameters
    ----------
    ratios : array_like, shape (n,)
        x = w/s of a pilot run.
    relative_sigma : array_like, shape (n,)
        σ_tot/A of the same points.
    weights : array_like, shape (n,), optional
        How many events of the first stage each point stands for: min(1, s/s_max) if the pilot's points are those of
        phase space; by default 1, for a pilot of events that the first stage has accepted.
    first_weights : array_like, shape (n,), optional
        Weight after the first stage, max(1, s/s_max); by default 1.
    n_eff_over_n : float
        Smallest N_eff/N, between 0 and 1.
    allow_negative : bool
        Whether weights below 0 may occur in the pilot run.

    Raises
    ------
    PyampError
        If not even p = 1 keeps N_eff/N.
    """
    x = event_weights("ratios", ratios)
    sigma = relative_uncertainties(relative_sigma)
    omega = np.ones_like(x) if weights is None else event_weights("weights", weights)
    r = np.ones_like(x) if first_weights is None else event_weights("first_weights", first_weights)
    for name, array in (("uncertainties", sigma), ("weights", omega), ("first weights", r)):
        if array.shape != x.shape:
            raise PyampError(f"{len(x)} ratios but {len(array)} {name}; expected as many")
    if not 0 < n_eff_over_n <= 1:
        raise PyampError(f"n_eff_over_n is {n_eff_over_n}; expected a share above 0, at most 1")
    if not (omega * x).sum() > 0:
        raise PyampError("no roulette: all weights of the pilot run are 0; check the cuts and the amplitude")
    seen = omega > 0
    x, sigma, omega, r = x[seen], sigma[seen], omega[seen], r[seen]
    everywhere = roulette_moments(x, np.ones_like(x), omega, r)[1]
    if everywhere < n_eff_over_n:
        raise PyampError(
            f"N_eff/N = {n_eff_over_n:g} cannot be kept: {everywhere:.4g} is left with the truth at every event, by "
            "the spread of truth over surrogate and the overweights of the first stage; train the surrogate "
            "further, lower its overweight budget, or ask for less"
        )
    found = []
    n_events = float(omega.sum() ** 2 / (omega**2).sum())
    for p_min in np.geomspace(min(1.0, _EVENTS_AT_P_MIN / n_events), 1.0, _N_MINIMA):
        kappa = _smallest_kappa(x, sigma, omega, r, float(p_min), n_eff_over_n, allow_negative)
        if np.isfinite(kappa):
            roulette = Roulette(kappa, float(p_min))
            found.append(
                RouletteChoice(roulette, *roulette_moments(x, roulette.probability(sigma), omega, r))
            )
    return min(found, key=lambda choice: choice.mean_p)


def _smallest_kappa(
    x: FloatArray,
    sigma: FloatArray,
    omega: FloatArray,
    r: FloatArray,
    p_min: float,
    n_eff_over_n: float,
    allow_negative: bool,
) -> float:
    """Infinite if there is none, as where an uncertainty is 0 and the deviation is not."""
    low = 0.0
    if not allow_negative:
        needed = 1.0 - x > p_min
        with np.errstate(divide="ignore"):
            low = float(((1.0 - x[needed]) / sigma[needed]).max(initial=0.0)) * (1 + 1e-12)

    def keeps(kappa: float) -> bool:
        p = Roulette(kappa, p_min).probability(sigma)
        return bool(roulette_moments(x, p, omega, r)[1] >= n_eff_over_n)

    if not np.isfinite(low) or keeps(low):
        return low
    if not keeps(_KAPPA_LARGEST):
        return np.inf
    high = _KAPPA_LARGEST
    low = max(low, 1e-3)
    if keeps(low):
        return low
    while high > 1.001 * low:
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if keeps(middle) else (middle, high)
    return high
