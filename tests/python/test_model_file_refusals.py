"""Headers and tensors that contradict themselves or each other: refused with one line that names the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyamp
from pyamp.model_file import read_header
from tests.handmade_models import make_model, self_test, write_container

REMOVED = object()

MIXTURE = {"likelihood": "gaussian_mixture"}
KAN = {"network": "kan"}
GROUP_KAN = {"network": "group_kan"}
DSI = {"network": "dsi"}
FKS = {"network": "fks"}


def one_dipole(emitter: list[int], spectator: int, splitting: str) -> dict[str, Any]:
    return {"emitter": emitter, "spectator": spectator, "splitting": splitting}


DIPOLE = {"network": "dipole", "representation": "dipoles"}
LOG1P = {"target": "log1p"}
ENSEMBLE = {"posterior": "repulsive_ensemble"}
SIGMA = {"sigma_network": True}
SCALE = {"recalibration": {"type": "scale", "scale": 1.2}}
ISOTONIC = {"recalibration": {"type": "isotonic", "sigma": [0.1, 0.2, 0.4], "calibrated": [0.1, 0.1, 0.2]}}

HEADERS: list[tuple[dict[str, Any], str, Any, str]] = [
    # representation
    (
        {"representation": "momenta"},
        "representation.ordering",
        [],
        "'representation' has 'ordering', unknown",
    ),
    ({"representation": "momenta"}, "representation.mean", [0.0] * 9, "20 finite numbers expected"),
    ({"representation": "momenta"}, "representation.std", [0.0] * 20, "positive numbers expected"),
    (
        {"representation": "momenta"},
        "representation.factor",
        [{"i": 0, "j": 0, "power": 1}],
        "different legs",
    ),
    ({"representation": "momenta"}, "representation.factor", {}, "a list of {i, j, power} expected"),
    ({}, "representation.ordering", REMOVED, "'representation' lacks 'ordering'"),
    ({}, "representation.type", REMOVED, "'representation' lacks 'type'"),
    ({}, "representation", [], "'representation' is [], an object expected"),
    ({}, "representation.linear", 1, "'representation.linear' is 1, true or false expected"),
    ({}, "representation.linear", True, "18 finite numbers expected"),
    ({}, "representation.energy", True, "10 finite numbers expected"),
    ({}, "representation.resonances", [], "1 to 4 resonances expected"),
    ({}, "representation.resonances", [{"legs": [2, 3], "mass": 91.0}], "lacks 'width'"),
    (
        {"representation": "resonances"},
        "representation.resonances",
        [{"legs": [1, 2], "mass": 91.0, "width": 2.0}],
        "two or more outgoing legs, ascending expected",
    ),
    (
        {"representation": "resonances"},
        "representation.resonances",
        [{"legs": [2, 3], "mass": 0.0, "width": 2.0}],
        "expected",
    ),
    ({}, "representation.antenna", {"ends": [2], "gluons": [0, 1, 4]}, "no leg or two expected"),
    ({}, "representation.antenna", {"ends": [], "gluons": [0, 4]}, "3 to 6 legs expected"),
    ({}, "representation.antenna", {"ends": [2, 3], "gluons": []}, "1 to 6 legs expected"),
    ({}, "representation.antenna", {"ends": [2, 3], "gluons": [0, 2]}, "different legs in ends and gluons"),
    ({}, "representation.antenna", {"ends": [2, 5], "gluons": [0]}, "different legs in ends and gluons"),
    (
        {},
        "representation.conjugation",
        {"legs": [2, 3], "conjugates": [4], "reference": [0]},
        "one leg for each",
    ),
    (
        {},
        "representation.conjugation",
        {"legs": [2], "conjugates": [2], "reference": [0]},
        "different legs, none in a group",
    ),
    ({}, "representation.conjugation", {"legs": [2], "conjugates": [3], "reference": []}, "one or more legs"),
    (
        {},
        "representation.conjugation",
        {"legs": [2], "conjugates": [3], "reference": [3]},
        "other than the first pair",
    ),
    ({}, "representation.multiparticle", 1, "true or false expected"),
    # target
    ({}, "target.type", "sqrt", "'target.type' is \"sqrt\", log or log1p or linear expected"),
    ({}, "target.scale", 1.0, "'target' has 'scale', unknown"),
    (LOG1P, "target.scale", REMOVED, "'target' lacks 'scale'"),
    (LOG1P, "target.scale", 0.0, "'target.scale' is 0.0, a positive number expected"),
    ({"target": "linear"}, "target.std", -1, "'target.std' is -1, a positive number expected"),
    ({}, "target.mean", None, "'target.mean' is null, a finite number expected"),
    # likelihood
    ({}, "likelihood.sigma", 0.1, "'likelihood' has 'sigma', unknown"),
    ({}, "likelihood.type", "evidential", "9 features, positive hidden widths, 4 outputs expected"),
    ({"likelihood": "mse"}, "likelihood.sigma", REMOVED, "'likelihood' lacks 'sigma'"),
    ({"likelihood": "mse"}, "likelihood.sigma", 1.1, "'likelihood.sigma' is 1.1, a positive number up to 1"),
    ({"likelihood": "mse"}, "likelihood.sigma", 0, "'likelihood.sigma' is 0, a positive number expected"),
    (MIXTURE, "likelihood.components", REMOVED, "'likelihood' lacks 'components'"),
    (MIXTURE, "likelihood.components", 0, "'likelihood.components' is 0, a positive integer expected"),
    (MIXTURE, "likelihood.components", 2, "'network.widths' is [9,7,6,9], 9 features"),
    # posterior
    (ENSEMBLE, "posterior.members", REMOVED, "'posterior' lacks 'members'"),
    (ENSEMBLE, "posterior.members", 0, "'posterior.members' is 0, a positive number expected"),
    (ENSEMBLE, "posterior.type", "deterministic", "'posterior' has 'members', unknown"),
    # mlp
    ({}, "network.residual", 1, "'network.residual' is 1, true or false expected"),
    ({}, "network.groups", 1, "'network' has 'groups', unknown"),
    ({}, "network.widths", [9, 7, 6, 1], "'network.widths' is [9,7,6,1]"),
    (
        {},
        "network.activation",
        "sin",
        "gelu or leaky_relu or relu or silu or sine or softplus or tanh expected",
    ),
    # kan
    (KAN, "network.range", REMOVED, "'network' lacks 'range'"),
    (KAN, "network.range", 0.0, "'network.range' is 0.0, a positive number expected"),
    (KAN, "network.order", 0, "'network.order' is 0, 1 to 8 expected"),
    (KAN, "network.intervals", 0, "'network.intervals' is 0, 1 to 4096 expected"),
    (KAN, "network.intervals", 6, "tensor 'layers.0.weight' has shape [4,81], [4,90] expected"),
    (KAN, "network.activation", "gelu", "'network' has 'activation', unknown"),
    # group_kan
    (GROUP_KAN, "network.groups", 0, "'network.groups' is 0, a positive integer expected"),
    (GROUP_KAN, "network.groups", 2, "'activations.0.denominator' has shape [3,3], [2,3] expected"),
    (GROUP_KAN, "network.numerator", 3, "'activations.0.numerator' has shape [3,5], [3,4] expected"),
    (GROUP_KAN, "network.denominator", 1.5, "'network.denominator' is 1.5, an integer expected"),
    (GROUP_KAN, "network.denominator", REMOVED, "'network' lacks 'denominator'"),
    # dsi
    (DSI, "representation.ordering", [{"legs": [2, 3], "reference": [0]}], "an empty list for network dsi"),
    (
        DSI,
        "representation.resonances",
        [{"legs": [2, 3], "mass": 91.0, "width": 2.0}],
        "11 finite numbers expected",
    ),
    # dipole
    (DIPOLE, "representation.dipoles", [], "1 to 64 dipoles expected"),
    (DIPOLE, "representation.dipoles", [one_dipole([2, 1], 3, "qg")], "the second outgoing expected"),
    (DIPOLE, "representation.dipoles", [one_dipole([2, 3], 2, "qg")], "a leg beside the emitter expected"),
    (DIPOLE, "representation.dipoles", [one_dipole([2, 3], 4, "gq")], "qg or gg or qq expected"),
    (DIPOLE, "network.dipoles", 3, "the number of those of the representation expected"),
    (DIPOLE, "network.mean", [0.0] * 14, "that of the representation expected"),
    (DIPOLE, "network.std", [1.0] * 14, "that of the representation expected"),
    (DIPOLE, "network.target_std", 0.8, "that of the target expected"),
    (DIPOLE, "network.floor", 0.0, "a positive number expected"),
    (DIPOLE, "network.widths", [60, 6, 15], "16 outputs expected"),
    (DIPOLE, "target.type", "linear", "'target.type' is \"linear\", log for network dipole expected"),
    # dsi
    (DSI, "network.classes", [0, 0, 1, 1], "'network.classes' is [0,0,1,1], 5 numbers"),
    (DSI, "network.classes", [0, 0, -1, 1, 2], "5 numbers of classes, 0 or more, expected"),
    (DSI, "network.classes", [0, 0, 1, 2, 2], "tensor 'pair.2_2.layers.0.bias' is missing"),
    (DSI, "network.pair_widths", [], "'network.pair_widths' is [], one or more positive widths expected"),
    (DSI, "network.particle_widths", [3, 0], "'network.particle_widths' is [3,0]"),
    (DSI, "network.widths", [5, 3], "'network.widths' is [5,3], positive hidden widths, 2 outputs expected"),
    (DSI, "network.activation", 3, "'network.activation' is 3, gelu or"),
    # fks
    (FKS, "representation.ordering", [{"legs": [2, 3], "reference": [0]}], "an empty list for network fks"),
    (FKS, "target.type", "linear", "'target.type' is \"linear\", log for network fks expected"),
    (FKS, "likelihood.type", "evidential", "heteroskedastic_gaussian for network fks expected"),
    (FKS, "network.pairs", [], "'network.pairs' is [], a list of different pairs [i, j] of legs"),
    (FKS, "network.pairs", [[0, 1]], "without [0, 1] expected"),
    (FKS, "network.pairs", [[0, 5]], "a list of different pairs"),
    (FKS, "network.pairs", [[0, 2**32 + 4]], "a list of different pairs"),
    (FKS, "network.pairs", [[0, 4], [4, 0]], "a list of different pairs"),
    (FKS, "network.pairs", [[0, 4], [1, 4]], "'layers.0.bias' has shape [5,6], [3,6] expected"),
    (FKS, "network.y_cut", 0, "'network.y_cut' is 0, a positive number expected"),
    (FKS, "network.target_std", 0.8, "'network.target_std' is 0.8, that of the target expected"),
    (FKS, "network.target_std", REMOVED, "'network' lacks 'target_std'"),
    (FKS, "network.mean", [0.0] * 9, "that of the representation expected"),
    (
        FKS,
        "network.std",
        [1.0] * 8,
        "'network.std' is [1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0], 9 finite numbers expected",
    ),
    # sigma_network
    (SIGMA, "sigma_network.type", "kan", "'sigma_network.type' is \"kan\", mlp expected"),
    (SIGMA, "sigma_network.widths", [9, 6, 2], "9 features, positive hidden widths, 1 output expected"),
    (SIGMA, "sigma_network.widths", [9, 5, 1], "'sigma_network.layers.0.bias' has shape [6], [5] expected"),
    (SIGMA, "sigma_network.residual", True, "'sigma_network' has 'residual', unknown"),
    (SIGMA, "sigma_network", REMOVED, "unknown tensor 'sigma_network.layers.0.bias'"),
    (SIGMA, "sigma_network", 3, "'sigma_network' is 3, an object expected"),
    # recalibration
    (SCALE, "recalibration.type", "spline", "'recalibration.type' is \"spline\", scale or isotonic expected"),
    (SCALE, "recalibration.scale", 0.0, "'recalibration.scale' is 0.0, a positive number expected"),
    (SCALE, "recalibration.sigma", [1.0], "'recalibration' has 'sigma', unknown"),
    (ISOTONIC, "recalibration.calibrated", REMOVED, "'recalibration' lacks 'calibrated'"),
    (ISOTONIC, "recalibration.sigma", [0.1], "'recalibration.sigma' is [0.1], two or more increasing"),
    (ISOTONIC, "recalibration.sigma", [0.1, 0.3, 0.3], "'recalibration.sigma' is [0.1,0.3,0.3], increasing"),
    (ISOTONIC, "recalibration.sigma", [0.0, 0.3, 0.4], "'recalibration.sigma' is [0.0,0.3,0.4], positive"),
    (ISOTONIC, "recalibration.calibrated", [0.1, 0.2], "3 finite numbers expected"),
    (ISOTONIC, "recalibration.calibrated", [0.3, 0.2, 0.4], "numbers that do not decrease expected"),
]


def refused(path: Path, text: str) -> None:
    for read in (read_header, pyamp.Evaluator):
        with pytest.raises(pyamp.PyampError) as error:
            read(path)
        message = str(error.value)
        assert message.startswith(f"{path}: ")
        assert "\n" not in message
        assert text in message


@pytest.mark.parametrize(
    ("choices", "key", "value", "text"), HEADERS, ids=[f"{h[1]}-{k}" for k, h in enumerate(HEADERS)]
)
def test_headers(
    tmp_path: Path, momenta: np.ndarray, choices: dict[str, Any], key: str, value: Any, text: str
) -> None:
    header, tensors = make_model(momenta, **choices)
    header["self_test"] = self_test(header, tensors, momenta)
    *parents, last = key.split(".")
    section = header
    for parent in parents:
        section[parent] = dict(section[parent])
        section = section[parent]
    if value is REMOVED:
        del section[last]
    else:
        section[last] = value
    refused(write_container(tmp_path / "wrong.safetensors", header, tensors), text)


@pytest.mark.parametrize("network", ["dsi", "fks"])
def test_networks_of_invariants_refuse_momenta(tmp_path: Path, momenta: np.ndarray, network: str) -> None:
    header, tensors = make_model(momenta, network=network)
    header["self_test"] = self_test(header, tensors, momenta)
    header["representation"] = make_model(momenta, representation="momenta")[0]["representation"]
    path = write_container(tmp_path / "wrong.safetensors", header, tensors)
    refused(path, f"'representation.type' is \"momenta\", log_invariants for network {network} expected")


@pytest.mark.parametrize("posterior", ["deterministic", "bayesian"])
@pytest.mark.parametrize(
    ("choices", "name"),
    [
        ({"network": "residual"}, "layers.3.weight"),
        (KAN, "layers.1.weight"),
        (GROUP_KAN, "activations.1.denominator"),
        (DSI, "pair.1_1.layers.1.bias"),
        (DSI, "particle.2.layers.0.weight"),
        (DSI, "head.layers.1.bias"),
        (FKS, "layers.0.weight"),
        (SIGMA, "sigma_network.layers.1.weight"),
    ],
)
def test_tensors(
    tmp_path: Path, momenta: np.ndarray, choices: dict[str, Any], name: str, posterior: str
) -> None:
    header, tensors = make_model(momenta, posterior=posterior, **choices)
    header["self_test"] = self_test(header, tensors, momenta)
    path = tmp_path / "wrong.safetensors"
    write_container(path, header, tensors)
    pyamp.Evaluator(path)
    damages = {
        "is missing, shape": {n: v for n, v in tensors.items() if n != name},
        "has shape": {**tensors, name: np.concatenate([tensors[name], tensors[name]])},
        "holds NaN or infinity": {**tensors, name: np.full_like(tensors[name], np.inf)},
        "is float32, float64 expected": {**tensors, name: tensors[name].astype(np.float32)},
    }
    for text, damaged in damages.items():
        refused(write_container(path, header, damaged), f"tensor '{name}' {text}")
    extra = {**tensors, f"{name}.copy": tensors[name]}
    refused(write_container(path, header, extra), f"unknown tensor '{name}.copy'")
