"""What unweighting sees of a surrogate: its errors where events lie, and what the second stages make of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from pyamp.calibration import effective_number, relative_deviation, weighted_quantile
from pyamp.datasets import Dataset
from pyamp.errors import PyampError
from pyamp.evaluator import Evaluator
from pyamp.refinement.selection import FloatArray
from pyamp.unweighting import SpeedFactors, Times, budget_maximum, choose_roulette, speed_factors
from pyamp.unweighting.maxima import ratios
from pyamp.unweighting.two_stage import first_stage_events

OVERWEIGHT_BUDGET = 1e-3
N_EFF_OVER_N = 0.99
CHUNK = 20_000


@dataclass(frozen=True)
class EventAccuracy:
    """A surrogate on points that count as events do.

    Attributes
    ----------
    n_eff : float
        How many events the test points are worth.
    median_abs_delta, q99_abs_delta : float
        Of |A/A_true − 1|.
    mean_relative_sigma : float
        Mean of σ_tot/A.
    pull_rms : float
        Root mean square of (A − A_true)/σ_tot, which is 1 if σ is right, outliers included.
    x_max, epsilon_2nd, epsilon_2nd_err : float
        Of two stages, with a share of 1e-3 of the cross section in the excess of overweights; the error is that of
        resampling the test points.
    mean_p : float
        Share of events for which a roulette with N_eff/N = 0.99 asks the truth; 1 where no roulette keeps that.
    f_eff_two_stage, f_eff_roulette, f_eff : float or None
        Speed factors and the better of them; None where times are not known.
    """

    n_eff: float
    median_abs_delta: float
    q99_abs_delta: float
    mean_relative_sigma: float
    pull_rms: float
    x_max: float
    epsilon_2nd: float
    epsilon_2nd_err: float
    mean_p: float
    f_eff_two_stage: float | None
    f_eff_roulette: float | None
    f_eff: float | None

    def as_dict(self) -> dict[str, float | None]:
        return asdict(self)


def predict(evaluator: Evaluator, momenta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Amplitude with the couplings of the evaluator, and σ_tot, ``(n,)`` each, of momenta ``(n, legs, 4)``."""
    parts = [evaluator(momenta[begin : begin + CHUNK]) for begin in range(0, len(momenta), CHUNK)]
    amplitude = np.concatenate([np.asarray(part.amplitude) for part in parts])
    return amplitude, np.concatenate([np.asarray(part.sigma_tot) for part in parts])


def event_accuracy(evaluator: Evaluator, test: Dataset, times: Times) -> EventAccuracy:
    """Measure a surrogate on points that it was not trained on.

    Parameters
    ----------
    evaluator : Evaluator
        With ``policy="nan"``; points outside its domain count as known, since a generator would ask the truth there.
    test : Dataset
        Points of any distribution: each counts with amplitude × measure.
    times : Times
        In ms, of one point; NaN where not known.
    """
    flat = test.measure / test.sampling_weight
    truth_weights = test.me2 * flat
    amplitude, sigma = predict(evaluator, test.momenta)
    amplitude = amplitude * (test.info.couplings / _couplings(evaluator))
    sigma = sigma * (test.info.couplings / _couplings(evaluator))
    known = np.isfinite(amplitude)
    relative_sigma = np.where(known, sigma / np.where(known, amplitude, 1.0), np.inf)
    amplitude = np.where(known, amplitude, test.me2)
    surrogate_weights = amplitude * flat
    counts = test.sampling_weight
    events = (truth_weights * counts)[known]
    delta = np.abs(relative_deviation(amplitude, test.me2))[known]
    with np.errstate(divide="ignore"):
        pull = delta / (relative_sigma[known] * amplitude[known] / test.me2[known])
    two_stage = speed_factors(
        truth_weights, surrogate_weights, times, counts=counts, budget=OVERWEIGHT_BUDGET
    )
    roulette = _roulette(truth_weights, surrogate_weights, relative_sigma, counts, times)
    f_eff = [_known(two_stage.f_eff), _known(roulette.f_eff) if roulette else None]
    return EventAccuracy(
        n_eff=effective_number(len(test), truth_weights * counts),
        median_abs_delta=float(weighted_quantile(delta, 0.5, events)),
        q99_abs_delta=float(weighted_quantile(delta, 0.99, events)),
        mean_relative_sigma=float(np.average(relative_sigma[known], weights=events)),
        pull_rms=float(np.sqrt(np.average(pull**2, weights=events))),
        x_max=two_stage.value.x_max,
        epsilon_2nd=two_stage.value.epsilon_2nd,
        epsilon_2nd_err=two_stage.error.epsilon_2nd,
        mean_p=roulette.value.mean_p if roulette else 1.0,
        f_eff_two_stage=f_eff[0],
        f_eff_roulette=f_eff[1],
        f_eff=max((f for f in f_eff if f is not None), default=None),
    )


def _roulette(
    w: FloatArray, s: FloatArray, relative_sigma: FloatArray, counts: FloatArray, times: Times
) -> SpeedFactors | None:
    """With the roulette that keeps N_eff/N; None if there is none."""
    events, first_weights = first_stage_events(s, budget_maximum(s, OVERWEIGHT_BUDGET, counts), counts)
    try:
        choice = choose_roulette(
            ratios(w, s),
            relative_sigma,
            events,
            first_weights=first_weights,
            n_eff_over_n=N_EFF_OVER_N,
        )
    except PyampError:
        return None
    return speed_factors(
        w,
        s,
        times,
        counts=counts,
        budget=OVERWEIGHT_BUDGET,
        roulette=choice.roulette,
        relative_sigma=relative_sigma,
        n_bootstrap=0,
    )


def _couplings(evaluator: Evaluator) -> float:
    c = evaluator.couplings
    return float(c["alpha_s"] ** c["alpha_s_power"] * c["alpha"] ** c["alpha_power"])


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
