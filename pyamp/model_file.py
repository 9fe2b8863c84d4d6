"""The model file: a surrogate with everything needed to evaluate it anywhere, as ``NAME.safetensors``.

Written here, read by the strict C++ reader alone, so Python and every host accept and refuse the same files.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save as safetensors_bytes

from pyamp import _core
from pyamp.errors import PyampError
from pyamp.files import rename_durably
from pyamp.likelihoods import HeteroskedasticGaussian
from pyamp.networks import MLP
from pyamp.posteriors import DeepEnsemble, Deterministic, Posterior
from pyamp.representations import LogInvariants
from pyamp.surrogate import Surrogate

FORMAT_VERSION = 1
SELF_TEST_POINTS = 16


@dataclass(frozen=True)
class ModelInfo:
    """What a model file says beyond the network; each field is an entry of its header.

    Attributes
    ----------
    process : dict
        ``name``, ``pdg_ids`` (incoming first), ``n_incoming``.
    couplings : dict
        ``alpha_s``, ``alpha`` (defaults of the evaluator) and ``alpha_s_power``, ``alpha_power``.
    spin_colour_average : float
        Number of initial states over which the amplitude is averaged.
    domain : dict
        ``sqrt_s_hat`` [min, max] in GeV and ``cuts``, in the frame of the cuts.
    training : dict
        Seed, hashes of configuration and dataset, sizes.
    metrics : dict
        Accuracy, calibration and ``x_max`` on the test split.
    """

    process: dict[str, Any]
    couplings: dict[str, Any]
    spin_colour_average: float
    domain: dict[str, Any]
    training: dict[str, Any]
    metrics: dict[str, Any]


def write_model(
    path: str | os.PathLike[str], surrogate: Surrogate, info: ModelInfo, self_test_momenta: torch.Tensor
) -> None:
    """Write a surrogate; the file appears whole or not at all.

    Parameters
    ----------
    path : path-like
        ``NAME.safetensors``.
    surrogate : Surrogate
    info : ModelInfo
    self_test_momenta : torch.Tensor
        Shape ``(16, legs, 4)``: points inside the domain, stored with their float64 answers.

    Raises
    ------
    PyampError
        Weights or other numbers that are not finite, or a number of self-test points other than 16.
    """
    path = Path(path)
    tensors = {name: value.detach().cpu().numpy() for name, value in surrogate.posterior.tensors().items()}
    for name, values in tensors.items():
        if not np.isfinite(values).all():
            raise PyampError(
                f"{path}: tensor '{name}' holds NaN or infinity, finite weights expected; "
                "the training diverged, lower the learning rate"
            )
    if len(self_test_momenta) != SELF_TEST_POINTS:
        raise PyampError(
            f"self_test_momenta: {len(self_test_momenta)} points found, {SELF_TEST_POINTS} expected"
        )
    table, buffer = _table_and_buffer(tensors)
    header = {
        "pyamp_version": version("pyamp"),
        "process": info.process,
        "couplings": info.couplings,
        "amplitude": {
            "unit": f"GeV^{8 - 2 * len(info.process['pdg_ids'])}",
            "spin_colour_average": info.spin_colour_average,
            "identical_particle_factor": False,
        },
        "representation": surrogate.representation.header(),
        "target": {
            "type": "log",
            "mean": float(surrogate.target_mean),
            "std": float(surrogate.target_std),
        },
        "network": surrogate.posterior.architecture.header(),
        "likelihood": {"type": surrogate.likelihood.name},
        "posterior": surrogate.posterior.header(),
        "dtype": str(surrogate.dtype).removeprefix("torch."),
        "domain": info.domain,
        "training": info.training,
        "metrics": info.metrics,
        "self_test": _self_test(surrogate, self_test_momenta),
        "tensors_sha256": hashlib.sha256(buffer).hexdigest(),
    }
    try:
        text = json.dumps(header, allow_nan=False)
    except ValueError:
        broken = [key for key, value in header.items() if not _is_json(value)]
        raise PyampError(
            f"{path}: {', '.join(broken)} would hold NaN or infinity, finite numbers expected; "
            "the surrogate is useless on some points, train again"
        ) from None
    metadata = {
        "format": "pyamp",
        "format_version": str(FORMAT_VERSION),
        "header": text,
        "header_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(_container({"__metadata__": metadata, **table}, buffer))
    rename_durably(temporary, path)


def read_header(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The checked header of a model file.

    Raises
    ------
    PyampError
        The file is missing, damaged, newer than this version reads, or not a model.
    """
    header: dict[str, Any] = json.loads(_core.read_model_file(os.fspath(path))[0])
    return header


def load_surrogate(path: str | os.PathLike[str], dtype: torch.dtype | None = None) -> Surrogate:
    """Rebuild the PyTorch surrogate of a model file, to fine-tune or compare; evaluate with :class:`pyamp.Evaluator`.

    Parameters
    ----------
    path : path-like
    dtype : torch.dtype, optional
        Arithmetic of the network; the file's by default.
    """
    text, tensors = _core.read_model_file(os.fspath(path))
    header = json.loads(text)
    process = header["process"]

    def network() -> MLP:
        return MLP(header["network"]["widths"], header["network"]["activation"])

    posterior: Posterior = Deterministic(network())
    if header["posterior"]["type"] == "ensemble":
        posterior = DeepEnsemble([network() for _ in range(header["posterior"]["members"])])
    surrogate = Surrogate(
        LogInvariants.from_header(header["representation"], len(process["pdg_ids"]), process["n_incoming"]),
        posterior,
        HeteroskedasticGaussian(),
    )
    surrogate.target_mean.fill_(header["target"]["mean"])
    surrogate.target_std.fill_(header["target"]["std"])
    surrogate.posterior.to(dtype or getattr(torch, header["dtype"]))
    surrogate.posterior.load_tensors({name: torch.from_numpy(values) for name, values in tensors.items()})
    return surrogate


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def _self_test(surrogate: Surrogate, momenta: torch.Tensor) -> dict[str, list[float]]:
    """The stored points with the answers of the network in float64 arithmetic."""
    dtype = surrogate.dtype
    surrogate.posterior.double()
    with torch.inference_mode():
        prediction = surrogate(momenta.double())
    surrogate.posterior.to(dtype)
    return {
        "momenta": momenta.double().flatten().tolist(),
        "amplitude": prediction.amplitude.tolist(),
        "sigma_syst": prediction.sigma_syst.tolist(),
        "sigma_stat": prediction.sigma_stat.tolist(),
    }


def _table_and_buffer(tensors: dict[str, np.ndarray[Any, Any]]) -> tuple[dict[str, Any], bytes]:
    """The two parts of a safetensors file: its table of contents and what the tensors lie in."""
    container = safetensors_bytes(tensors)
    end = 8 + int.from_bytes(container[:8], "little")
    return json.loads(container[8:end]), container[end:]


def _container(table: dict[str, Any], buffer: bytes) -> bytes:
    """A safetensors file with the table in a fixed order, so that the same model gives the same bytes."""
    text = json.dumps(table, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + buffer
