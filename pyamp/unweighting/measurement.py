"""Speed factors of a surrogate, measured: times and weights on the same points, on this machine."""

import time
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pyamp.datasets import Dataset
from pyamp.evaluator import Evaluator
from pyamp.phase_space import PhaseSpace, PhaseSpaceSample
from pyamp.processes import Process
from pyamp.truth import Truth, truth
from pyamp.unweighting.maxima import budget_maximum, ratios
from pyamp.unweighting.roulette import Roulette
from pyamp.unweighting.roulette_choice import N_EFF_OVER_N, choose_roulette
from pyamp.unweighting.screen import known_weights, screen_bounds, screen_ratios
from pyamp.unweighting.speed_factors import SpeedFactors, Times, speed_factors
from pyamp.unweighting.two_stage import first_stage_events

FloatArray = npt.NDArray[np.float64]

BATCH = 1000
TIMED_BATCHES = 5  # of different points
_CHUNK = 50_000
_TRUTH_SECONDS = 10.0  # that are spent on timing a truth


@dataclass(frozen=True)
class ScreenSample:
    """Weights with a screen, and what it costs.

    Attributes
    ----------
    weights : ndarray, shape (n,)
        q of the points of a sample in its units; NaN where the screen knows nothing.
    t_screen, t_screen_error : float
        Time of one point in ms, with its standard error.
    """

    weights: FloatArray
    t_screen: float
    t_screen_error: float


@dataclass(frozen=True)
class ScreenFactors:
    """What a screen lets pass, and what that costs.

    Attributes
    ----------
    y_max : float
    bounds : ndarray, shape (n,)
        What it allows the surrogate's weights to be.
    share : float
        Of the points that pass it.
    t_surr, t_surr_error : float
        Time of one point in ms, of the screen and, times that share, of the surrogate; its standard error.
    """

    y_max: float
    bounds: FloatArray
    share: float
    t_surr: float
    t_surr_error: float


@dataclass(frozen=True)
class WeightSample:
    """Weights with truth and surrogate of the same points, and the times of one.

    Attributes
    ----------
    truth_weights, surrogate_weights : ndarray, shape (n,)
        w and s in pb, up to a common factor.
    relative_sigma : ndarray, shape (n,)
        σ_tot/A of the surrogate; 0 outside its domain, where its weight is that of the truth.
    counts : ndarray, shape (n,)
        How many points of the phase space each one stands for.
    times, time_errors : Times
        In ms, with standard errors; t_surr of the surrogate alone.
    screen : ScreenSample or None
        Of a screen in front of the surrogate.
    """

    truth_weights: FloatArray
    surrogate_weights: FloatArray
    relative_sigma: FloatArray
    counts: FloatArray
    times: Times
    time_errors: Times
    screen: ScreenSample | None = None

    def screened(self, budget: float = 1e-3) -> ScreenFactors | None:
        """What the screen lets pass, with maxima of that budget."""
        if self.screen is None:
            return None
        s, counts = self.surrogate_weights, self.counts
        y, multiplicity = screen_ratios(s, self.screen.weights, counts)
        y_max = budget_maximum(y, budget, multiplicity)
        bounds = screen_bounds(self.screen.weights, y_max)
        passed = np.minimum(bounds / budget_maximum(s, budget, counts), 1.0)
        share = float((counts * passed).sum() / counts.sum())
        return ScreenFactors(
            y_max,
            bounds,
            share,
            self.screen.t_screen + share * self.times.t_surr,
            float(np.hypot(self.screen.t_screen_error, share * self.time_errors.t_surr)),
        )

    def two_stage(self, *, budget: float = 1e-3, n_bootstrap: int = 200, seed: int = 1) -> SpeedFactors:
        """Speed factors of two stages, see :func:`speed_factors`."""
        return self._factors(budget, n_bootstrap, seed, None)

    def roulette(
        self,
        *,
        n_eff_over_n: float = N_EFF_OVER_N,
        budget: float = 1e-3,
        n_bootstrap: int = 200,
        seed: int = 1,
        roulette: Roulette | None = None,
    ) -> SpeedFactors:
        """Speed factors of a roulette; unless given, it is chosen on every other point.

        It is measured on all of them: its two numbers follow a few points less closely than ε_full does, which would
        be another one for the rest alone.
        """
        if roulette is None:
            pilot = slice(0, None, 2)
            w, s = self.truth_weights[pilot], self.surrogate_weights[pilot]
            counts = self.counts[pilot]
            screened = self.screened(budget)
            bounds = screened.bounds[pilot] if screened else None
            events, first_weights = first_stage_events(s, budget_maximum(s, budget, counts), counts, bounds)
            roulette = choose_roulette(
                ratios(w, s),
                self.relative_sigma[pilot],
                events,
                first_weights=first_weights,
                n_eff_over_n=n_eff_over_n,
            ).roulette
        return self._factors(budget, n_bootstrap, seed, roulette)

    def _factors(self, budget: float, n_bootstrap: int, seed: int, roulette: Roulette | None) -> SpeedFactors:
        screened = self.screened(budget)
        times, time_errors = self.times, self.time_errors
        if screened:
            times = replace(times, t_surr=screened.t_surr)
            time_errors = replace(time_errors, t_surr=screened.t_surr_error)
        return speed_factors(
            self.truth_weights,
            self.surrogate_weights,
            times,
            counts=self.counts,
            bounds=screened.bounds if screened else None,
            budget=budget,
            roulette=roulette,
            relative_sigma=self.relative_sigma,
            time_errors=time_errors,
            n_bootstrap=n_bootstrap,
            seed=seed,
        )


