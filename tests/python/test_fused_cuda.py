"""The fused CUDA surrogates on a GPU: NumPy's numbers, tensors that stay there, streams, graphs, the C interface."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pyamp
from pyamp.paths import library
from tests import reference_evaluator
from tests.handmade_models import STRIPPED, make_model, write_model

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="no CUDA device: compiled and emulated, not run"
    ),
]

RELATIVE = {"float32": 1e-5, "float64": 1e-12, "tensor cores": 1e-5}  # the last: float32 there
NAMES = ("amplitude", "sigma_syst", "sigma_stat")


def mlp(*widths: int, activation: str = "gelu", residual: bool = False) -> dict[str, Any]:
    return {"type": "mlp", "widths": list(widths), "activation": activation, "residual": residual}


@pytest.fixture
def evaluator(model_path: Path) -> pyamp.Evaluator:
    return pyamp.Evaluator(model_path, device="cuda", backend="fused", policy="nan")


@pytest.mark.parametrize("dtype", RELATIVE)
@pytest.mark.parametrize(
    "choices",
    [
        {"representation": "momenta", "network": mlp(20, 20, 20, 30, 40, 2, activation="tanh")},
        {"representation": "ordered", "network": mlp(9, 128, 128, 128, 2)},
        {"network": mlp(9, 200, 256, 2)},
        {"network": mlp(9, 100, 100, 100, 2, activation="silu", residual=True), "sigma_network": True},
        {"network": mlp(9, 128, 128, 2), "posterior": "ensemble", "members": 5},
        {"network": mlp(9, 12, 2, activation="sine"), "posterior": "ensemble", "target": "log1p"},
        {
            "network": mlp(9, 12, 9, activation="softplus"),
            "likelihood": "gaussian_mixture",
            "target": "linear",
        },
        {"network": mlp(9, 12, 4, activation="leaky_relu"), "likelihood": "evidential"},
        {"network": mlp(9, 12, 1, activation="relu"), "likelihood": "mse"},
    ],
)
def test_numbers(tmp_path: Path, momenta: np.ndarray, choices: dict[str, Any], dtype: str) -> None:
    tensor_cores = dtype == "tensor cores"
    header, tensors = make_model(momenta, dtype="float32" if tensor_cores else dtype, **choices)
    path = write_model(tmp_path / "m.safetensors", header, tensors, momenta)
    expected = reference_evaluator.evaluate(header, tensors, momenta)
    on_gpu = pyamp.Evaluator(path, device="cuda", backend="fused", tensor_cores=tensor_cores)
    assert on_gpu.backend.endswith(dtype)
    prediction = on_gpu(torch.from_numpy(momenta).cuda())
    factor = reference_evaluator.singular_factor(header["representation"], momenta)
    target = header["target"]
    scale = np.abs(expected[0])
    if target["type"] != "log":
        scale = scale + factor * target.get("scale", abs(target["mean"]) + target["std"])
    for name, right in zip(NAMES, expected, strict=True):
        values = getattr(prediction, name)
        assert values.is_cuda
        error = np.abs(values.cpu().numpy() / STRIPPED - right) / (scale + np.abs(right))
        assert error.max() <= RELATIVE[dtype], name


def test_flags_and_nan_rows_are_those_of_the_cpu(
    evaluator: pyamp.Evaluator, model_path: Path, momenta: np.ndarray
) -> None:
    points = momenta.copy()
    points[3, 2, 1] = np.nan
    points[10] = 0.0
    points[20, 4, 0] *= 1.01
    points[35, 3, 1] *= -1.0
    points[40] *= 2.0
    points[50, :, 0] = np.inf
    alpha_s = np.full(len(points), 0.118)
    alpha_s[5:8] = 0.13, -1.0, np.nan
    expected = pyamp.Evaluator(model_path, policy="nan")(points, alpha_s)
    for given in (points, torch.from_numpy(points).cuda()):
        prediction = evaluator(given, alpha_s)
        flags = torch.as_tensor(prediction.flags).cpu().numpy()
        np.testing.assert_array_equal(flags, expected.flags)
        for name in NAMES:
            values = torch.as_tensor(getattr(prediction, name)).cpu().numpy()
            np.testing.assert_allclose(values, getattr(expected, name), rtol=1e-11, atol=1e-25)


def test_policy_error_speaks(model_path: Path, momenta: np.ndarray) -> None:
    points = torch.from_numpy(momenta).cuda()
    points[7, 0, 0] = float("nan")
    with pytest.raises(pyamp.PyampError, match="the first is 7"):
        pyamp.Evaluator(model_path, device="cuda")(points)


@pytest.mark.parametrize("tensor_cores", [False, True])
@pytest.mark.parametrize("n", [0, 1, 31, 64, 65, 8000, 300_001])
def test_batches(model_path: Path, momenta: np.ndarray, n: int, tensor_cores: bool) -> None:
    """Rows give the same bits in any batch, on tensors of any layout and from host arrays, the second time as well."""
    dtype = "float32" if tensor_cores else "float64"
    evaluator = pyamp.Evaluator(
        model_path, device="cuda", dtype=dtype, backend="fused", policy="nan", tensor_cores=tensor_cores
    )
    points = torch.from_numpy(np.resize(momenta, (n, 5, 4)))
    reference = np.resize(evaluator(torch.from_numpy(momenta).cuda()).amplitude.cpu().numpy(), n)
    on_gpu = points.cuda()
    batch_fastest = on_gpu.permute(2, 1, 0).contiguous().permute(2, 1, 0)
    for given in (on_gpu, batch_fastest, points, points):
        np.testing.assert_array_equal(evaluator(given).amplitude.cpu().numpy(), reference)


def test_user_streams(evaluator: pyamp.Evaluator, momenta: np.ndarray) -> None:
    """On a stream behind work that makes its momenta, the evaluation waits for that work."""
    points = torch.from_numpy(momenta).cuda()
    expected = evaluator(points).amplitude
    torch.cuda.synchronize()
    stream = torch.cuda.Stream()
    late = torch.zeros_like(points)
    with torch.cuda.stream(stream):
        torch.cuda._sleep(20_000_000)
        late.copy_(points)
        amplitude = evaluator(late).amplitude
    stream.synchronize()
    torch.testing.assert_close(amplitude, expected, rtol=0, atol=0)


def test_torch_graph(evaluator: pyamp.Evaluator, momenta: np.ndarray) -> None:
    points = torch.from_numpy(momenta).cuda()
    evaluator(points)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        prediction = evaluator(points)
    turned = points.flip(0).contiguous()
    expected = evaluator(turned).amplitude
    points.copy_(turned)
    graph.replay()
    torch.testing.assert_close(prediction.amplitude, expected, rtol=0, atol=0)


def test_c_interface(model_path: Path, momenta: np.ndarray) -> None:
    core = ctypes.CDLL(str(library("pyamp")))
    core.pyamp_last_error.restype = ctypes.c_char_p
    handle = ctypes.c_void_p()
    options = b'{"device": "cuda", "backend": "fused"}'
    assert core.pyamp_open(ctypes.byref(handle), str(model_path).encode(), options) == 0, (
        core.pyamp_last_error()
    )
    n, offset = len(momenta), 100
    soa = torch.from_numpy(momenta.transpose(2, 1, 0).copy()).cuda()
    amplitude = torch.full((n,), -1.0, dtype=torch.float64, device="cuda")
    flags = torch.full((n,), -1, dtype=torch.int32, device="cuda")
    pointers = lambda *tensors: (ctypes.c_void_p * len(tensors))(*(t.data_ptr() for t in tensors))  # noqa: E731
    count, stride = ctypes.c_size_t(n - offset), ctypes.c_size_t(n)
    status = core.pyamp_evaluate_device(
        handle,
        count,
        stride,
        ctypes.c_size_t(offset),
        ctypes.c_size_t(1),
        (ctypes.c_int * 1)(0),
        pointers(soa),
        ctypes.c_size_t(2),
        (ctypes.c_int * 2)(0, 102),
        pointers(amplitude, flags),
        ctypes.c_void_p(torch.cuda.current_stream().cuda_stream),
    )
    assert status == 0, core.pyamp_last_error()
    torch.cuda.synchronize()
    expected = pyamp.Evaluator(model_path)(momenta).amplitude
    np.testing.assert_allclose(amplitude[offset:].cpu().numpy(), expected[offset:], rtol=1e-12)
    assert (amplitude[:offset] == -1).all()
    assert (flags[offset:] == 0).all()
    core.pyamp_close(handle)
