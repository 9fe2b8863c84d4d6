"""The fused kernels against LibTorch in float64: accuracy, bits, instruction sets, threads."""

from __future__ import annotations

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
from tests.handmade_models import LIKELIHOODS, TARGETS, make_model, write_model

ACTIVATIONS = ("tanh", "relu", "leaky_relu", "silu", "gelu", "softplus", "sine")
# Of the amplitude, of sigma_syst and of the spread of members in units of the amplitude.
TOLERANCES = {"float32": (1e-5, 1e-4, 1e-5), "float64": (1e-12, 1e-11, 1e-12)}
N_POINTS = 100_000


def three_body(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Points gg → 3 massless legs at 1 TeV with energies x_i √s/2, rotated at random, ``(n, 5, 4)``."""
    cosine = 1 - 2 * (x[:, 0] + x[:, 1] - 1) / (x[:, 0] * x[:, 1])
    sine = 2 * np.sqrt((1 - x).prod(axis=1)) / (x[:, 0] * x[:, 1])
    plane = np.zeros((len(x), 3, 3))
    plane[:, 0, 0] = x[:, 0]
    plane[:, 1, 0], plane[:, 1, 1] = x[:, 1] * cosine, x[:, 1] * sine
    plane[:, 2] = -plane[:, 0] - plane[:, 1]
    rotation = np.linalg.qr(rng.standard_normal((len(x), 3, 3)))[0]
    outgoing = 500 * np.einsum("nij,nlj->nli", rotation, plane)
    outgoing = np.take_along_axis(
        outgoing, rng.permuted(np.tile([0, 1, 2], (len(x), 1)), axis=1)[:, :, None], 1
    )
    momenta = np.zeros((len(x), 5, 4))
    momenta[:, :2, 0] = 500
    momenta[:, 0, 3], momenta[:, 1, 3] = 500, -500
    momenta[:, 2:, 1:] = outgoing
    momenta[:, 2:, 0] = np.linalg.norm(outgoing, axis=2)
    return momenta


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    """1e5 points: flat in the Dalitz plot, then collinear and soft down to 1e-6."""
    rng = np.random.default_rng(3)
    third = N_POINTS // 3
    small = 10 ** rng.uniform(-6, -1, N_POINTS)
    share = rng.uniform(0.05, 0.95, N_POINTS)
    x3 = rng.uniform(0.05, 0.95, N_POINTS)  # flat in the share of the other two
    x3[third : 2 * third] = 1 - small[third : 2 * third]  # legs 0 and 1 collinear
    x3[2 * third :] = small[2 * third :]  # leg 2 soft
    x0 = 1 - x3 * share
    return three_body(np.stack([x0, 2 - x0 - x3, x3], axis=1), rng)


def mlp(widths: list[int], activation: str, n_features: int = 9, *, residual: bool = False) -> dict[str, Any]:
    return {
        "type": "mlp",
        "widths": [n_features, *widths, 2],
        "activation": activation,
        **({"residual": True} if residual else {}),
    }


def model(path: Path, momenta: np.ndarray, **choices: Any) -> Path:
    """A model file without cuts, whose features are standardised for these points."""
    momenta = momenta[:: max(1, len(momenta) // 500)]
    header, tensors = make_model(momenta, **choices)
    header["domain"]["cuts"] = {}
    return write_model(path, header, tensors, momenta)


def compare(path: Path, momenta: np.ndarray, dtype: str, backend: str = "fused") -> None:
    fused = pyamp.Evaluator(path, dtype=dtype, backend=backend)  # type: ignore[arg-type]
    expected = pyamp.Evaluator(path, dtype="float64", backend="libtorch")(momenta)
    result = fused(momenta)
    assert fused.backend.startswith(backend)
    assert fused.backend.endswith(dtype)
    of_amplitude, of_sigma, of_spread = TOLERANCES[dtype]
    np.testing.assert_array_equal(result.flags, expected.flags)
    np.testing.assert_allclose(result.amplitude, expected.amplitude, rtol=of_amplitude)
    np.testing.assert_allclose(result.sigma_syst, expected.sigma_syst, rtol=of_sigma)
    spread = np.abs(result.sigma_stat - expected.sigma_stat)
    assert (spread <= of_sigma * expected.sigma_stat + of_spread * expected.amplitude).all()


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(tmp_path: Path, points: np.ndarray, activation: str, dtype: str) -> None:
    compare(model(tmp_path / "m.safetensors", points, network=mlp([32, 32], activation)), points[::7], dtype)


FEATURES = {
    "ordered": 9,
    "momenta": 20,
    "unordered": 9,
    "linear": 18,
    "energy": 10,
    "resonances": 13,
    "dipoles": 60,
    "ring": 9,
    "chain": 18,
}


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("representation", ["ordered", "momenta", "resonances", "chain"])
def test_all_points(tmp_path: Path, points: np.ndarray, representation: str, dtype: str) -> None:
    network = mlp([48, 48, 20], "tanh", FEATURES[representation])
    path = model(tmp_path / "m.safetensors", points, representation=representation, network=network)
    assert np.count_nonzero(points[:, 2:, 0].min(axis=1) < 1) > 1000  # soft points are there
    compare(path, points, dtype)


# Widths below, at and above those of registers; 1 and 2 outputs in a block; more than 8 registers of outputs.
SHAPES = ([1], [3, 5], [16, 17], [31, 8, 33], [70, 130, 150], [64, 64], [400, 24])


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("widths", SHAPES, ids=str)
def test_shapes(tmp_path: Path, points: np.ndarray, widths: list[int], dtype: str) -> None:
    path = model(tmp_path / "m.safetensors", points, network=mlp(widths, "silu", residual=True))
    for n in (1, 5, 33, 150):
        compare(path, points[100 : 100 + n], dtype)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("members", [2, 5, 8, 16, 19])
def test_members(tmp_path: Path, points: np.ndarray, members: int, dtype: str) -> None:
    choices: dict[str, Any] = {"posterior": "ensemble", "members": members, "sigma_network": True}
    path = model(tmp_path / "m.safetensors", points, network=mlp([20, 30], "tanh"), **choices)
    for n in (1, 3, 40):
        compare(path, points[:n], dtype)


# Layers of 4, 2 and 1 partial sums, of odd numbers of inputs, narrow ones in between, and so wide that tiles take them
# in parts.
BATCH_SHAPES = ([40, 20, 70], [9, 3, 33, 5], [330, 41])
ARITHMETICS = (("float32", "full"), ("float64", "full"), ("float32", "bfloat16"))


@pytest.mark.parametrize(("dtype", "weights"), ARITHMETICS, ids=str)
@pytest.mark.parametrize("posterior", ["deterministic", "ensemble"])
@pytest.mark.parametrize(
    ("widths", "activation"), [*((widths, "gelu") for widths in BATCH_SHAPES), ([20, 20], "tanh")], ids=str
)
def test_bits_do_not_depend_on_the_batch(
    tmp_path: Path,
    points: np.ndarray,
    widths: list[int],
    activation: str,
    posterior: str,
    dtype: str,
    weights: str,
) -> None:
    network = mlp(widths, activation)
    path = model(tmp_path / "m.safetensors", points, network=network, posterior=posterior, members=16)
    evaluate = pyamp.Evaluator(path, dtype=dtype, backend="fused", weights=weights)  # type: ignore[arg-type]
    rows = points[np.random.default_rng(1).choice(N_POINTS, 1200, replace=False)]
    together = evaluate(rows)
    for n in (1, 2, 3, 4, 5, 8, 9, 16, 17, 31, 33, 48, 49, 600):
        for first in (0, 7, 600):
            part = evaluate(rows[first : first + n])
            for name in ("amplitude", "sigma_syst", "sigma_stat"):
                np.testing.assert_array_equal(getattr(part, name), getattr(together, name)[first : first + n])


@pytest.mark.parametrize("members", [1, 5, 16, 19])
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_bits_of_features_and_moments(
    tmp_path: Path, points: np.ndarray, likelihood: str, members: int
) -> None:
    """Members in the lanes of registers for one point, points in the lanes for more: the same sums."""
    rows = points[np.random.default_rng(2).choice(N_POINTS, 70, replace=False)]
    posterior = {"posterior": "ensemble", "members": members} if members > 1 else {}
    n_outputs = LIKELIHOODS[likelihood][1]
    for representation, n_features in FEATURES.items():
        for target in TARGETS:
            network = {"type": "mlp", "widths": [n_features, 8, n_outputs], "activation": "tanh"}
            choices: dict[str, Any] = {"representation": representation, "network": network, "target": target}
            path = model(
                tmp_path / "m.safetensors",
                points,
                likelihood=likelihood,
                sigma_network=target == "log1p" and members > 1,
                **choices,
                **posterior,
            )
            evaluate = pyamp.Evaluator(path, backend="fused", policy="nan")
            together = evaluate(rows)
            for n in (1, 2, 3, 5, 8, 11, 16):
                for first in (0, 7, 50):
                    part = evaluate(rows[first : first + n])
                    for name in ("amplitude", "sigma_syst", "sigma_stat", "flags"):
                        np.testing.assert_array_equal(
                            getattr(part, name), getattr(together, name)[first : first + n]
                        )


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_saturated_activations(tmp_path: Path, points: np.ndarray, activation: str, dtype: str) -> None:
    """Arguments through the whole range in which an activation bends, and far beyond it."""
    momenta = points[:3000]
    header, tensors = make_model(momenta[::6], network=mlp([128], activation))
    header["domain"]["cuts"] = {}
    tensors["layers.0.bias"] = np.concatenate([np.linspace(-12, 12, 112), np.geomspace(20, 1e6, 16)])
    tensors["layers.1.weight"][:, 112:] *= 1e-7
    compare(write_model(tmp_path / "m.safetensors", header, tensors, momenta[::6]), momenta, dtype)


def rounded_to_pairs(weight: np.ndarray) -> np.ndarray:
    """What 16 bits for a weight can hold: a bfloat16, then a float32 whose lower half is that number."""
    rows = weight.astype(np.float32).astype(np.float64)
    result = np.zeros(rows.shape, np.float32)
    for k in range(rows.shape[1]):
        end = result[:, k - 1].copy().view(np.uint32).astype(np.int64) >> 16 if k % 2 else 0
        upper = rows[:, k].astype(np.float32).view(np.uint32).astype(np.int64) >> 16
        bits = np.stack([(upper + d) << 16 | end for d in (0, -1, 1)])
        candidates = bits.astype(np.uint32).view(np.float32)
        nearest = np.abs(candidates.astype(np.float64) - rows[:, k]).argmin(axis=0)
        result[:, k] = np.take_along_axis(candidates, nearest[None], axis=0)[0]
    return result.astype(weight.dtype)


def test_16_bit_weights_are_rounded_weights(tmp_path: Path, points: np.ndarray) -> None:
    """The numbers of a model whose file has the rounded weights, to the order of sums, and near the full ones."""
    momenta = points[:500]
    network = mlp([16, 48, 160, 32], "tanh", 20)
    header, tensors = make_model(momenta, representation="momenta", network=network)
    header["domain"]["cuts"] = {}
    path = write_model(tmp_path / "m.safetensors", header, tensors, momenta)
    for layer in range(4):  # the last one, of two outputs, is left as it is
        tensors[f"layers.{layer}.weight"] = rounded_to_pairs(tensors[f"layers.{layer}.weight"])
    rounded = write_model(tmp_path / "rounded.safetensors", header, tensors, momenta)
    sixteen = pyamp.Evaluator(path, dtype="float32", weights="bfloat16")
    assert sixteen.backend.endswith("float32, weights bfloat16")
    result, expected = sixteen(points), pyamp.Evaluator(rounded, dtype="float32")(points)
    np.testing.assert_allclose(result.amplitude, expected.amplitude, rtol=1e-5)
    full = pyamp.Evaluator(path, dtype="float32")(points)
    deviation = np.abs(result.amplitude / full.amplitude - 1)
    assert 1e-4 < np.median(deviation) < 5e-3
    assert deviation.max() < 2e-2


def test_where_16_bit_weights_are_refused(tmp_path: Path, points: np.ndarray) -> None:
    path = model(tmp_path / "m.safetensors", points[:50], network=mlp([8], "tanh"))
    kan = model(tmp_path / "kan.safetensors", points[:50], network="kan")
    for refused, choices, reason in (
        (path, {"dtype": "float64"}, "dtype float64"),
        (path, {"dtype": "float32", "backend": "libtorch"}, "backend libtorch"),
        (path, {"dtype": "float32", "device": "cuda"}, "device cuda"),
        (kan, {"dtype": "float32"}, "KAN"),
    ):
        with pytest.raises(pyamp.PyampError, match=rf"weights 'bfloat16' are for .*{reason}.*choose 'full'"):
            pyamp.Evaluator(refused, weights="bfloat16", **choices)  # type: ignore[arg-type]
    with pytest.raises(pyamp.PyampError, match="weights 'int8', full or bfloat16 expected"):
        pyamp.Evaluator(path, weights="int8")  # type: ignore[arg-type]
    with pytest.raises(pyamp.PyampError, match="'weights' is 16, a string expected"):
        _core.read_request(str(path), '{"weights": 16}')


def check_bad_rows(path: Path, points: np.ndarray, dtype: str, backend: str = "fused") -> None:
    """Flags as in LibTorch, NaN where they are, and the bits of the other rows as without the bad ones."""
    rows = points[:64].copy()
    rows[3, 2, 1] = np.nan
    rows[10, 4] = np.inf
    rows[20, 2] = 0.0
    rows[30] *= 1.5
    rows[40, 3] = rows[40, 2]
    result = pyamp.Evaluator(path, dtype=dtype, backend=backend, policy="nan")(rows)  # type: ignore[arg-type]
    expected = pyamp.Evaluator(path, dtype="float64", backend="libtorch", policy="nan")(rows)
    np.testing.assert_array_equal(result.flags, expected.flags)
    bad = result.flags != 0
    np.testing.assert_array_equal(np.flatnonzero(bad), [3, 10, 20, 30, 40])
    assert np.isnan(result.amplitude[bad]).all()
    sound = pyamp.Evaluator(path, dtype=dtype, backend=backend)(points[:64])  # type: ignore[arg-type]
    np.testing.assert_array_equal(result.amplitude[~bad], sound.amplitude[~bad])


def test_bad_rows_as_in_libtorch(tmp_path: Path, points: np.ndarray) -> None:
    path = model(tmp_path / "m.safetensors", points, network=mlp([32], "tanh"))
    check_bad_rows(path, points, "float64")


def test_what_has_no_kernels_goes_to_libtorch(tmp_path: Path, points: np.ndarray) -> None:
    path = model(tmp_path / "m.safetensors", points[:50], network="kan")
    evaluator = pyamp.Evaluator(path)
    assert evaluator.backend.startswith("libtorch")
    assert "KAN" in evaluator.backend_reason
    with pytest.raises(pyamp.PyampError, match=r"backend 'fused' cannot run it .*KAN"):
        pyamp.Evaluator(path, backend="fused")
    with pytest.raises(pyamp.PyampError, match="backend 'fast', auto, fused, amx or libtorch expected"):
        pyamp.Evaluator(path, backend="fast")  # type: ignore[arg-type]


def test_sixteen_threads_share_a_model(tmp_path: Path, points: np.ndarray) -> None:
    choices: dict[str, Any] = {"posterior": "ensemble", "members": 16}
    path = model(tmp_path / "m.safetensors", points, network=mlp([20, 30], "tanh"), **choices)
    evaluate = pyamp.Evaluator(path, backend="fused")
    sizes = [1 + 37 * k for k in range(64)]
    expected = evaluate(points[: max(sizes)]).amplitude
    with ThreadPoolExecutor(16) as pool:
        for size, prediction in zip(sizes, pool.map(lambda n: evaluate(points[:n]), sizes), strict=True):
            np.testing.assert_array_equal(prediction.amplitude, expected[:size])


def test_threads_of_a_batch(tmp_path: Path, points: np.ndarray) -> None:
    path = model(tmp_path / "m.safetensors", points, network=mlp([20, 30], "tanh"))
    rows, alpha_s = points[:5001], np.linspace(0.1, 0.13, 5001)
    one, four = (pyamp.Evaluator(path, threads=threads)(rows, alpha_s) for threads in (1, 4))
    for name in ("amplitude", "sigma_syst", "sigma_stat", "flags"):
        np.testing.assert_array_equal(getattr(one, name), getattr(four, name))
    with pytest.raises(pyamp.PyampError, match="threads: 0 found, 1 or more expected"):
        pyamp.Evaluator(path, threads=0)


def with_instruction_set(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYAMP_INSTRUCTION_SET": name}
    command = [sys.executable, str(Path(__file__).with_name("fused_process.py")), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("name", ["baseline", "avx2", "avx512"])
def test_instruction_sets(tmp_path: Path, points: np.ndarray, name: str) -> None:
    np.save(tmp_path / "points.npy", points[::50])
    paths = []
    for k, activation in enumerate(ACTIVATIONS):
        choices: dict[str, Any] = {"posterior": "ensemble", "members": 5} if k % 2 else {}
        network = mlp([33, 20], activation)
        paths.append(model(tmp_path / f"{activation}.safetensors", points, network=network, **choices))
    done = with_instruction_set(name, tmp_path / "points.npy", *paths)
    if "this processor has" in done.stderr:
        pytest.skip(f"this processor has no {name}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [name] * 2 * len(paths)


def test_unknown_instruction_set_is_refused(tmp_path: Path, points: np.ndarray) -> None:
    np.save(tmp_path / "points.npy", points[:2])
    path = model(tmp_path / "m.safetensors", points[:50])
    done = with_instruction_set("sse9", tmp_path / "points.npy", path)
    assert done.returncode != 0
    assert "PYAMP_INSTRUCTION_SET: 'sse9' found; this processor has baseline" in done.stderr