def sample_phase_space(
    evaluator: Evaluator,
    process: Process,
    n_points: int,
    *,
    repeats: int = 21,
    seed: int = 1,
    screen: Evaluator | None = None,
) -> WeightSample:
    """Sample flat phase space, evaluate truth and surrogate, time all three.

    Weights are amplitude × phase-space weight. Times are processor times of batches of 1000 points, medians over
    `repeats` batches with the standard error of the median.

    Parameters
    ----------
    evaluator : Evaluator
        The surrogate, with ``policy="nan"``: points outside its domain count as x = 1.
    process : Process
        Phase space and cuts; its amplitude is the truth.
    n_points : int
        Number of points within the cuts.
    repeats : int
        Number of batches timed.
    seed : int
        Of the phase space.
    screen : Evaluator, optional
        A cheap surrogate in front of the surrogate, with ``policy="nan"``.
    """
    space = PhaseSpace(process)
    sample = space.sample(n_points, seed)
    exact = truth(process.amplitude, evaluator.couplings["alpha_s"], evaluator.couplings["alpha"])
    me2 = np.concatenate([exact.me2(part) for part in _chunks(sample.momenta)])
    s, sigma = _surrogate(evaluator, sample.momenta, me2)
    times, errors = _times(evaluator, exact, space, sample, repeats, seed)
    w = me2 * sample.weights
    screened = _screen(screen, sample.momenta, sample.weights, repeats)
    return WeightSample(w, s * sample.weights, sigma, np.ones_like(w), times, errors, screened)


def sample_dataset(
    evaluator: Evaluator,
    dataset: Dataset,
    *,
    repeats: int = 21,
    seed: int = 1,
    t_ps_ms: tuple[float, float] | None = None,
    screen: Evaluator | None = None,
) -> WeightSample:
    """The same from points whose amplitudes are known, as for a truth that takes long.

    Parameters
    ----------
    evaluator : Evaluator
    dataset : Dataset
        Points that the surrogate was not trained on.
    repeats, seed
        As for :func:`sample_phase_space`.
    t_ps_ms : tuple of float, optional
        Time of phase space for a point within the cuts, with its error, of the integrator that drew the points of a
        dataset that was recorded: they then count as they are. By default flat phase space is meant and timed, and
        each point counts as many flat ones as it stands for.
    screen : Evaluator, optional
        As for :func:`sample_phase_space`.
    """
    alpha_s, alpha = evaluator.couplings["alpha_s"], evaluator.couplings["alpha"]
    couplings = alpha_s**dataset.info.alpha_s_power * alpha**dataset.info.alpha_power
    counts = dataset.sampling_weight if t_ps_ms is None else np.ones(len(dataset))
    weight = dataset.measure / counts
    me2 = couplings * dataset.amplitude
    s, sigma = _surrogate(evaluator, dataset.momenta, me2)
    exact = truth(dataset.info.process.amplitude, alpha_s, alpha)
    space = PhaseSpace(dataset.info.process)
    if t_ps_ms is None:
        sample = space.sample(min(repeats, TIMED_BATCHES) * BATCH, seed)
        times, errors = _times(evaluator, exact, space, sample, repeats, seed)
    else:
        times, errors = _times_of_points(evaluator, exact, dataset.momenta, repeats, t_ps_ms)
    screened = _screen(screen, dataset.momenta, weight, repeats)
    return WeightSample(me2 * weight, s * weight, sigma, counts, times, errors, screened)


