"""How much faster unweighted events come with a surrogate: the quantities of arXiv:2301.13562, with errors."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from pyamp.errors import PyampError
from pyamp.unweighting.compiled import compiled
from pyamp.unweighting.maxima import budget_maximum, event_weights, maximum_of_sorted

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Times:
    """Times in ms, of one point within the cuts.

    Attributes
    ----------
    t_me, t_surr : float
        Truth and surrogate.
    t_ps : float
        Phase space and everything else that every point costs, trials that fail the cuts included.
    """

    t_me: float
    t_ps: float
    t_surr: float


def t_standard(times: Times, epsilon_full: float) -> float:
    """Time of one event with the truth alone in ms, (t_ME + t_PS)/ε_full."""
    return (times.t_me + times.t_ps) / epsilon_full


def t_surrogate(times: Times, epsilon_1st: float, epsilon_2nd: float) -> float:
    """Time of one event with a surrogate in front in ms, ((t_surr + t_PS)/ε_1st + t_ME)/ε_2nd."""
    return ((times.t_surr + times.t_ps) / epsilon_1st + times.t_me) / epsilon_2nd


@dataclass(frozen=True)
class Efficiencies:
    """What unweighting a sample would give; no dice thrown, every point counts with its probability.

    An ε is the probability to be accepted: ⟨w⟩/w_max, ⟨s⟩/s_max and ⟨x⟩/x_max, less the excess of the overweights.

    Attributes
    ----------
    w_max, s_max, x_max : float
        Maxima of w, s and x = w/s.
    epsilon_full, epsilon_1st, epsilon_2nd : float
        Of direct unweighting, the first and the second stage.
    n_eff_over_n, n_eff_over_n_standard : float
        Kish's effective sample size over the number of events, after two stages and after direct unweighting.
    """

    w_max: float
    s_max: float
    x_max: float
    epsilon_full: float
    epsilon_1st: float
    epsilon_2nd: float
    n_eff_over_n: float
    n_eff_over_n_standard: float

    def f_eff(self, times: Times) -> float:
        """T_standard / T_surrogate, each for one event of the effective sample size."""
        standard = t_standard(times, self.epsilon_full) / self.n_eff_over_n_standard
        surrogate = t_surrogate(times, self.epsilon_1st, self.epsilon_2nd) / self.n_eff_over_n
        return standard / surrogate

    def f_eff_limit(self, times: Times) -> float:
        """f_eff of a perfect surrogate at no cost: t_surr → 0, and ε_1st, ε_2nd → ε_full, 1."""
        return t_standard(times, self.epsilon_full) / t_surrogate(
            Times(times.t_me, times.t_ps, 0.0), self.epsilon_full, 1.0
        )


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
        That of a perfect surrogate at no cost.
    """

    value: Efficiencies
    error: Efficiencies
    times: Times
    time_errors: Times
    f_eff: float
    f_eff_err: float
    f_eff_limit: float

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
            "mean_p": 1.0,  # every event of the first stage asks the truth
            "f_eff": self.f_eff,
            "f_eff_err": self.f_eff_err,
            "f_eff_limit": self.f_eff_limit,
        }
        return {key: value if np.isfinite(value) else None for key, value in row.items()}


def speed_factors(
    truth_weights: npt.ArrayLike,
    surrogate_weights: npt.ArrayLike,
    times: Times,
    *,
    counts: npt.ArrayLike | None = None,
    budget: float = 1e-3,
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
    budget : float
        Share of the cross section that the overweights of each maximum may carry in their excess.
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
    x = np.divide(w, s, out=np.zeros_like(w), where=s > 0)
    each = np.ones_like(w) if counts is None else event_weights("counts", counts)
    if each.shape != w.shape:
        raise PyampError(f"{len(w)} weights but {len(each)} counts; expected as many")
    budget_maximum(w, budget, each)  # refuses what has no maximum
    orders = (_descending(w), _descending(s), _descending(x))
    value = Efficiencies(*_efficiencies(w, s, x, each, orders, budget))

    generator = np.random.default_rng(seed)
    errors = time_errors or Times(0.0, 0.0, 0.0)
    sample = np.empty((n_bootstrap, 9))
    for row in sample:
        drawn = generator.poisson(1.0, len(w)) * each
        row[:8] = _efficiencies(w, s, x, drawn, orders, budget)
        shifted = Times(
            times.t_me + errors.t_me * generator.standard_normal(),
            times.t_ps + errors.t_ps * generator.standard_normal(),
            times.t_surr + errors.t_surr * generator.standard_normal(),
        )
        row[8] = Efficiencies(*row[:8]).f_eff(shifted)
    deviations = sample.std(axis=0, ddof=1) if n_bootstrap > 1 else np.full(9, np.nan)
    return SpeedFactors(
        value=value,
        error=Efficiencies(*(float(d) for d in deviations[:8])),
        times=times,
        time_errors=errors,
        f_eff=value.f_eff(times),
        f_eff_err=float(deviations[8]),
        f_eff_limit=value.f_eff_limit(times),
    )


def _descending(values: FloatArray) -> IntArray:
    return np.argsort(-values, kind="stable").astype(np.int64)


@compiled
def _efficiencies(
    w: FloatArray,
    s: FloatArray,
    x: FloatArray,
    counts: FloatArray,
    orders: tuple[IntArray, IntArray, IntArray],
    budget: float,
) -> tuple[float, float, float, float, float, float, float, float]:
    """The fields of Efficiencies for points that occur `counts` times."""
    w_max = maximum_of_sorted(w, counts, orders[0], budget)
    s_max = maximum_of_sorted(s, counts, orders[1], budget)
    # After the first stage a point stands for s/s_max events, overweights included.
    x_max = maximum_of_sorted(x, counts * s, orders[2], budget)
    points = full = first = second = 0.0
    standard_sum = standard_square = two_stage_sum = two_stage_square = 0.0
    for i in range(len(w)):
        points += counts[i]
        r = w[i] / w_max
        full += counts[i] * min(1.0, r)
        standard_sum += counts[i] * r
        standard_square += counts[i] * r * max(1.0, r)
        r1 = s[i] / s_max
        r2 = x[i] / x_max
        first += counts[i] * min(1.0, r1)
        second += counts[i] * min(1.0, r1) * min(1.0, r2)
        two_stage_sum += counts[i] * r1 * r2
        two_stage_square += counts[i] * r1 * r2 * max(1.0, r1) * max(1.0, r2)
    return (
        w_max,
        s_max,
        x_max,
        full / points,
        first / points,
        second / first,
        two_stage_sum * two_stage_sum / (second * two_stage_square),
        standard_sum * standard_sum / (full * standard_square),
    )
