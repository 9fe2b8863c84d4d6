"""Speed factors of a file of events: what was measured in the run, and how they depend on maxima and roulette."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pyamp.unweighting import (
    EventFile,
    Maxima,
    Roulette,
    SpeedFactors,
    budget_maximum,
    choose_roulette,
    speed_factors,
)
from pyamp.unweighting.maxima import ratios
from pyamp.unweighting.roulette import roulette_moments
from pyamp.unweighting.roulette_choice import N_EFF_OVER_N
from pyamp.unweighting.two_stage import first_stage_events

FloatArray = npt.NDArray[np.float64]

_BUDGETS = np.geomspace(3e-5, 0.1, 12)
_P_MIN = np.geomspace(1e-3, 1.0, 12)
_REPLICAS = 20


@dataclass(frozen=True)
class Curve:
    """f_eff over the maximum of the second stage, or the smallest probability of a roulette; ``(n,)`` each."""

    at: FloatArray
    f_eff: FloatArray
    f_eff_err: FloatArray
    n_eff_over_n: FloatArray


def pilot_ratio(events: EventFile) -> FloatArray:
    """x = w/s of the pilot's points, shape (n,); 0 where both are 0."""
    return ratios(events.pilot["truth"], events.pilot["surrogate"])


def measured_factors(events: EventFile) -> SpeedFactors:
    """Speed factors of a run: efficiencies of the events, the direct ones from the pilot.

    In ``direct`` mode, the other way round, as two stages would be.
    """
    info = events.info
    expected = _expected(events, info.x_max, _roulette(events) if info.mode == "roulette" else None, 200)
    if info.mode == "direct":
        measured = {"epsilon_full": info.epsilon_1st, "n_eff_over_n_standard": info.n_eff_over_n}
        errors = {"epsilon_full": _binomial(info.epsilon_1st, info.n_points), "n_eff_over_n_standard": 0.0}
    else:
        names = ("epsilon_1st", "epsilon_2nd", "mean_p", "n_eff_over_n")
        measured = {name: getattr(info, name) for name in names}
        asked = info.n_truth if info.mode == "two_stage" else info.n_events
        errors = {
            "epsilon_1st": _binomial(info.epsilon_1st, info.n_points),
            "epsilon_2nd": _binomial(info.epsilon_2nd, asked),
            "mean_p": _binomial(info.mean_p, asked),
            "n_eff_over_n": expected.error.n_eff_over_n,
        }
    value = replace(expected.value, **measured)
    errors |= {"x_max": info.x_max_error, "s_max": info.s_max_error, "w_max": info.w_max_error}
    f_eff = value.f_eff(info.times)
    return replace(
        expected,
        value=value,
        error=replace(expected.error, **errors),
        f_eff=f_eff,
        f_eff_err=expected.f_eff_err / expected.f_eff * f_eff,
        f_eff_limit=value.f_eff_limit(info.times),
    )


def both_modes(events: EventFile) -> dict[str, SpeedFactors]:
    """What the pilot expects of two stages and of a roulette."""
    x_max = events.info.x_max
    return {
        "two_stage": _expected(events, x_max, None, 2),
        "roulette": _expected(events, x_max, _roulette(events), 2),
    }


def f_eff_over_x_max(events: EventFile) -> Curve:
    """Two stages with maxima of many budgets."""
    x, s = pilot_ratio(events), events.pilot["surrogate"]
    maxima = np.unique([budget_maximum(x, budget, events.pilot["counts"] * s) for budget in _BUDGETS])
    return _curve(maxima, [_expected(events, float(x_max), None, _REPLICAS) for x_max in maxima])


def f_eff_over_p_min(events: EventFile) -> Curve:
    """Roulettes of many p_min with the κ of the events, or one that would be chosen."""
    roulette = _roulette(events)
    found = [_expected(events, 1.0, Roulette(roulette.kappa, float(p)), _REPLICAS) for p in _P_MIN]
    return _curve(_P_MIN, found)


def _curve(at: FloatArray, found: list[SpeedFactors]) -> Curve:
    columns = ([f.f_eff for f in found], [f.f_eff_err for f in found], [f.value.n_eff_over_n for f in found])
    return Curve(at, *(np.array(column) for column in columns))


def _expected(events: EventFile, x_max: float, roulette: Roulette | None, n_bootstrap: int) -> SpeedFactors:
    info, pilot = events.info, events.pilot
    return speed_factors(
        pilot["truth"],
        pilot["surrogate"],
        info.times,
        counts=pilot["counts"],
        bounds=pilot.get("bounds"),
        maxima=Maxima(info.w_max, info.s_max, x_max),
        roulette=roulette,
        relative_sigma=pilot["relative_sigma"],
        time_errors=info.time_errors,
        n_bootstrap=n_bootstrap,
    )


def _roulette(events: EventFile) -> Roulette:
    """That of the events, or one that keeps 99 % of the effective sample size which the truth everywhere would keep."""
    info, pilot = events.info, events.pilot
    if info.mode == "roulette":
        return Roulette(info.kappa, info.p_min)
    x = pilot_ratio(events)
    accepted, weight = first_stage_events(
        pilot["surrogate"], info.s_max, pilot["counts"], pilot.get("bounds")
    )
    best = roulette_moments(x, np.ones_like(x), accepted, weight)[1]
    choice = choose_roulette(
        x, pilot["relative_sigma"], accepted, first_weights=weight, n_eff_over_n=N_EFF_OVER_N * best
    )
    return choice.roulette


def _binomial(share: float, n: int) -> float:
    return float(np.sqrt(max(share * (1.0 - share), 0.0) / n)) if n else float("nan")
