"""Surrogates with random weights and their model files, for tests that need no training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from pyamp.likelihoods import HeteroskedasticGaussian
from pyamp.model_file import ModelInfo, write_model
from pyamp.networks import MLP
from pyamp.posteriors import DeepEnsemble, Deterministic
from pyamp.processes import load_process
from pyamp.representations import RepresentationConfig
from pyamp.surrogate import Surrogate
from pyamp.targets import Log
from pyamp.truth import truth

PDG_IDS = [21, 21, 22, 22, 21]


def random_surrogate(
    momenta: np.ndarray,
    dtype: torch.dtype = torch.float64,
    activation: str = "gelu",
    seed: int = 1,
    members: int = 1,
    process: str = "gg_to_aag",
) -> Surrogate:
    """A surrogate with random weights and true preprocessing constants: enough for files and evaluators."""
    torch.manual_seed(seed)
    n_legs = momenta.shape[1]
    representation = RepresentationConfig().build(list(truth(process).pdg_ids))
    networks = [MLP([n_legs * (n_legs - 1) // 2 - 1, 16, 24, 2], activation) for _ in range(members)]
    posterior = DeepEnsemble(networks) if members > 1 else Deterministic(networks[0])
    surrogate = Surrogate(representation, Log(), posterior, HeteroskedasticGaussian())
    amplitude = truth(process, alpha_s=1.0, alpha=1.0).me2(momenta)
    surrogate.fit_preprocessing(torch.from_numpy(momenta), torch.from_numpy(amplitude))
    surrogate.posterior.to(dtype)
    return surrogate


def model_info(process: str = "gg_to_aag", **changes: object) -> ModelInfo:
    """What the file of a surrogate says, with entries replaced."""
    alpha_s_power, alpha_power = truth(process).coupling_orders
    entries: dict[str, object] = {
        "process": {"name": process, "pdg_ids": list(truth(process).pdg_ids), "n_incoming": 2},
        "couplings": {
            "alpha_s": 0.118,
            "alpha": 1 / 137.035999084,
            "alpha_s_power": alpha_s_power,
            "alpha_power": alpha_power,
        },
        "spin_colour_average": 256.0,
        "domain": load_process(f"{process}_1tev").domain(),
        "training": {"seed": 1},
        "metrics": {"x_max": 1.1, "config_sha256": 64 * "0"},
    }
    return ModelInfo(**{**entries, **changes})  # type: ignore[arg-type]


def write_random_model(path: Path, momenta: np.ndarray, **options: object) -> Surrogate:
    """Write a random surrogate and return it."""
    surrogate = random_surrogate(momenta, **options)  # type: ignore[arg-type]
    write_model(path, surrogate, model_info(), torch.from_numpy(momenta[:16]))
    return surrogate
