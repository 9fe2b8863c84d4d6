"""Phase-space points: RAMBO, partonic energies, boosts and cuts, by trial index."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pyamp import _core
from pyamp.errors import PyampError
from pyamp.processes import Process, load_process

FloatArray = npt.NDArray[np.float64]

_BLOCK = 1 << 16
_HOPELESS = 1 << 22


@dataclass(frozen=True)
class PhaseSpaceSample:
    """Points that passed the cuts, among `n_trials` trials.

    Attributes
    ----------
    momenta : ndarray, shape (n_points, n_legs, 4)
        ``[E, px, py, pz]`` in GeV in the laboratory, the first beam along +z.
    weights : ndarray, shape (n_points,)
        Phase-space weights in pb GeV^(2 n_legs - 8).
    trials : ndarray of int64, shape (n_points,)
        Index of each point among all trials.
    n_trials : int
        Number of trials, those that failed the cuts included.
    """

    momenta: FloatArray
    weights: FloatArray
    trials: npt.NDArray[np.int64]
    n_trials: int

    def integrate(self, me2: npt.ArrayLike) -> tuple[float, float]:
        """Cross section in pb and its standard error, for |M|² of shape (n_points,) or a number.

        For hadron beams `me2` must contain the parton densities x₁f(x₁) x₂f(x₂).
        """
        w = self.weights * np.asarray(me2, dtype=np.float64)
        mean = float(w.sum() / self.n_trials)
        variance = float((w**2).sum() / self.n_trials - mean**2)
        return mean, float(np.sqrt(max(variance, 0.0) / self.n_trials))


class PhaseSpace:
    """Phase space of a process: flat n-body (RAMBO) at the energies of its card, within its cuts.

    Trial k depends on (seed, k) alone, whatever is drawn before it and wherever. A point's weight contains
    the flux 1/(2ŝ), the phase-space volume with its (2π)^(4-3n), the factor for identical outgoing legs and
    GeV⁻² in pb, so that weight·|M|², averaged over all trials (those cut away count as 0), is the cross
    section in pb. For hadron beams it is a density in dlnτ dy: multiply by x₁f(x₁) x₂f(x₂) with
    x = √τ e^{±y}, the energy of the incoming parton over that of its hadron.

    Parameters
    ----------
    process : Process, str or path
        A process, or what :func:`pyamp.processes.load_process` takes.
    """

    def __init__(self, process: Process | str | Path) -> None:
        self.process = process if isinstance(process, Process) else load_process(process)
        low, high = self.process.sqrt_s_hat_range
        self._sampler = _core.PhaseSpaceSampler(
            pdg_ids=list(self.process.pdg_ids),
            n_incoming=self.process.n_incoming,
            sqrt_s=self.process.sqrt_s,
            sqrt_s_hat_min=low,
            sqrt_s_hat_max=high,
            exponent=self.process.energy.tau_exponent or 0.0,
            cuts=json.dumps(self.process.cuts.as_dict()),
        )

    def trials(self, n_trials: int, seed: int, start: int = 0) -> PhaseSpaceSample:
        """The points among trials `start` ... `start + n_trials - 1` that pass the cuts."""
        _check_not_negative(n_trials=n_trials, seed=seed, start=start)
        momenta, weights, trials = self._sampler.sample(seed, start, n_trials)
        return PhaseSpaceSample(momenta, weights, trials, n_trials)

    def weights_at(self, momenta: FloatArray) -> FloatArray:
        """Weights that this phase space gives to points of its own at the same incoming momenta.

        Over them, the phase-space weights of another integrator say how many flat points each of its points stands
        for.

        Parameters
        ----------
        momenta : ndarray, shape (n_points, n_legs, 4)
            ``[E, px, py, pz]`` in GeV, incoming legs first; cuts and limits of the energy are not looked at.

        Returns
        -------
        ndarray, shape (n_points,)
            In pb GeV^(2 n_legs - 8).
        """
        return self._sampler.weights_at(np.ascontiguousarray(momenta, dtype=np.float64))

    def sample(self, n: int, seed: int, start: int = 0) -> PhaseSpaceSample:
        """The first `n` points from trial `start` on that pass the cuts.

        The trials end with the n-th point, which biases a cross section by 1/n of itself; :meth:`trials`
        does not.

        Raises
        ------
        PyampError
            If 2²² trials in a row fail the cuts.
        """
        _check_not_negative(n=n, seed=seed, start=start)
        blocks: list[PhaseSpaceSample] = []
        found, position, last_hit = 0, start, start
        while found < n:
            block = self.trials(_BLOCK, seed, position)
            position += _BLOCK
            found += len(block.weights)
            if len(block.weights):
                last_hit = position
            elif position - last_hit >= _HOPELESS:
                raise PyampError(
                    f"{self.process.name}: {position - last_hit} trials in a row fail the cuts; loosen the "
                    "cuts or raise the energy"
                )
            blocks.append(block)
        momenta = np.concatenate([np.empty((0, self.process.n_legs, 4)), *(b.momenta for b in blocks)])[:n]
        weights = np.concatenate([np.empty(0), *(b.weights for b in blocks)])[:n]
        trials = np.concatenate([np.empty(0, np.int64), *(b.trials for b in blocks)])[:n]
        return PhaseSpaceSample(momenta, weights, trials, int(trials[-1]) + 1 - start if n else 0)


def _check_not_negative(**arguments: int) -> None:
    for name, value in arguments.items():
        if not 0 <= value < 2**63:
            raise PyampError(f"{name} is {value}; expected an integer from 0 to 2^63 - 1")
