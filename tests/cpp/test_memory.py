"""What a grid job holds in memory: a model with fused kernels leaves LibTorch on the disk, and calls leave nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from pyamp.paths import library
from tests import handmade_models

HEADER_FOLDER = library("pyamp").parents[1] / "include"
MEBIBYTE = 1024  # in KiB


class Memory(NamedTuple):
    before_kib: int
    after_kib: int
    torch_mappings: int


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("memory") / "client"
    source = Path(__file__).with_name("memory_client.c")
    flags = ["-std=c99", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["cc", *flags, f"-I{HEADER_FOLDER}", source, "-o", program, "-ldl"], check=True)
    return program


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory, momenta: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("memory") / "tiny.safetensors"
    header, tensors = handmade_models.make_model(momenta)
    return handmade_models.write_model(path, header, tensors, momenta)


def run(client: Path, model: Path, momenta: np.ndarray, tmp_path: Path, backend: str, calls: int) -> Memory:
    point = tmp_path / "point.txt"
    np.savetxt(point, momenta[:1].reshape(1, -1), fmt="%.17g")
    options = f'{{"backend": "{backend}"}}'
    command = [client, library("pyamp"), model, options, point, calls]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, timeout=300)
    return Memory(*map(int, done.stdout.split()))


def test_millions_of_calls_leave_nothing(
    client: Path, tiny_model: Path, momenta: np.ndarray, tmp_path: Path
) -> None:
    memory = run(client, tiny_model, momenta, tmp_path, "auto", 2_000_000)
    assert memory.after_kib - memory.before_kib < MEBIBYTE


def test_a_fused_model_does_not_load_libtorch(
    client: Path, tiny_model: Path, momenta: np.ndarray, tmp_path: Path
) -> None:
    fused = run(client, tiny_model, momenta, tmp_path, "auto", 0)
    libtorch = run(client, tiny_model, momenta, tmp_path, "libtorch", 0)
    assert fused.torch_mappings == 0
    assert libtorch.torch_mappings > 0
    assert fused.after_kib < 20 * MEBIBYTE
    assert libtorch.after_kib > 100 * MEBIBYTE
