"""Model files made by hand, of any combination, without the package's writer: random weights, NumPy's answers."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from pyamp.processes import load_process
from tests import reference_evaluator

PDG_IDS = [21, 21, 22, 22, 21]
N_LEGS = len(PDG_IDS)
COUPLINGS = {"alpha_s": 0.118, "alpha": 1 / 137.035999084, "alpha_s_power": 3, "alpha_power": 2}
STRIPPED = COUPLINGS["alpha_s"] ** 3 * COUPLINGS["alpha"] ** 2

FACTOR = [{"i": 0, "j": 1, "power": 1.0}, {"i": 0, "j": 4, "power": -1.0}, {"i": 4, "j": 1, "power": -1.0}]
ORDERING = [{"legs": [0, 1], "reference": [4]}, {"legs": [2, 3], "reference": [0, 1]}]
RESONANCES = [
    {"legs": [2, 4], "mass": 500.0, "width": 300.0},
    {"legs": [2, 3, 4], "mass": 900.0, "width": 400.0},
]
REPRESENTATIONS: dict[str, dict[str, Any]] = {
    "ordered": {"type": "log_invariants", "ordering": ORDERING, "factor": FACTOR},
    "unordered": {"type": "log_invariants", "ordering": [], "factor": FACTOR},
    "linear": {"type": "log_invariants", "ordering": ORDERING, "linear": True, "factor": FACTOR},
    "energy": {"type": "log_invariants", "ordering": [], "energy": True, "factor": FACTOR},
    "resonances": {
        "type": "log_invariants",
        "ordering": ORDERING,
        "resonances": RESONANCES,
        "factor": FACTOR,
    },
    "dipoles": {
        "type": "log_invariants",
        "ordering": ORDERING,
        "linear": True,
        "dipoles": [
            {"emitter": emitter, "spectator": k, "splitting": splitting}
            for emitter, spectators, splittings in (
                ([2, 4], [1, 3], ["qg", "gg", "qq"]),
                ([1, 4], [0, 3], ["qg", "gg", "gq", "qq"]),
            )
            for k in spectators
            for splitting in splittings
        ],
        "factor": [{"i": 0, "j": 1, "power": -1.0}],
    },
    "ring": {
        "type": "log_invariants",
        "ordering": ORDERING,
        "antenna": {"ends": [], "gluons": [0, 1, 4]},
        "factor": [{"i": 0, "j": 1, "power": -1.0}],
    },
    "chain": {
        "type": "log_invariants",
        "ordering": [],
        "linear": True,
        "antenna": {"ends": [2, 3], "gluons": [4, 0, 1]},
        "factor": [{"i": 0, "j": 1, "power": -1.0}],
    },
    "momenta": {"type": "momenta", "factor": [{"i": 0, "j": 1, "power": -1.0}]},
}
TARGETS: dict[str, dict[str, Any]] = {
    "log": {"type": "log", "mean": -0.4, "std": 0.7},
    "log1p": {"type": "log1p", "scale": 0.3, "mean": 1.5, "std": 0.4},
    "linear": {"type": "linear", "mean": 2.0, "std": 1.5},
}
LIKELIHOODS: dict[str, tuple[dict[str, Any], int]] = {
    "heteroskedastic_gaussian": ({"type": "heteroskedastic_gaussian"}, 2),
    "mse": ({"type": "mse", "sigma": 0.03}, 1),
    "gaussian_mixture": ({"type": "gaussian_mixture", "components": 3}, 9),
    "evidential": ({"type": "evidential"}, 4),
}
NETWORKS = ("mlp", "residual", "kan", "group_kan")
Y_CUT = 0.03


def network_header(name: str, n_features: int, n_outputs: int, header: dict[str, Any]) -> dict[str, Any]:
    """The ``network`` entry; ``header`` has the other entries."""
    if name == "residual":
        widths = [n_features, 6, 6, 5, 5, n_outputs]
        return {"type": "mlp", "widths": widths, "activation": "sine", "residual": True}
    if name == "kan":
        widths = [n_features, 4, n_outputs]
        return {"type": "kan", "widths": widths, "intervals": 5, "order": 3, "range": 2.0}
    if name == "group_kan":
        # 7 units in 3 groups: sizes that differ.
        widths = [n_features, 7, 6, n_outputs]
        return {"type": "group_kan", "widths": widths, "groups": 3, "numerator": 4, "denominator": 3}
    if name == "dsi":
        return {
            "type": "dsi",
            "classes": [0, 0, 1, 1, 2],
            "pair_widths": [5, 4],
            "particle_widths": [6, 3],
            "widths": [5, n_outputs],
            "activation": "silu",
        }
    if name == "dipole":
        n = len(header["representation"]["dipoles"])
        first = n_features - 3 * n
        return {
            "type": "dipole",
            "dipoles": n,
            "widths": [n_features, 6, n + n_outputs],
            "activation": "tanh",
            "mean": header["representation"]["mean"][first : first + n],
            "std": header["representation"]["std"][first : first + n],
            "scale": np.linspace(0.005, 0.02, n).tolist(),
            "target_std": header["target"]["std"],
            "floor": 0.3,
        }
    if name == "fks":
        return {
            "type": "fks",
            "pairs": [[0, 4], [1, 4], [2, 4], [4, 3]],
            "y_cut": Y_CUT,
            "widths": [n_features, 6, n_outputs],
            "activation": "tanh",
            "mean": header["representation"]["mean"],
            "std": header["representation"]["std"],
            "target_std": header["target"]["std"],
        }
    return {"type": "mlp", "widths": [n_features, 7, 6, n_outputs], "activation": "gelu"}


def linear_shapes(prefix: str, widths: list[int]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(widths)):
        shapes[f"{prefix}layers.{layer}.weight"] = (n_out, n_in)
        shapes[f"{prefix}layers.{layer}.bias"] = (n_out,)
    return shapes


def dsi_shapes(network: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    classes = network["classes"]
    legs = range(len(classes))
    pairs = {(classes[i], classes[j]) for i in legs for j in legs if i != j and {i, j} != {0, 1}}
    labels = sorted(set(classes))
    last, last_particle = network["pair_widths"][-1], network["particle_widths"][-1]
    shapes = linear_shapes("head.", [len(labels) * last_particle, *network["widths"]])
    for c in labels:
        n_partners = sum(pair[0] == c for pair in pairs)
        shapes |= linear_shapes(f"particle.{c}.", [n_partners * last, *network["particle_widths"]])
    for c, d in sorted(pairs):
        shapes |= linear_shapes(f"pair.{c}_{d}.", [1, *network["pair_widths"]])
    return shapes


def tensor_shapes(network: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    if network["type"] == "dsi":
        return dsi_shapes(network)
    shapes = linear_shapes("mlp." if network["type"] == "dipole" else "", network["widths"])
    if network["type"] == "kan":
        expansion = 1 + network["intervals"] + network["order"]
        shapes = {n: (s[0], s[1] * expansion) if n.endswith("weight") else s for n, s in shapes.items()}
    if network["type"] == "group_kan":
        for layer in range(len(network["widths"]) - 2):
            shapes[f"activations.{layer}.numerator"] = (network["groups"], network["numerator"] + 1)
            shapes[f"activations.{layer}.denominator"] = (network["groups"], network["denominator"])
    if network["type"] == "fks":
        shapes = {name: (1 + len(network["pairs"]), *shape) for name, shape in shapes.items()}
    return shapes


def random_tensor(rng: np.random.Generator, name: str, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    scale = 0.15 if "activations" in name else 0.3 if "bias" in name else 1.0 / np.sqrt(shape[-1])
    return (scale * rng.standard_normal(shape)).astype(dtype)


def make_model(
    momenta: np.ndarray,
    *,
    representation: str = "unordered",
    target: str = "log",
    likelihood: str = "heteroskedastic_gaussian",
    network: str | dict[str, Any] = "mlp",
    posterior: str = "deterministic",
    members: int = 3,
    sigma_network: bool = False,
    recalibration: dict[str, Any] | None = None,
    dtype: str = "float64",
    seed: int = 1,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header (without self-test and hashes) and tensors with random weights."""
    rng = np.random.default_rng(seed)
    header: dict[str, Any] = {
        "pyamp_version": "0.1.0",
        "process": {"name": "gg_to_aag", "pdg_ids": PDG_IDS, "n_incoming": 2},
        "couplings": COUPLINGS,
        "amplitude": {"unit": "GeV^-2", "spin_colour_average": 256.0, "identical_particle_factor": False},
        "representation": dict(REPRESENTATIONS[representation]),
        "target": TARGETS[target],
        "posterior": {"type": posterior}
        if posterior == "deterministic"
        else {"type": posterior, "members": members},
        "dtype": dtype,
        "domain": load_process("gg_to_aag_1tev").domain(),
        "training": {"seed": seed},
        "metrics": {"x_max": 1.1},
    }
    raw = reference_evaluator.raw_features(header["representation"], momenta)
    spread = raw.std(axis=0)
    header["representation"]["mean"] = raw.mean(axis=0).tolist()
    header["representation"]["std"] = np.where(spread > 1e-6, spread, 1.0).tolist()
    header["likelihood"], n_outputs = LIKELIHOODS[likelihood]
    n_features = raw.shape[1]
    header["network"] = (
        network if isinstance(network, dict) else network_header(network, n_features, n_outputs, header)
    )
    axis = () if posterior == "deterministic" else (members,)
    tensors = {
        name: random_tensor(rng, name, (*axis, *shape), dtype)
        for name, shape in tensor_shapes(header["network"]).items()
    }
    if header["network"]["type"] == "dipole":
        # Coefficients as of a trained network, mostly positive: float32 loses what random signs let cancel.
        tensors["mlp.layers.1.bias"][..., : header["network"]["dipoles"]] += 2.0
    if sigma_network:
        widths = [n_features, 6, 1]
        header["sigma_network"] = {"type": "mlp", "widths": widths, "activation": "relu"}
        for name, shape in linear_shapes("sigma_network.", widths).items():
            tensors[name] = random_tensor(rng, name, shape, dtype)
    if recalibration:
        header["recalibration"] = recalibration
    return header, tensors


