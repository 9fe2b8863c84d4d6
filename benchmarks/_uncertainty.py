"""What the studies of uncertainties share: small networks, noisy points, predictions, statistical errors."""

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _studies import predict, scaled
from rich.progress import Progress

from pyamp.calibration import core_width, pulls
from pyamp.datasets import Dataset
from pyamp.surrogate import Surrogate
from pyamp.training import Points, RunFiles, TrainingConfig, fit, make_surrogate

REPRESENTATION = {"type": "ordered_invariants", "linear": True}
NETWORK = {"type": "mlp", "hidden": [48, 48], "activation": "gelu"}
STEPS, BATCH, RATE = 6000, 256, 5e-3
RESAMPLINGS = 50
CHECKPOINT = "checkpoint.pt"

POSTERIORS: dict[str, dict[str, Any]] = {
    "deterministic": {"type": "deterministic"},
    "bayesian": {"type": "bayesian"},
    "bayesian last layer": {"type": "bayesian", "layers": "last"},
    "ensemble": {"type": "ensemble", "members": 8},
    "repulsive": {"type": "repulsive_ensemble", "members": 8},
}
GAUSSIAN = {"type": "heteroskedastic_gaussian"}
EVIDENTIAL = {"type": "evidential"}
MIXTURE = {"type": "gaussian_mixture", "components": 3}


@dataclass(frozen=True)
class Prediction:
    """A surrogate on some points: amplitudes and uncertainties ``(n,)``, stripped of couplings, and the truth."""

    truth: np.ndarray
    amplitude: np.ndarray
    syst: np.ndarray
    stat: np.ndarray

    @classmethod
    def of(cls, surrogate: Surrogate, dataset: Dataset) -> "Prediction":
        """On the points of a dataset."""
        return cls(dataset.amplitude, *predict(surrogate, dataset.momenta))

    @property
    def tot(self) -> np.ndarray:
        """σ_tot."""
        return np.hypot(self.syst, self.stat)

    @property
    def delta(self) -> np.ndarray:
        """Relative deviations."""
        return self.amplitude / self.truth - 1.0

    def relative(self, name: str) -> np.ndarray:
        """``syst``, ``stat`` or ``tot`` over the amplitude."""
        return np.asarray(getattr(self, name) / self.amplitude)

    def pulls(self, name: str) -> np.ndarray:
        """Pulls with ``syst``, ``stat`` or ``tot``."""
        return pulls(self.amplitude, self.truth, getattr(self, name))


def configuration(
    posterior: Mapping[str, Any],
    likelihood: Mapping[str, Any] | None = None,
    scale: float = 1.0,
    **options: Any,
) -> TrainingConfig:
    """A small network on ordered invariants, with steps divided by ``scale``; options override."""
    values: dict[str, Any] = {
        "representation": REPRESENTATION,
        "network": NETWORK,
        "likelihood": dict(likelihood or GAUSSIAN),
        "posterior": dict(posterior),
        "steps": STEPS,
        "batch_size": BATCH,
        "learning_rate": RATE,
        "validation_interval": 500,
        **options,
    }
    return scaled(TrainingConfig.model_validate(values), scale)


def noisy(dataset: Dataset, config: TrainingConfig, seed: int) -> Points:
    """Points with the noise of the configuration, or with a gap."""
    amplitude, kept = config.noise.apply(dataset.momenta, dataset.amplitude, seed)
    return Points(torch.from_numpy(dataset.momenta[kept]), torch.from_numpy(amplitude[kept]))


def train(config: TrainingConfig, training: Dataset, validation: Dataset) -> Surrogate:
    """A surrogate trained on points with the noise of the configuration."""
    process = training.info.process
    known, held_out = noisy(training, config, config.seed), noisy(validation, config, config.seed + 1)
    surrogate = make_surrogate(config, list(process.pdg_ids), process.n_incoming, len(known.amplitude))
    with tempfile.TemporaryDirectory() as directory, Progress(disable=True) as progress:
        files = RunFiles(Path(directory), CHECKPOINT, {}, checkpoint_seconds=1e9)
        fit(surrogate, config, known, held_out, files, progress)
    return surrogate


def bootstrap(
    statistic: Callable[..., float], *columns: np.ndarray, n: int = RESAMPLINGS
) -> tuple[float, float]:
    """A statistic of columns ``(n_points,)`` with its standard error from resampled points."""
    generator = np.random.default_rng(1)
    size = len(columns[0])
    found = []
    for _ in range(n):
        chosen = generator.integers(size, size=size)
        found.append(statistic(*(column[chosen] for column in columns)))
    return float(statistic(*columns)), float(np.std(found, ddof=1))


def median_of(values: np.ndarray) -> tuple[float, float]:
    """Median with its error."""
    return bootstrap(lambda v: float(np.median(v)), values)


def pull_numbers(t: np.ndarray, prefix: str = "") -> dict[str, float]:
    """Core width, RMS and coverages of pulls, each with its error from the number of points."""
    found = {
        "pull_width": bootstrap(core_width, t),
        "pull_rms": bootstrap(lambda v: float(np.sqrt(np.mean(v**2))), t),
    }
    for name, limit in (("coverage68", 1.0), ("coverage95", 2.0)):
        inside = float(np.mean(np.abs(t) < limit))
        found[name] = inside, math.sqrt(inside * (1.0 - inside) / len(t))
    result = {}
    for name, (value, error) in found.items():
        result[prefix + name] = value
        result[f"{prefix}{name}_err"] = error
    return result


def over_runs(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean over independent trainings and its error; None with one."""
    error = float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None
    return float(np.mean(values)), error
