"""A surrogate of every combination, written and read: C++ gives the numbers of Python, and Python gives them again."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

import pyamp
from pyamp.configuration import validated
from pyamp.model_file import ModelInfo, load_surrogate, write_model
from pyamp.networks import MLP
from pyamp.phase_space import PhaseSpace
from pyamp.processes import load_process
from pyamp.recalibration import Isotonic, Scale
from pyamp.surrogate import Surrogate
from pyamp.training import TrainingConfig, make_surrogate
from tests import reference_evaluator
from tests.support import PDG_IDS, model_info

NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "mlp": ("ordered_invariants", {"hidden": [12, 12], "activation": "sine", "residual": True}),
    "kan": ("log_invariants", {"hidden": [5], "intervals": 4}),
    "group_kan": ("momenta", {"hidden": [12, 8], "groups": 2}),
    "dsi": ("deep_sets_invariants", {}),
    "fks": ("log_invariants", {"hidden": [8]}),
    "dipole": ("dipole", {"hidden": [8]}),
}
POSTERIORS: dict[str, dict[str, Any]] = {
    "deterministic": {},
    "ensemble": {"members": 2},
    "bayesian": {"members": 3, "initial_width": 0.02},
    "repulsive_ensemble": {"members": 2},
}
LIKELIHOODS: dict[str, dict[str, Any]] = {
    "heteroskedastic_gaussian": {},
    "mse": {},
    "gaussian_mixture": {"components": 2},
    "evidential": {},
}


# Legs with dipoles of three configurations; what is exported does not depend on whether such a process exists.
PARTONS = [21, 1, 22, 1, 21]


def surrogate_of(momenta: np.ndarray, pdg_ids: list[int] = PDG_IDS, **choices: Any) -> Surrogate:
    config = validated(choices, TrainingConfig, "test")
    surrogate = make_surrogate(config, pdg_ids, 2, len(momenta))
    amplitude = torch.from_numpy(pyamp.truth().stripped(momenta))
    surrogate.fit_preprocessing(torch.from_numpy(momenta), amplitude)
    surrogate.likelihood.fit(torch.zeros((1, 10, surrogate.likelihood.n_outputs)), torch.full((10,), 0.3))
    surrogate.to_dtype(torch.float64)
    return surrogate


def assert_same_everywhere(
    surrogate: Surrogate, momenta: np.ndarray, path: Path, info: ModelInfo | None = None
) -> None:
    write_model(path, surrogate, info or model_info(), torch.from_numpy(momenta[:16]))
    with torch.inference_mode():
        expected = surrogate(torch.from_numpy(momenta))
        again = load_surrogate(path)(torch.from_numpy(momenta))
    found = pyamp.Evaluator(path, alpha_s=1.0, alpha=1.0)(momenta)
    assert np.isfinite(found.amplitude).all()
    # Sums in another order; of a spread of members, which is a difference, relative to the amplitude.
    for name in ("amplitude", "sigma_syst", "sigma_stat"):
        values = getattr(expected, name).numpy()
        scale = np.abs(expected.amplitude.numpy())
        np.testing.assert_allclose(getattr(found, name) / scale, values / scale, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(
            getattr(again, name).numpy() / scale, values / scale, rtol=1e-12, atol=1e-14
        )


@pytest.mark.parametrize(("network", "posterior"), list(itertools.product(NETWORKS, POSTERIORS)))
def test_network_and_posterior(network: str, posterior: str, momenta: np.ndarray, tmp_path: Path) -> None:
    representation, options = NETWORKS[network]
    surrogate = surrogate_of(
        momenta,
        PARTONS if representation == "dipole" else PDG_IDS,
        representation={"type": representation},
        network={"type": network, **options},
        posterior={"type": posterior, **POSTERIORS[posterior]},
    )
    assert_same_everywhere(surrogate, momenta, tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    ("likelihood", "target", "posterior"),
    list(itertools.product(LIKELIHOODS, ("log", "log1p", "linear"), POSTERIORS)),
)
def test_likelihood_target_and_posterior(
    likelihood: str, target: str, posterior: str, momenta: np.ndarray, tmp_path: Path
) -> None:
    surrogate = surrogate_of(
        momenta,
        representation={"type": "ordered_invariants", "linear": True},
        network={"hidden": [10]},
        target={"type": target},
        likelihood={"type": likelihood, **LIKELIHOODS[likelihood]},
        posterior={"type": posterior, **POSTERIORS[posterior]},
    )
    assert_same_everywhere(surrogate, momenta, tmp_path / "model.safetensors")


@pytest.mark.parametrize("target", ["log", "log1p", "linear"])
@pytest.mark.parametrize("recalibration", [None, Scale(1.3), Isotonic([0.01, 0.2, 1.0], [0.02, 0.1, 3.0])])
def test_sigma_network_and_recalibration(
    target: str, recalibration: Any, momenta: np.ndarray, tmp_path: Path
) -> None:
    surrogate = surrogate_of(
        momenta,
        network={"hidden": [10]},
        target={"type": target},
        likelihood={"type": "mse"},
        posterior={"type": "ensemble", "members": 2},
    )
    torch.manual_seed(8)
    surrogate.sigma_network = MLP([9, 6, 1], "gelu").double()
    surrogate.recalibration = recalibration
    assert_same_everywhere(surrogate, momenta, tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    "representation", ["ordered_invariants", "log_invariants", "momenta", "four_vectors"]
)
@pytest.mark.parametrize("factor", ["eikonal", "scale"])
def test_representation_and_factor(
    representation: str, factor: str, momenta: np.ndarray, tmp_path: Path
) -> None:
    choice = {"type": representation, "factor": factor}
    surrogate = surrogate_of(momenta, representation=choice, network={"hidden": [10]})
    assert_same_everywhere(surrogate, momenta, tmp_path / "model.safetensors")


def test_resonances(momenta: np.ndarray, tmp_path: Path) -> None:
    """Any legs that are called leptons do: what is exported is a function of invariants."""
    resonances = [
        {"legs": [2, 3], "mass": 400.0, "width": 15.0},
        {"legs": [2, 3, 4], "mass": 700.0, "width": 2.0},
    ]
    choice = {"type": "ordered_invariants", "linear": True, "energy": True, "resonances": resonances}
    surrogate = surrogate_of(momenta, representation=choice, network={"hidden": [10]})
    assert_same_everywhere(surrogate, momenta, tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    ("card", "representation"),
    [
        ("gg_to_aagg_lhc13", "ordered_invariants"),
        *itertools.product(("gg_to_eegdd_lhc13", "gg_to_eeggdd_lhc13"), ("ordered_invariants", "dipole")),
    ],
)
def test_many_legs(card: str, representation: str, tmp_path: Path) -> None:
    """Antennas and the invariants of three and more legs."""
    process = load_process(card)
    momenta = PhaseSpace(process).sample(300, seed=4).momenta
    choice = {"type": representation, "factor": "antenna", "multiparticle": True, "energy": True}
    choice["conjugation"] = True
    surrogate = make_surrogate(
        validated(
            {"representation": choice, "network": {"hidden": [10]}, "likelihood": {"type": "mse"}},
            TrainingConfig,
            "test",
        ),
        process.pdg_ids,
        2,
        len(momenta),
    )
    points = torch.from_numpy(momenta)
    log_amplitude = surrogate.representation.log_factor(points) + 0.1 * points[:, 2, 0].log()
    surrogate.fit_preprocessing(points, log_amplitude.exp())
    surrogate.to_dtype(torch.float64)
    info = replace(
        model_info(),
        process={"name": card, "pdg_ids": list(process.pdg_ids), "n_incoming": 2},
        domain=process.domain(),
    )
    path = tmp_path / "model.safetensors"
    assert_same_everywhere(surrogate, momenta, path, info)
    assert pyamp.Evaluator(path).backend.startswith("fused")
    with safe_open(path, "np") as file:
        header = json.loads(file.metadata()["header"])["representation"]
    with torch.inference_mode():
        features = surrogate.representation(points).numpy()
        factor = surrogate.representation.log_factor(points).exp().numpy()
    np.testing.assert_allclose(reference_evaluator.features(header, momenta), features, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(reference_evaluator.singular_factor(header, momenta), factor, rtol=1e-10)


@pytest.mark.parametrize("likelihood", ["mse", "evidential"])
def test_dipoles_with_resonances(likelihood: str, momenta: np.ndarray, tmp_path: Path) -> None:
    resonances = [{"legs": [2, 3], "mass": 400.0, "width": 150.0}]
    surrogate = surrogate_of(
        momenta,
        PARTONS,
        representation={"type": "dipole", "linear": True, "resonances": resonances},
        network={"type": "dipole", "hidden": [8, 6], "initialisation": "variance_preserving"},
        likelihood={"type": likelihood},
    )
    assert_same_everywhere(surrogate, momenta, tmp_path / "model.safetensors")


def test_energy_as_a_feature(tmp_path: Path) -> None:
    """At hadron energies it varies; at a fixed one it says nothing and does no harm."""
    for card in ("gg_to_aag_lhc13", "gg_to_aag_1tev"):
        momenta = PhaseSpace(card).sample(200, seed=3).momenta
        choice = {"type": "ordered_invariants", "linear": True, "energy": True}
        surrogate = surrogate_of(momenta, representation=choice, network={"hidden": [10]})
        features = surrogate.representation(torch.from_numpy(momenta))[:, -1].numpy()
        total = momenta[:, 0] + momenta[:, 1]
        log_s = np.log(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1))
        if card == "gg_to_aag_lhc13":
            np.testing.assert_allclose(features, (log_s - log_s.mean()) / log_s.std(ddof=1), atol=1e-9)
        else:
            np.testing.assert_allclose(features, 0.0, atol=1e-9)
        path = tmp_path / f"{card}.safetensors"
        domain = load_process(card).domain()
        write_model(path, surrogate, model_info(domain=domain), torch.from_numpy(momenta[:16]))
        with torch.inference_mode():
            expected = surrogate(torch.from_numpy(momenta)).amplitude.numpy()
        found = pyamp.Evaluator(path, alpha_s=1.0, alpha=1.0)(momenta).amplitude
        np.testing.assert_allclose(found, expected, rtol=1e-10)
