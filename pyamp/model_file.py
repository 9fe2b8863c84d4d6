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
from pyamp.likelihoods import likelihood_from_header
from pyamp.networks import MLP, network_from_header
from pyamp.posteriors import posterior_from_header
from pyamp.recalibration import Recalibration, recalibration_from_header
from pyamp.representations import representation_from_header
from pyamp.surrogate import Surrogate
from pyamp.targets import target_from_header

FORMAT_VERSION = 1
SELF_TEST_POINTS = 16
SIGMA_PREFIX = "sigma_network."


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
        Weights or other numbers that are not finite, a number of self-test points other than 16, or a network that
        the C++ evaluator cannot run.
    """
    path = Path(path)
    if surrogate.posterior.architecture.not_exportable:
        raise PyampError(f"{path}: cannot be written: {surrogate.posterior.architecture.not_exportable}")
    tensors = {name: value.detach().cpu().numpy() for name, value in _tensors(surrogate).items()}
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
        "target": surrogate.target.header(),
        "network": surrogate.posterior.architecture.header(),
        "likelihood": surrogate.likelihood.header(),
        "posterior": surrogate.posterior.header(),
        "dtype": str(surrogate.dtype).removeprefix("torch."),
        "domain": info.domain,
        "training": info.training,
        "metrics": info.metrics,
        "self_test": _self_test(surrogate, self_test_momenta),
        "tensors_sha256": hashlib.sha256(buffer).hexdigest(),
    }
    if surrogate.sigma_network is not None:
        header["sigma_network"] = surrogate.sigma_network.header()
    if surrogate.recalibration is not None:
        header["recalibration"] = surrogate.recalibration.header()
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
    text, arrays = _core.read_model_file(os.fspath(path))
    header = json.loads(text)
    tensors = {name: torch.from_numpy(values) for name, values in arrays.items()}
    process = header["process"]
    surrogate = Surrogate(
        representation_from_header(header["representation"], len(process["pdg_ids"]), process["n_incoming"]),
        target_from_header(header["target"]),
        posterior_from_header(header["posterior"], lambda: network_from_header(header["network"])),
        likelihood_from_header(header["likelihood"]),
    )
    if "sigma_network" in header:
        sigma_network = network_from_header(header["sigma_network"])
        assert isinstance(sigma_network, MLP)
        surrogate.sigma_network = sigma_network
    if "recalibration" in header:
        surrogate.recalibration = recalibration_from_header(header["recalibration"])
    surrogate.to_dtype(dtype or getattr(torch, header["dtype"]))
    sigma_tensors = {name: value for name, value in tensors.items() if name.startswith(SIGMA_PREFIX)}
    surrogate.posterior.load_tensors({k: v for k, v in tensors.items() if k not in sigma_tensors})
    if surrogate.sigma_network is not None:
        surrogate.sigma_network.load_state_dict(
            {name.removeprefix(SIGMA_PREFIX): value for name, value in sigma_tensors.items()}
        )
    return surrogate


def with_recalibration(
    path: str | os.PathLike[str], output: str | os.PathLike[str], recalibration: Recalibration
) -> None:
    """Write a model file again with a recalibration of its uncertainties, in place of the one it may have.

    Weights, amplitudes and all other entries stay as they are; the answers of the self-test points are computed again.
    The metrics in the header are thus those from before.

    Parameters
    ----------
    path, output : path-like
        Model file to read and to write, ``NAME.safetensors``.
    recalibration : Recalibration

    Raises
    ------
    PyampError
        The file cannot be read, or answers would not be finite.
    """
    header = read_header(path)
    surrogate = load_surrogate(path)
    surrogate.recalibration = recalibration
    n_legs = len(header["process"]["pdg_ids"])
    momenta = torch.tensor(header["self_test"]["momenta"], dtype=torch.float64).reshape(-1, n_legs, 4)
    info = ModelInfo(
        process=header["process"],
        couplings=header["couplings"],
        spin_colour_average=header["amplitude"]["spin_colour_average"],
        domain=header["domain"],
        training=header["training"],
        metrics=header["metrics"],
    )
    write_model(output, surrogate, info, momenta)


def _tensors(surrogate: Surrogate) -> dict[str, torch.Tensor]:
    """All weights by their names in the file."""
    tensors = surrogate.posterior.tensors()
    if surrogate.sigma_network is not None:
        sigma_network = surrogate.sigma_network.named_parameters()
        tensors |= {SIGMA_PREFIX + name: value for name, value in sigma_network}
    return tensors


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def _self_test(surrogate: Surrogate, momenta: torch.Tensor) -> dict[str, list[float]]:
    """The stored points with the answers of the network in float64 arithmetic."""
    dtype = surrogate.dtype
    surrogate.to_dtype(torch.float64)
    with torch.inference_mode():
        prediction = surrogate(momenta.double())
    surrogate.to_dtype(dtype)
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
