"""How much faster unweighted events come with a surrogate: the quantities of arXiv:2301.13562, with errors."""

from dataclasses import astuple, dataclass, fields

import numpy as np
import numpy.typing as npt

from pyamp.errors import PyampError
from pyamp.unweighting.compiled import compiled
from pyamp.unweighting.maxima import budget_maximum, event_weights, maximum_of_sorted, ratios
from pyamp.unweighting.roulette import Roulette, roulette_moments
from pyamp.unweighting.screen import checked_bounds

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Times:
    """Times in ms, of one point within the cuts.

    Attributes
    ----------
    t_me, t_surr : float
        Truth and surrogate; behind a screen, that of the screen and, times the share of the points that pass it, of the
        surrogate.
    t_ps : float
        Phase space and everything else that every point costs, trials that fail the cuts included.
    """

    t_me: float
    t_ps: float
    t_surr: float


def t_standard(times: Times, epsilon_full: float) -> float:
    """Time of one event with the truth alone in ms, (t_ME + t_PS)/ε_full."""
    return (times.t_me + times.t_ps) / epsilon_full


def t_surrogate(times: Times, epsilon_1st: float, epsilon_2nd: float, mean_p: float = 1.0) -> float:
    """Time of one event with a surrogate in front in ms, ((t_surr + t_PS)/ε_1st + ⟨p⟩ t_ME)/ε_2nd.

    ⟨p⟩ is the share of the first stage's events that ask the truth: 1 in two stages, less in a roulette.
    """
    return ((times.t_surr + times.t_ps) / epsilon_1st + mean_p * times.t_me) / epsilon_2nd


@dataclass(frozen=True)
class Maxima:
    """Maxima of w, s and x = w/s that are given, instead of following from a sample."""

    w_max: float
    s_max: float
    x_max: float


@dataclass(frozen=True)
class Efficiencies:
    """What unweighting a sample would give; no dice thrown, every point counts with its probability.

    An ε is the probability to be accepted: ⟨w⟩/w_max, ⟨s⟩/s_max and ⟨x⟩/x_max, less the excess of the overweights.

    Attributes
    ----------
    w_max, s_max, x_max : float
        Maxima of w, s and x = w/s; a roulette has no x_max (NaN).
    epsilon_full, epsilon_1st, epsilon_2nd : float
        Of direct unweighting, the first and the second stage; a roulette accepts everything.
    mean_p : float
        Share of the first stage's events that ask the truth.
    n_eff_over_n, n_eff_over_n_standard : float
        Kish's effective sample size over the number of events, after both stages and after direct unweighting.
    negative_share : float
        Share of events with a weight below 0, which only a roulette has.
    """

    w_max: float
    s_max: float
    x_max: float
    epsilon_full: float
    epsilon_1st: float
    epsilon_2nd: float
    mean_p: float
    n_eff_over_n: float
    n_eff_over_n_standard: float
    negative_share: float

    def f_eff(self, times: Times) -> float:
        """T_standard / T_surrogate, each for one event of the effective sample size."""
        standard = t_standard(times, self.epsilon_full) / self.n_eff_over_n_standard
        surrogate = t_surrogate(times, self.epsilon_1st, self.epsilon_2nd, self.mean_p) / self.n_eff_over_n
        return standard / surrogate

    def f_eff_limit(self, times: Times, mean_p: float = 1.0) -> float:
        """f_eff of a perfect surrogate at no cost: t_surr → 0, and ε_1st, ε_2nd → ε_full, 1.

        With `mean_p` 0 that of a roulette which never asks the truth, (t_ME + t_PS)/t_PS.
        """
        free = Times(times.t_me, times.t_ps, 0.0)
        return t_standard(times, self.epsilon_full) / t_surrogate(free, self.epsilon_full, 1.0, mean_p)


_N_FIELDS = len(fields(Efficiencies))


