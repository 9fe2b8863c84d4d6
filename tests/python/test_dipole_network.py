"""The network of dipole coefficients: what it refuses, that it trains, and that it goes on into softer regions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.progress import Progress

from pyamp.configuration import validated
from pyamp.errors import PyampError
from pyamp.surrogate import Surrogate
from pyamp.training import TrainingConfig
from pyamp.training.fit import Points, fit, make_surrogate
from pyamp.training.loop import RunFiles
from tests.dipole_points import three_body
from tests.python.test_dipoles import FINAL, five_legs

STEPS = 60


def trained(directory: Path, points: torch.Tensor, representation: str, **choices: Any) -> Surrogate:
    """A small surrogate of e⁺e⁻ → qq̄g by photon exchange, by natural gradients."""
    network = {"hidden": [24, 24], "activation": "tanh", "initialisation": "variance_preserving"}
    choices = {
        "representation": {"type": representation, "factor": "scale"},
        "network": {"type": "dipole" if representation == "dipole" else "mlp", **network},
        "likelihood": {"type": "mse"},
        "optimizer": "natural_gradient",
        "schedule": "cooldown",
        "steps": STEPS,
        "batch_size": 400,
        "learning_rate": 0.5,
        "warmup_steps": 0,
        "damping": [1e-2, 1e-5],
        "validation_interval": 20,
        **choices,
    }
    config = validated(choices, TrainingConfig, "test")
    surrogate = make_surrogate(config, FINAL, 2, 2000)
    amplitude = five_legs(FINAL, points)
    training, validation = Points(points[:2000], amplitude[:2000]), Points(points[2000:], amplitude[2000:])
    with Progress(disable=True) as progress:
        fit(surrogate, config, training, validation, RunFiles(directory, "checkpoint.pt", {}), progress)
    return surrogate


def median_deviation(surrogate: Surrogate, points: torch.Tensor) -> float:
    with torch.no_grad():
        prediction = surrogate(points).amplitude
    return float((prediction / five_legs(FINAL, points) - 1).abs().median())


def gluons(rng: np.random.Generator, n: int, lowest: float, highest: float) -> torch.Tensor:
    """Points whose gluon has that fraction of the beam energy, evenly in its logarithm."""
    fraction = np.exp(rng.uniform(np.log(lowest), np.log(highest), n))
    return three_body(rng, [4, 2, 3], fraction, rng.uniform(-0.9, 0.9, n))


def test_goes_on_into_softer_regions_than_it_has_seen(tmp_path: Path) -> None:
    """The claim of arXiv:2107.06625, for gluons a hundred times softer."""
    rng = np.random.default_rng(4)
    points, softer = gluons(rng, 2200, 0.05, 0.9), gluons(rng, 500, 5e-4, 1e-3)
    for name in ("dipole", "log_invariants"):
        (tmp_path / name).mkdir()
    dipole = trained(tmp_path / "dipole", points, "dipole")
    plain = trained(tmp_path / "log_invariants", points, "log_invariants")
    assert median_deviation(dipole, points) < 1e-2
    assert median_deviation(dipole, softer) < 0.1
    assert median_deviation(dipole, softer) < 0.3 * median_deviation(plain, softer)


@pytest.mark.parametrize("likelihood", ["mse", "heteroskedastic_gaussian"])
def test_ensembles_train_by_natural_gradients(likelihood: str, tmp_path: Path) -> None:
    points = gluons(np.random.default_rng(4), 2200, 0.05, 0.9)
    posterior = {"type": "ensemble", "members": 2}
    surrogate = trained(
        tmp_path, points, "dipole", posterior=posterior, likelihood={"type": likelihood}, steps=40
    )
    with torch.no_grad():
        prediction = surrogate(points)
    assert median_deviation(surrogate, points) < 0.03
    assert (prediction.sigma_syst > 0).all()
    assert (prediction.sigma_stat > 0).all()


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (
            {"representation": {"type": "log_invariants"}},
            "representation log_invariants found, dipole expected",
        ),
        ({"likelihood": {"type": "gaussian_mixture", "components": 2}}, "one with a single mean expected"),
    ],
)
def test_what_does_not_go_together_is_refused(choices: dict[str, Any], message: str) -> None:
    base = {"representation": {"type": "dipole"}, "network": {"type": "dipole"}}
    with pytest.raises(PyampError, match=message):
        make_surrogate(validated(base | choices, TrainingConfig, "test"), FINAL, 2, 100)


def test_targets_other_than_log_are_refused() -> None:
    choices = {
        "representation": {"type": "dipole"},
        "network": {"type": "dipole"},
        "target": {"type": "linear"},
    }
    surrogate = make_surrogate(validated(choices, TrainingConfig, "test"), FINAL, 2, 100)
    points = gluons(np.random.default_rng(4), 100, 0.05, 0.9)
    with pytest.raises(PyampError, match="target linear found, log expected"):
        surrogate.fit_preprocessing(points, five_legs(FINAL, points))
