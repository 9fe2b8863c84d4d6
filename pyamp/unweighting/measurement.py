"""Speed factors of a surrogate, measured: times and weights on the same points, on this machine."""

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pyamp.datasets import Dataset
from pyamp.evaluator import Evaluator
from pyamp.phase_space import PhaseSpace, PhaseSpaceSample
from pyamp.processes import Process
from pyamp.truth import truth
from pyamp.unweighting.speed_factors import SpeedFactors, Times, speed_factors

FloatArray = npt.NDArray[np.float64]

BATCH = 1000
TIMED_BATCHES = 5  # of different points
_CHUNK = 50_000


def measure_speed_factors(
    evaluator: Evaluator,
    process: Process,
    n_points: int,
    *,
    budget: float = 1e-3,
    n_bootstrap: int = 200,
    repeats: int = 21,
    seed: int = 1,
) -> SpeedFactors:
    """Sample phase space, evaluate truth and surrogate, time all three.

    Weights are amplitude × phase-space weight. Times are processor times of batches of 1000 points, medians over
    `repeats` batches with the standard error of the median.

    Parameters
    ----------
    evaluator : Evaluator
        The surrogate; with ``policy="truth"`` points outside its domain count as x = 1.
    process : Process
        Phase space and cuts; its amplitude is the truth.
    n_points : int
        Number of points within the cuts.
    budget, n_bootstrap, seed
        See :func:`speed_factors`; `seed` is that of the phase space too.
    repeats : int
        Number of batches timed.
    """
    space = PhaseSpace(process)
    sample = space.sample(n_points, seed)
    exact = truth(process.amplitude, evaluator.couplings["alpha_s"], evaluator.couplings["alpha"])
    w, s = np.empty((2, len(sample.weights)))
    for begin in range(0, len(w), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        w[part] = exact.me2(sample.momenta[part]) * sample.weights[part]
        s[part] = evaluator(sample.momenta[part]).amplitude * sample.weights[part]
    value, error = _times(evaluator, exact.me2, space, sample, repeats, seed)
    return speed_factors(w, s, value, budget=budget, time_errors=error, n_bootstrap=n_bootstrap, seed=seed)


def speed_factors_of_dataset(
    evaluator: Evaluator,
    dataset: Dataset,
    *,
    budget: float = 1e-3,
    n_bootstrap: int = 200,
    repeats: int = 21,
    seed: int = 1,
) -> SpeedFactors:
    """The same for flat phase space from points whose amplitudes are known, as for a truth that takes long.

    Points that were drawn with importance sampling count as many flat ones as they stand for, so that few of them tell
    about the rare points with large weights. Times are measured on new points, which are flat.

    Parameters
    ----------
    evaluator : Evaluator
    dataset : Dataset
        Points that the surrogate was not trained on.
    budget, n_bootstrap, repeats, seed
        As for :func:`measure_speed_factors`.
    """
    alpha_s, alpha = evaluator.couplings["alpha_s"], evaluator.couplings["alpha"]
    couplings = alpha_s**dataset.info.alpha_s_power * alpha**dataset.info.alpha_power
    flat_weight = dataset.measure / dataset.sampling_weight
    w = couplings * dataset.amplitude * flat_weight
    s = np.concatenate([evaluator(part).amplitude for part in _chunks(dataset.momenta)]) * flat_weight
    space = PhaseSpace(dataset.info.process)
    sample = space.sample(min(repeats, TIMED_BATCHES) * BATCH, seed)
    exact = truth(dataset.info.process.amplitude, alpha_s, alpha)
    value, error = _times(evaluator, exact.me2, space, sample, repeats, seed)
    return speed_factors(
        w,
        s,
        value,
        counts=dataset.sampling_weight,
        budget=budget,
        time_errors=error,
        n_bootstrap=n_bootstrap,
        seed=seed,
    )


def _chunks(momenta: FloatArray) -> list[FloatArray]:
    return [momenta[begin : begin + _CHUNK] for begin in range(0, len(momenta), _CHUNK)]


def _times(
    evaluator: Evaluator,
    me2: Callable[[FloatArray], object],
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
        begin = time.process_time()
        me2(batch)
        t_me = time.process_time()
        evaluator(batch)
        t_surr = time.process_time()
        drawn = space.trials(trials, seed, (k + 1) * trials)
        t_ps = time.process_time()
        if k >= 0:
            measured[k] = (
                (t_me - begin) / len(batch),
                (t_ps - t_surr) / max(len(drawn.weights), 1),
                (t_surr - t_me) / len(batch),
            )
    median, error = median_with_error(measured)
    return Times(*(1e3 * median).tolist()), Times(*(1e3 * error).tolist())


def median_with_error(measured: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Median of measurements along the first axis, and its standard error."""
    median = np.median(measured, axis=0)
    # Standard error of a median: sqrt(pi/2) times that of the mean for normal scatter, of which this is the width.
    width = 1.4826 * np.median(np.abs(measured - median), axis=0)
    return median, np.sqrt(np.pi / 2 / len(measured)) * width