def self_test(
    header: dict[str, Any], tensors: dict[str, np.ndarray], momenta: np.ndarray
) -> dict[str, list[float]]:
    """Answers of the NumPy implementation at the first 16 points."""
    points = momenta[:16]
    amplitude, sigma_syst, sigma_stat = reference_evaluator.evaluate(header, tensors, points)
    return {
        "momenta": points.flatten().tolist(),
        "amplitude": amplitude.tolist(),
        "sigma_syst": sigma_syst.tolist(),
        "sigma_stat": sigma_stat.tolist(),
    }


def write_container(path: Path, header: dict[str, Any], tensors: dict[str, np.ndarray]) -> Path:
    """A model file with hashes that are right for its content, whatever that is."""
    bare = path.with_suffix(".bare")
    save_file(tensors, bare)
    raw = bare.read_bytes()
    bare.unlink()
    buffer = raw[8 + int.from_bytes(raw[:8], "little") :]
    text = json.dumps({**header, "tensors_sha256": hashlib.sha256(buffer).hexdigest()})
    metadata = {
        "format": "pyamp",
        "format_version": "1",
        "header": text,
        "header_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    save_file(tensors, path, metadata)
    return path


def write_model(
    path: Path, header: dict[str, Any], tensors: dict[str, np.ndarray], momenta: np.ndarray
) -> Path:
    """A sound model file."""
    return write_container(path, {**header, "self_test": self_test(header, tensors, momenta)}, tensors)