@dataclass(frozen=True)
class SpeedFactors:
    """Efficiencies and f_eff, each with its standard error.

    Attributes
    ----------
    value, error : Efficiencies
        Estimates, and their bootstrap standard deviations: too small where single points carry much of the
        cross section, for no resampling knows of weights larger than those it has.
    times, time_errors : Times
        In ms, with their standard errors.
    f_eff, f_eff_err : float
        Speed factor corrected for the effective sample size; the error contains that of the times.
    f_eff_limit : float
        That of a perfect surrogate at no cost in two stages.
    roulette : Roulette or None
        The second stage, if it is a roulette.
    """

    value: Efficiencies
    error: Efficiencies
    times: Times
    time_errors: Times
    f_eff: float
    f_eff_err: float
    f_eff_limit: float
    roulette: Roulette | None = None

    def as_row(self) -> dict[str, float | None]:
        """Flat, with the keys of the f_eff tables; errors end in ``_err``, None stands for what is not known."""
        row: dict[str, float] = {}
        for name in ("t_me", "t_ps", "t_surr"):
            row[f"{name}_ms"] = getattr(self.times, name)
            row[f"{name}_ms_err"] = getattr(self.time_errors, name)
        for field in fields(Efficiencies):
            row[field.name] = getattr(self.value, field.name)
            row[f"{field.name}_err"] = getattr(self.error, field.name)
        row |= {
            "f_eff": self.f_eff,
            "f_eff_err": self.f_eff_err,
            "f_eff_limit": self.f_eff_limit,
            "f_eff_limit_roulette": self.value.f_eff_limit(self.times, mean_p=0.0),
        }
        if self.roulette:
            row |= {"kappa": self.roulette.kappa, "p_min": self.roulette.p_min}
        return {key: value if np.isfinite(value) else None for key, value in row.items()}


def speed_factors(
    truth_weights: npt.ArrayLike,
    surrogate_weights: npt.ArrayLike,
    times: Times,
    *,
    counts: npt.ArrayLike | None = None,
    bounds: npt.ArrayLike | None = None,
    budget: float = 1e-3,
    maxima: Maxima | None = None,
    roulette: Roulette | None = None,
    relative_sigma: npt.ArrayLike | None = None,
    time_errors: Times | None = None,
    n_bootstrap: int = 200,
    seed: int = 1,
) -> SpeedFactors:
    """Efficiencies and f_eff from a sample of points for which both amplitudes are known.

    Parameters
    ----------
    truth_weights, surrogate_weights : array_like, shape (n,)
        w and s of points as the phase space gives them, within the cuts.
    times : Times
        Times of one point.
    counts : array_like, shape (n,), optional
        How many points as the phase space gives them each one stands for, in a sample that prefers some; by default 1.
    bounds : array_like, shape (n,), optional
        What a screen allows s to be, see :func:`pyamp.unweighting.two_stage.first_stage`.
    budget : float
        Share of the cross section that the overweights of each maximum may carry in their excess.
    maxima : Maxima, optional
        Instead of those of the budget; they then are the same in all resampled samples.
    roulette : Roulette, optional
        The second stage, instead of accepting and rejecting.
    relative_sigma : array_like, shape (n,)
        σ_tot/A of the points, for a roulette.
    time_errors : Times, optional
        Standard errors of the times.
    n_bootstrap : int
        Number of resampled samples for the errors; the maxima are determined anew in each.
    seed : int
        Seed of the resampling.
    """
    w = event_weights("truth_weights", truth_weights)
    s = event_weights("surrogate_weights", surrogate_weights)
    if w.shape != s.shape:
        raise PyampError(f"{len(w)} weights of the truth but {len(s)} of the surrogate; expected as many")
    if (w[s == 0] > 0).any():
        raise PyampError("the surrogate is 0 where the truth is not; train it on such points")
    x = ratios(w, s)
    each = np.ones_like(w) if counts is None else event_weights("counts", counts)
    if each.shape != w.shape:
        raise PyampError(f"{len(w)} weights but {len(each)} counts; expected as many")
    budget_maximum(w, budget, each)  # refuses what has no maximum
    largest = np.full_like(s, np.inf) if bounds is None else checked_bounds(bounds, len(s))
    p = _probabilities(roulette, relative_sigma, w)
    orders = (_descending(w), _descending(s), _descending(x))

    def efficiencies(drawn: FloatArray) -> Efficiencies:
        if maxima is None:
            # After the first stage a point stands for s/s_max events, overweights included.
            w_max, s_max, x_max = (
                maximum_of_sorted(values, counted, order, budget)
                for values, counted, order in zip((w, s, x), (drawn, drawn, drawn * s), orders, strict=True)
            )
        else:
            w_max, s_max, x_max = astuple(maxima)
        full, first, n_eff_standard, accepted, weight = _first_stage(w, s, largest, drawn, w_max, s_max)
        if p is None:
            second = _second_stage(x / x_max, accepted, weight)
            return Efficiencies(w_max, s_max, x_max, full, first, *second, n_eff_standard, 0.0)
        mean_p, n_eff, negative = roulette_moments(x, p, accepted, weight)
        return Efficiencies(w_max, s_max, np.nan, full, first, 1.0, mean_p, n_eff, n_eff_standard, negative)

    value = efficiencies(each)
    generator = np.random.default_rng(seed)
    errors = time_errors or Times(0.0, 0.0, 0.0)
    sample = np.empty((n_bootstrap, _N_FIELDS + 1))
    for row in sample:
        found = efficiencies(generator.poisson(1.0, len(w)) * each)
        row[:_N_FIELDS] = astuple(found)
        shifted = Times(
            times.t_me + errors.t_me * generator.standard_normal(),
            times.t_ps + errors.t_ps * generator.standard_normal(),
            times.t_surr + errors.t_surr * generator.standard_normal(),
        )
        row[_N_FIELDS] = found.f_eff(shifted)
    deviations = sample.std(axis=0, ddof=1) if n_bootstrap > 1 else np.full(_N_FIELDS + 1, np.nan)
    return SpeedFactors(
        value=value,
        error=Efficiencies(*(float(d) for d in deviations[:_N_FIELDS])),
        times=times,
        time_errors=errors,
        f_eff=value.f_eff(times),
        f_eff_err=float(deviations[_N_FIELDS]),
        f_eff_limit=value.f_eff_limit(times),
        roulette=roulette,
    )