def _surrogate(evaluator: Evaluator, momenta: FloatArray, me2: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Amplitude and σ_tot/A, (n,) each; where the surrogate has none, those of the truth."""
    parts = [evaluator(part) for part in _chunks(momenta)]
    unknown = np.concatenate([part.flags for part in parts]) != 0
    amplitude = np.where(unknown, me2, np.concatenate([part.amplitude for part in parts]))
    sigma = np.where(unknown, 0.0, np.concatenate([part.sigma_tot for part in parts]))
    return amplitude, np.divide(sigma, amplitude, out=np.full_like(sigma, np.inf), where=amplitude > 0)


def _screen(
    screen: Evaluator | None, momenta: FloatArray, measure: FloatArray, repeats: int
) -> ScreenSample | None:
    """Weights with a screen, and its time in batches as those of the surrogate."""
    if screen is None:
        return None
    parts = [
        known_weights(screen(part), weight)
        for part, weight in zip(_chunks(momenta), _chunks(measure), strict=True)
    ]
    return ScreenSample(np.concatenate(parts), *evaluation_time(screen, momenta, repeats))


def evaluation_time(evaluator: Evaluator, momenta: FloatArray, repeats: int) -> tuple[float, float]:
    """Processor time of one point in ms and its error, of so many batches of other points."""
    measured = np.empty(repeats)
    for k in range(-1, repeats):  # once before, to warm up
        batch = momenta[np.arange((k + 1) * BATCH, (k + 2) * BATCH) % len(momenta)]
        begin = time.process_time()
        evaluator(batch)
        if k >= 0:
            measured[k] = 1e3 * (time.process_time() - begin) / len(batch)
    value, error = median_with_error(measured)
    return float(value), float(error)


def _chunks(momenta: FloatArray) -> list[FloatArray]:
    return [momenta[begin : begin + _CHUNK] for begin in range(0, len(momenta), _CHUNK)]


def _times(
    evaluator: Evaluator,
    exact: Truth,
    space: PhaseSpace,
    sample: PhaseSpaceSample,
    repeats: int,
    seed: int,
) -> tuple[Times, Times]:
    """Medians and their standard errors, in ms for a point."""
    measured = np.empty((repeats, 3))
    n_batches = max(1, min(repeats, len(sample.momenta) // BATCH))
    trials = max(1, round(BATCH * sample.n_trials / len(sample.momenta)))
    for k in range(-1, repeats):  # once before, to warm up
        batch = sample.momenta[k % n_batches * BATCH :][:BATCH]
        begin = exact.clock()
        exact.me2(batch)
        t_me = exact.clock() - begin
        begin = time.process_time()
        evaluator(batch)
        t_surr = time.process_time()
        drawn = space.trials(trials, seed, (k + 1) * trials)
        t_ps = time.process_time()
        if k >= 0:
            measured[k] = (
                t_me / len(batch),
                (t_ps - t_surr) / max(len(drawn.weights), 1),
                (t_surr - begin) / len(batch),
            )
    return _medians(measured)


def _times_of_points(
    evaluator: Evaluator, exact: Truth, momenta: FloatArray, repeats: int, t_ps_ms: tuple[float, float]
) -> tuple[Times, Times]:
    """The same for given points; of the truth, which may be slow, as many as take some seconds."""
    clock = exact.clock
    begin = clock()
    exact.me2(momenta[:1])
    n_truth = int(np.clip(_TRUTH_SECONDS / repeats / max(clock() - begin, 1e-6), 1, BATCH))
    measured = np.empty((repeats, 3))
    measured[:, 1] = t_ps_ms[0] / 1e3
    for k in range(-1, repeats):
        points = momenta[np.arange((k + 1) * BATCH, (k + 2) * BATCH) % len(momenta)]
        begin = clock()
        exact.me2(points[:n_truth])
        t_me = clock() - begin
        begin = time.process_time()
        evaluator(points)
        t_surr = time.process_time() - begin
        if k >= 0:
            measured[k, 0], measured[k, 2] = t_me / n_truth, t_surr / len(points)
    value, error = _medians(measured)
    return value, Times(error.t_me, t_ps_ms[1], error.t_surr)


def _medians(measured: FloatArray) -> tuple[Times, Times]:
    """Of times in s, (repeats, 3): medians and their standard errors in ms."""
    median, error = median_with_error(measured)
    return Times(*(1e3 * median).tolist()), Times(*(1e3 * error).tolist())


def median_with_error(measured: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Median of measurements along the first axis, and its standard error."""
    median = np.median(measured, axis=0)
    # Standard error of a median: sqrt(pi/2) times that of the mean for normal scatter, of which this is the width.
    width = 1.4826 * np.median(np.abs(measured - median), axis=0)
    return median, np.sqrt(np.pi / 2 / len(measured)) * width
