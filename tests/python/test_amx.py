"""The tiles of AMX against LibTorch in float64: accuracy, bits, threads, refusals."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyamp
from pyamp import _core
from pyamp.paths import library
from tests.handmade_models import make_model, write_model
from tests.python.test_fused import (
    ACTIVATIONS,
    FEATURES,
    N_POINTS,
    SHAPES,
    check_bad_rows,
    compare,
    mlp,
    model,
    points,
)

__all__ = ["points"]  # the fixture

OBSTACLE = _core.amx_obstacle()
needs_tiles = pytest.mark.skipif(bool(OBSTACLE), reason=OBSTACLE)


def amx(path: Path, **choices: Any) -> pyamp.Evaluator:
    return pyamp.Evaluator(path, dtype="float32", backend="amx", **choices)


@needs_tiles
@pytest.mark.parametrize("representation", ["ordered", "momenta", "dipoles"])
def test_all_points(tmp_path: Path, points: np.ndarray, representation: str) -> None:
    """1e5 points, a third of them with soft, a third with collinear legs; one, one and two blocks of features."""
    network = mlp([128, 128, 128], "gelu", FEATURES[representation])
    path = model(tmp_path / "m.safetensors", points, representation=representation, network=network)
    assert amx(path).backend == "amx (bfloat16 x 6) cpu float32"
    compare(path, points, "float32", "amx")


@needs_tiles
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(tmp_path: Path, points: np.ndarray, activation: str) -> None:
    path = model(tmp_path / "m.safetensors", points, network=mlp([64, 48, 64], activation))
    compare(path, points[::17], "float32", "amx")


@needs_tiles
@pytest.mark.parametrize("widths", [*SHAPES, [32, 16], [512, 512], [96] * 4], ids=str)
def test_shapes(tmp_path: Path, points: np.ndarray, widths: list[int]) -> None:
    """Widths below, at and above those of tiles and of pairs of them; residuals; fewer and more points than a chunk."""
    path = model(tmp_path / "m.safetensors", points, network=mlp(widths, "silu", residual=True))
    for n in (1, 15, 33, 300):
        compare(path, points[100 : 100 + n], "float32", "amx")


@needs_tiles
@pytest.mark.parametrize("members", [2, 5])
def test_members_and_sigma_network(tmp_path: Path, points: np.ndarray, members: int) -> None:
    choices: dict[str, Any] = {"posterior": "ensemble", "members": members, "sigma_network": True}
    path = model(tmp_path / "m.safetensors", points, network=mlp([20, 70], "tanh"), **choices)
    for n in (1, 40, 1500):
        compare(path, points[:n], "float32", "amx")


@needs_tiles
@pytest.mark.parametrize("posterior", ["deterministic", "ensemble"])
@pytest.mark.parametrize("widths", [[128, 128], [40, 20, 70], [330, 41]], ids=str)
def test_bits_do_not_depend_on_the_batch(
    tmp_path: Path, points: np.ndarray, widths: list[int], posterior: str
) -> None:
    network = mlp(widths, "gelu")
    path = model(tmp_path / "m.safetensors", points, network=network, posterior=posterior, members=3)
    evaluate = amx(path)
    rows = points[np.random.default_rng(1).choice(N_POINTS, 2400, replace=False)]
    together = evaluate(rows)
    for n in (1, 2, 15, 16, 17, 33, 65, 130, 600):
        for first in (0, 7, 1020):
            part = evaluate(rows[first : first + n])
            for name in ("amplitude", "sigma_syst", "sigma_stat"):
                np.testing.assert_array_equal(getattr(part, name), getattr(together, name)[first : first + n])


@needs_tiles
def test_large_and_small_numbers(tmp_path: Path, points: np.ndarray) -> None:
    """Arguments through the whole range in which an activation bends, and far beyond it."""
    momenta = points[:3000]
    header, tensors = make_model(momenta[::6], network=mlp([128], "tanh"))
    header["domain"]["cuts"] = {}
    tensors["layers.0.bias"] = np.concatenate([np.linspace(-12, 12, 112), np.geomspace(20, 1e6, 16)])
    tensors["layers.1.weight"][:, 112:] *= 1e-7
    path = write_model(tmp_path / "m.safetensors", header, tensors, momenta[::6])
    compare(path, momenta, "float32", "amx")


@needs_tiles
def test_bad_rows_leave_their_neighbours_alone(tmp_path: Path, points: np.ndarray) -> None:
    path = model(tmp_path / "m.safetensors", points, network=mlp([32], "tanh"))
    check_bad_rows(path, points, "float32", "amx")


@needs_tiles
def test_sixteen_threads_share_a_model(tmp_path: Path, points: np.ndarray) -> None:
    choices: dict[str, Any] = {"posterior": "ensemble", "members": 4}
    path = model(tmp_path / "m.safetensors", points, network=mlp([64, 30], "tanh"), **choices)
    evaluate = amx(path)
    sizes = [1 + 37 * k for k in range(64)]
    expected = evaluate(points[: max(sizes)]).amplitude
    with ThreadPoolExecutor(16) as pool:
        for size, prediction in zip(sizes, pool.map(lambda n: evaluate(points[:n]), sizes), strict=True):
            np.testing.assert_array_equal(prediction.amplitude, expected[:size])


@needs_tiles
def test_threads_of_a_batch(tmp_path: Path, points: np.ndarray) -> None:
    path = model(tmp_path / "m.safetensors", points, network=mlp([64, 64], "tanh"))
    one, four = (amx(path, threads=threads)(points[:5001]) for threads in (1, 4))
    for name in ("amplitude", "sigma_syst", "sigma_stat", "flags"):
        np.testing.assert_array_equal(getattr(one, name), getattr(four, name))


@needs_tiles
def test_in_the_c_interface(tmp_path: Path, points: np.ndarray) -> None:
    path = model(tmp_path / "m.safetensors", points[:50], network=mlp([8], "tanh"))
    pyamp_library = ctypes.CDLL(str(library("pyamp")))
    handle, text = ctypes.c_void_p(), ctypes.create_string_buffer(4096)
    options = b'{"backend": "amx", "dtype": "float32"}'
    assert pyamp_library.pyamp_open(ctypes.byref(handle), os.fsencode(path), options) == 0
    assert pyamp_library.pyamp_describe(handle, text, ctypes.c_size_t(len(text)), None) == 0
    assert b"amx (bfloat16 x 6) cpu float32" in text.value
    pyamp_library.pyamp_close(handle)


@needs_tiles
def test_what_is_refused(tmp_path: Path, points: np.ndarray) -> None:
    path = model(tmp_path / "m.safetensors", points[:50], network=mlp([8], "tanh"))
    kan = model(tmp_path / "kan.safetensors", points[:50], network="kan")
    for refused, choices, reason in (
        (path, {"dtype": "float64"}, "dtype float64"),
        (path, {"dtype": "float32", "device": "cuda"}, "device cuda"),
        (kan, {"dtype": "float32"}, "KAN"),
    ):
        with pytest.raises(pyamp.PyampError, match=rf"backend 'amx' cannot run it \({reason}.*choose 'auto'"):
            pyamp.Evaluator(refused, backend="amx", **choices)  # type: ignore[arg-type]
    with pytest.raises(pyamp.PyampError, match=r"weights 'bfloat16' are for .*backend amx.*choose 'full'"):
        amx(path, weights="bfloat16")


def test_is_refused_where_the_processor_cannot(tmp_path: Path, points: np.ndarray) -> None:
    """Whatever this one can, in a process that is held to older instructions."""
    path = model(tmp_path / "m.safetensors", points[:50], network=mlp([8], "tanh"))
    program = f"import pyamp; pyamp.Evaluator({str(path)!r}, dtype='float32', backend='amx')"
    environment = {**os.environ, "PYAMP_INSTRUCTION_SET": "baseline"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode != 0
    assert "backend 'amx' cannot run it (" in done.stderr
    assert "choose 'auto'" in done.stderr
    if not OBSTACLE:
        assert "instruction set baseline, avx512 expected" in done.stderr


def test_is_never_chosen_by_itself(tmp_path: Path, points: np.ndarray) -> None:
    path = model(tmp_path / "m.safetensors", points[:50], network=mlp([512, 512], "tanh"))
    assert pyamp.Evaluator(path, dtype="float32").backend.startswith("fused")
