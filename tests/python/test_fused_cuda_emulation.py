"""The body of the fused CUDA kernel, run by the host thread by thread, against NumPy's answers from the file format.

What this cannot see: the hardware's approximate exponential and division, launches, and races within a phase beyond
those that a random order of its threads shows.
"""

from __future__ import annotations

import ctypes
import importlib.util
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyamp
from pyamp import _core
from pyamp.paths import library
from tests import reference_evaluator
from tests.handmade_models import LIKELIHOODS, STRIPPED, TARGETS, make_model, write_model

ROOT = Path(__file__).resolve().parents[2]
WHOLE_BLOCK = 227 * 1024  # Hopper's shared memory of a block
N_BLOCKS = 2
RELATIVE = {"float32": 1e-5, "float64": 1e-12, "tensor cores": 1e-5}  # the last: float32 there


@dataclass(frozen=True)
class Emulated:
    amplitude: np.ndarray
    sigma_syst: np.ndarray
    sigma_stat: np.ndarray
    flags: np.ndarray
    warps: int
    groups: int
    resident: bool


Emulator = Callable[..., Emulated]


@pytest.fixture(scope="session")
def emulation(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    built = tmp_path_factory.mktemp("emulation") / "emulation.so"
    json_package = importlib.util.find_spec("nlohmann_json")
    assert json_package is not None
    assert json_package.origin is not None
    core = library("pyamp")
    command = ["c++", "-std=c++20", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-shared", "-fPIC"]
    includes = [f"-I{ROOT / 'csrc'}", f"-I{Path(json_package.origin).parent / 'include'}"]
    source = ROOT / "tests" / "cpp" / "cuda_on_host" / "fused_emulation.cpp"
    subprocess.run([*command, *includes, source, "-o", built, core, f"-Wl,-rpath,{core.parent}"], check=True)
    return ctypes.CDLL(str(built))


@pytest.fixture(scope="session")
def emulate(emulation: ctypes.CDLL) -> Emulator:
    function = emulation.emulate_fused_cuda
    function.restype = ctypes.c_char_p

    def run(
        path: Path,
        momenta: np.ndarray,
        dtype: str,
        *,
        alpha_s: np.ndarray | None = None,
        shared_bytes: int = WHOLE_BLOCK,
    ) -> Emulated:
        n = len(momenta)
        results = [np.full(n, 7.0) for _ in range(3)]
        flags, shape = np.full(n, -1, np.int32), np.zeros(3, np.int32)
        pointer = lambda array: ctypes.c_void_p(array.ctypes.data)  # noqa: E731
        strides = (ctypes.c_ssize_t * 3)(*(s // 8 for s in momenta.strides))
        error = function(
            str(path).encode(),
            int(dtype == "float64"),
            int(dtype == "tensor cores"),
            ctypes.c_size_t(shared_bytes),
            ctypes.c_size_t(N_BLOCKS),
            pointer(momenta),
            strides,
            ctypes.c_size_t(n),
            None if alpha_s is None else pointer(alpha_s),
            *map(pointer, (*results, flags, shape)),
        )
        if error:
            raise pyamp.PyampError(error.decode())
        return Emulated(*results, flags, int(shape[0]), int(shape[1]), bool(shape[2]))

    return run


def compare(
    emulated: Emulated,
    header: dict[str, Any],
    momenta: np.ndarray,
    expected: tuple[np.ndarray, ...],
    dtype: str,
) -> None:
    """Within the rounding of the network, which is relative to the amplitude's own scale where that passes zero."""
    factor = reference_evaluator.singular_factor(header["representation"], momenta)
    scale = np.abs(expected[0])
    if header["target"]["type"] != "log":
        target = header["target"]
        scale = scale + factor * target.get("scale", abs(target["mean"]) + target["std"])
    np.testing.assert_array_equal(emulated.flags, 0)
    for values, right in zip(
        (emulated.amplitude, emulated.sigma_syst, emulated.sigma_stat), expected, strict=True
    ):
        error = np.abs(values / STRIPPED - right) / (scale + np.abs(right))
        assert error.max() <= RELATIVE[dtype]


def check(
    emulate: Emulator,
    folder: Path,
    momenta: np.ndarray,
    dtype: str,
    shared_bytes: int = WHOLE_BLOCK,
    **choices: Any,
) -> Emulated:
    stored = "float64" if dtype == "float64" else "float32"
    header, tensors = make_model(momenta, dtype=stored, **choices)
    path = write_model(folder / "m.safetensors", header, tensors, momenta)
    expected = reference_evaluator.evaluate(header, tensors, momenta)
    emulated = emulate(path, momenta, dtype, shared_bytes=shared_bytes)
    compare(emulated, header, momenta, expected, dtype)
    return emulated


def mlp(*widths: int, activation: str = "gelu", residual: bool = False) -> dict[str, Any]:
    return {"type": "mlp", "widths": list(widths), "activation": activation, "residual": residual}


@pytest.mark.parametrize("dtype", RELATIVE)
@pytest.mark.parametrize("representation", ["ordered", "unordered", "linear", "energy", "momenta"])
def test_representations(
    emulate: Emulator, tmp_path: Path, momenta: np.ndarray, representation: str, dtype: str
) -> None:
    check(emulate, tmp_path, momenta[:150], dtype, representation=representation)


@pytest.mark.parametrize("dtype", RELATIVE)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_targets_and_likelihoods(
    emulate: Emulator, tmp_path: Path, momenta: np.ndarray, likelihood: str, target: str, dtype: str
) -> None:
    check(emulate, tmp_path, momenta[:70], dtype, likelihood=likelihood, target=target)


@pytest.mark.parametrize("dtype", RELATIVE)
@pytest.mark.parametrize("activation", ["gelu", "leaky_relu", "relu", "silu", "sine", "softplus", "tanh"])
def test_activations(
    emulate: Emulator, tmp_path: Path, momenta: np.ndarray, activation: str, dtype: str
) -> None:
    check(emulate, tmp_path, momenta[:70], dtype, network=mlp(9, 12, 11, 2, activation=activation))


@pytest.mark.parametrize("dtype", RELATIVE)
@pytest.mark.parametrize("sigma_network", [False, True])
@pytest.mark.parametrize("members", [1, 2, 7])
def test_ensembles(
    emulate: Emulator, tmp_path: Path, momenta: np.ndarray, members: int, sigma_network: bool, dtype: str
) -> None:
    recalibration = {"type": "isotonic", "sigma": [1e-3, 0.3, 0.9, 3.0], "calibrated": [2e-3, 0.4, 0.8, 2.0]}
    check(
        emulate,
        tmp_path,
        momenta[:200],
        dtype,
        posterior="ensemble",
        members=members,
        sigma_network=sigma_network,
        recalibration=recalibration,
    )


@pytest.mark.parametrize("dtype", RELATIVE)
@pytest.mark.parametrize(
    ("representation", "network", "shared_bytes", "resident"),
    [
        ("momenta", mlp(20, 20, 20, 30, 40, 2, activation="tanh"), WHOLE_BLOCK, True),
        ("unordered", mlp(9, 128, 128, 2), WHOLE_BLOCK, True),
        ("unordered", mlp(9, 128, 128, 2), 100 * 1024, False),
        ("unordered", mlp(9, 200, 256, 2), WHOLE_BLOCK, False),
        ("unordered", mlp(9, 65, 33, 1, 2), 60 * 1024, True),
        ("unordered", mlp(9, 256, 512, 64, 2), WHOLE_BLOCK, False),
        ("unordered", mlp(9, 200, 50, 2), 88 * 1024, False),
        ("unordered", mlp(9, 2), WHOLE_BLOCK, True),
        ("unordered", mlp(9, 40, 40, 40, 2, residual=True, activation="silu"), WHOLE_BLOCK, True),
        ("unordered", mlp(9, 100, 100, 100, 2, residual=True), 140 * 1024, False),
    ],
)
def test_shapes(
    emulate: Emulator,
    tmp_path: Path,
    momenta: np.ndarray,
    representation: str,
    network: dict[str, Any],
    shared_bytes: int,
    resident: bool,
    dtype: str,
) -> None:
    emulated = check(
        emulate, tmp_path, momenta[:130], dtype, shared_bytes, representation=representation, network=network
    )
    if dtype != "float64":
        assert emulated.resident is resident


@pytest.mark.parametrize("dtype", ["float32", "tensor cores"])
def test_ensemble_of_large_networks_in_chunks(
    emulate: Emulator, tmp_path: Path, momenta: np.ndarray, dtype: str
) -> None:
    """More weights than shared memory: each member's come in turn, to groups with and without a tile."""
    network = mlp(9, 128, 128, 2)
    emulated = check(
        emulate, tmp_path, momenta[:200], dtype, posterior="ensemble", members=5, network=network
    )
    assert not emulated.resident
    assert emulated.groups > 1


def test_flags_and_rows_are_those_of_the_cpu(
    emulate: Emulator, model_path: Path, momenta: np.ndarray
) -> None:
    points = momenta[:90].copy()
    points[3, 2, 1] = np.nan
    points[10] = 0.0
    points[20, 4, 0] *= 1.01
    points[30, 2] = points[30, 2, ::-1]
    points[35, 3, 1] *= -1.0
    points[40] *= 2.0
    points[50, :, 0] = np.inf
    points[60, 2], points[60, 4] = points[60, 4].copy(), points[60, 2].copy()
    points[70, :, 1:] = points[70, :, [2, 3, 1]].T.reshape(5, 3)
    collinear = momenta[80].copy()
    collinear[2:4, 1:] = collinear[2:4, 1:].sum(axis=0) / 2
    points[80] = collinear
    alpha_s = np.full(90, 0.118)
    alpha_s[5:8] = 0.13, -1.0, np.nan
    expected = pyamp.Evaluator(model_path, policy="nan", backend="libtorch")(points, alpha_s)
    emulated = emulate(model_path, points, "float64", alpha_s=alpha_s)
    np.testing.assert_array_equal(emulated.flags, expected.flags)
    assert set(emulated.flags) >= {0, 1, 2, 4, 8, 32}
    for name in ("amplitude", "sigma_syst", "sigma_stat"):
        values, right = getattr(emulated, name), getattr(expected, name)
        np.testing.assert_array_equal(np.isnan(values), emulated.flags != 0)
        np.testing.assert_allclose(values, right, rtol=1e-12, atol=1e-13 * np.nanmax(expected.amplitude))


def test_momenta_of_any_layout(emulate: Emulator, model_path: Path, momenta: np.ndarray) -> None:
    """The batch-fastest layout of the C interface gives the very numbers of the other."""
    straight = emulate(model_path, momenta[:100].copy(), "float64")
    batch_fastest = np.moveaxis(np.moveaxis(momenta[:100], 0, 2).transpose(1, 0, 2).copy(), 2, 0).swapaxes(
        1, 2
    )
    assert batch_fastest.strides[0] == 8
    np.testing.assert_array_equal(batch_fastest, momenta[:100])
    other = emulate(model_path, batch_fastest, "float64")
    for name in ("amplitude", "sigma_syst", "sigma_stat", "flags"):
        np.testing.assert_array_equal(getattr(other, name), getattr(straight, name))


@pytest.mark.parametrize("dtype", ["float32", "tensor cores"])
@pytest.mark.parametrize("n", [0, 1, 63, 64, 65])
def test_batch_sizes(emulate: Emulator, model_path: Path, momenta: np.ndarray, n: int, dtype: str) -> None:
    """Nothing is written beyond the last point, and a point's numbers do not depend on its neighbours."""
    whole = emulate(model_path, momenta[:65].copy(), dtype)
    part = emulate(model_path, momenta[65 - n : 65].copy(), dtype)
    np.testing.assert_array_equal(part.amplitude, whole.amplitude[65 - n :])


@pytest.mark.parametrize(
    ("network", "dtype", "message"),
    [
        (mlp(9, 513, 2), "float32", "a layer of more than 512 units"),
        (mlp(9, 513, 2), "tensor cores", "a layer of more than 512 units"),
        (mlp(9, 512, 2), "float64", "activations larger than the shared memory"),
        ("kan", "float32", "an architecture other than the MLP"),
        (mlp(9, *[4] * 12, 2), "float32", "more than 12 layers"),
    ],
)
def test_refusals(
    emulate: Emulator, tmp_path: Path, momenta: np.ndarray, network: Any, dtype: str, message: str
) -> None:
    header, tensors = make_model(momenta, network=network)
    path = write_model(tmp_path / "m.safetensors", header, tensors, momenta)
    with pytest.raises(pyamp.PyampError, match=message):
        emulate(path, momenta[:2].copy(), dtype, shared_bytes=100 * 1024)


def test_halves_are_the_nearest(emulation: ctypes.CDLL) -> None:
    """All halves, numbers half-way between two, those next to them, and floats of random bits, as NumPy rounds."""
    finite = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    middle = np.append((finite[1:] + finite[:-1]) / 2, np.float32(65520))
    beside = [np.nextafter(middle, np.float32(side)) for side in (0, np.inf)]
    bits = np.random.default_rng(3).integers(0, 1 << 32, 100_000, dtype=np.uint32)
    positive = np.concatenate([finite, middle, *beside, bits.view(np.float32), np.float32([np.inf])])
    x = np.concatenate([positive, -positive])
    halves, values = np.empty(len(x), np.uint16), np.empty_like(x)
    emulation.round_to_halves(
        *(ctypes.c_void_p(x.ctypes.data), ctypes.c_size_t(len(x))),
        *(ctypes.c_void_p(array.ctypes.data) for array in (halves, values)),
    )
    with np.errstate(over="ignore", invalid="ignore"):
        expected = x.astype(np.float16)
    np.testing.assert_array_equal(values, expected.astype(np.float32))
    sound = ~np.isnan(x)
    np.testing.assert_array_equal(halves[sound], expected.view(np.uint16)[sound])


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e6, 1e12])
@pytest.mark.parametrize(("residual", "powers"), [(False, (1, 0, -1, 0)), (True, (1, 1, 1, 0))])
def test_tensor_cores_bear_activations_beyond_halves(
    emulate: Emulator,
    tmp_path: Path,
    momenta: np.ndarray,
    residual: bool,
    powers: tuple[int, ...],
    scale: float,
) -> None:
    """Halves end at 65504 and at 6e-8; here a layer's outputs are larger by a power of the scale, as ReLU allows."""
    network = mlp(9, 40, 40, 40, 2, activation="relu", residual=residual)
    header, tensors = make_model(momenta, dtype="float32", network=network)
    for layer, power in enumerate(powers):
        tensors[f"layers.{layer}.weight"] *= np.float32(scale ** (power - (0, *powers)[layer]))
        tensors[f"layers.{layer}.bias"] *= np.float32(scale**power)
    path = write_model(tmp_path / "m.safetensors", header, tensors, momenta)
    expected = reference_evaluator.evaluate(header, tensors, momenta[:70])
    compare(emulate(path, momenta[:70], "tensor cores"), header, momenta[:70], expected, "tensor cores")


def test_weights_of_any_size_on_tensor_cores(emulate: Emulator, tmp_path: Path, momenta: np.ndarray) -> None:
    """Layers whose weights differ by many orders of magnitude, and one that is zero."""
    network = mlp(9, 30, 30, 30, 2, activation="tanh")
    header, tensors = make_model(momenta, dtype="float32", network=network, posterior="ensemble")
    tensors["layers.0.weight"][0, ::2] *= np.float32(1e-5)
    tensors["layers.1.weight"][:, :10] *= np.float32(1e-7)
    tensors["layers.2.weight"][...] = 0.0
    path = write_model(tmp_path / "m.safetensors", header, tensors, momenta)
    expected = reference_evaluator.evaluate(header, tensors, momenta[:70])
    compare(emulate(path, momenta[:70], "tensor cores"), header, momenta[:70], expected, "tensor cores")


def test_bad_points_beside_good_ones_on_tensor_cores(
    emulate: Emulator, model_path: Path, momenta: np.ndarray
) -> None:
    points = momenta[:64].copy()
    points[3, 2, 1] = np.nan
    points[11:13] = 0.0
    points[50, :, 0] = np.inf
    bad = np.array([3, 11, 12, 50])
    good = np.setdiff1d(np.arange(64), bad)
    sound, spoiled = (emulate(model_path, p, "tensor cores") for p in (momenta[:64].copy(), points))
    np.testing.assert_array_equal(spoiled.amplitude[good], sound.amplitude[good])
    assert np.isnan(spoiled.amplitude[bad]).all()
    np.testing.assert_array_equal(spoiled.flags, emulate(model_path, points, "float32").flags)


def test_tensor_cores_where_there_are_none(model_path: Path) -> None:
    for choices, reason in (
        ({}, "device cpu"),
        ({"device": "cuda", "dtype": "float64"}, "dtype float64"),
        ({"device": "cuda", "dtype": "float32", "backend": "libtorch"}, "backend libtorch"),
    ):
        with pytest.raises(pyamp.PyampError, match=rf"tensor_cores are for .*\({reason}\); leave them out"):
            pyamp.Evaluator(model_path, tensor_cores=True, **choices)  # type: ignore[arg-type]
    with pytest.raises(pyamp.PyampError, match="'tensor_cores' is 1, true or false expected"):
        _core.read_request(str(model_path), '{"tensor_cores": 1}')