def _probabilities(
    roulette: Roulette | None, relative_sigma: npt.ArrayLike | None, w: FloatArray
) -> FloatArray | None:
    if roulette is None:
        return None
    if relative_sigma is None:
        raise PyampError("speed factors of a roulette need relative_sigma, the uncertainties σ_tot/A")
    p = roulette.probability(relative_sigma)
    if p.shape != w.shape:
        raise PyampError(f"{len(w)} weights but {len(p)} uncertainties; expected as many")
    return p


def _descending(values: FloatArray) -> IntArray:
    return np.argsort(-values, kind="stable").astype(np.int64)


@compiled
def _first_stage(
    w: FloatArray, s: FloatArray, bounds: FloatArray, counts: FloatArray, w_max: float, s_max: float
) -> tuple[float, float, float, FloatArray, FloatArray]:
    """ε_full, ε_1st and N_eff/N of direct unweighting, for points that occur `counts` times.

    And for every point how many events of the first stage it stands for, and their weight.
    """
    accepted = np.empty(len(w))
    weight = np.empty(len(w))
    points = full = first = mean = square = 0.0
    for i in range(len(w)):
        points += counts[i]
        r = w[i] / w_max
        full += counts[i] * min(1.0, r)
        mean += counts[i] * r
        square += counts[i] * r * max(1.0, r)
        allowed = min(1.0, bounds[i] / s_max)
        accepted[i] = counts[i] * min(allowed, s[i] / s_max)
        weight[i] = max(1.0, s[i] / s_max / allowed)
        first += accepted[i]
    return full / points, first / points, mean * mean / (full * square), accepted, weight


@compiled
def _second_stage(r: FloatArray, accepted: FloatArray, weight: FloatArray) -> tuple[float, float, float]:
    """ε_2nd, the share that asks the truth and N_eff/N, of accepting with min(1, r), r = x/x_max."""
    first = second = mean = square = 0.0
    for i in range(len(r)):
        first += accepted[i]
        second += accepted[i] * min(1.0, r[i])
        mean += accepted[i] * weight[i] * r[i]
        square += accepted[i] * weight[i] * weight[i] * r[i] * max(1.0, r[i])
    return second / first, 1.0, mean * mean / (second * square)
