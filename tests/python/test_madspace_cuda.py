"""pyamp's matrix elements on a GPU by UMAMI: the library itself on tensors, and inside madspace on a CUDA context.

Needs a CUDA device; what can be seen without one is in tests/cpp/test_umami_cuda.py.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

import madspace as ms
import numpy as np
import pytest
import torch

import pyamp
from tests.cpp.umami_calls import ERROR, SUCCESS, call

needs_device = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no CUDA device: run on a stand-in for it only"
)
needs_madspace = pytest.mark.skipif(
    not any("cuda" in name for name in ms.available_backends()),
    reason=f"madspace has the backends {', '.join(ms.available_backends())} here",
)
pytestmark = pytest.mark.cuda


@pytest.fixture
def umami() -> ctypes.CDLL:
    return ctypes.CDLL(pyamp.umami_library(device="cuda"))


@pytest.fixture
def handle(umami: ctypes.CDLL, model_path: Path) -> Iterator[ctypes.c_void_p]:
    instance = ctypes.c_void_p()
    assert umami.umami_initialize(ctypes.byref(instance), str(model_path).encode()) == SUCCESS
    yield instance
    assert umami.umami_free(instance) == SUCCESS


@needs_device
def test_tensors_flavours_and_streams(
    umami: ctypes.CDLL, handle: ctypes.c_void_p, model_path: Path, momenta: np.ndarray
) -> None:
    n, offset = len(momenta), 100
    points = torch.from_numpy(momenta.transpose(2, 1, 0).copy()).cuda()
    alpha_s = torch.linspace(0.09, 0.14, n, dtype=torch.float64, device="cuda")
    flavour = torch.zeros(n, dtype=torch.int32, device="cuda")
    amplitude = torch.full((n,), -1.0, dtype=torch.float64, device="cuda")
    colour = torch.full((n,), -1, dtype=torch.int32, device="cuda")
    stream = torch.cuda.Stream()
    torch.cuda.synchronize()
    inputs = {0: points.data_ptr(), 1: alpha_s.data_ptr(), 2: flavour.data_ptr()}
    outputs = {2: colour.data_ptr(), 0: amplitude.data_ptr(), 5: stream.cuda_stream}
    assert call(umami, handle, inputs, outputs, n - offset, n, offset) == SUCCESS
    stream.synchronize()
    expected = pyamp.Evaluator(model_path)(momenta, alpha_s.cpu().numpy()).amplitude
    np.testing.assert_allclose(amplitude[offset:].cpu().numpy(), expected[offset:], rtol=1e-12)
    assert (amplitude[:offset] == -1).all()
    assert (colour[offset:] == 0).all()
    assert (colour[:offset] == -1).all()
    flavour[offset] = 1
    torch.cuda.synchronize()
    assert call(umami, handle, inputs, outputs, n - offset, n, offset) == ERROR


@needs_device
@needs_madspace
def test_madspace_on_a_gpu(model_path: Path, momenta: np.ndarray, tmp_path: Path) -> None:
    """Policy "nan" leaves the order of the work to the streams, so that a race would show in many batches."""
    kind, context = ms.MatrixElement, ms.Context(ms.cuda_device(), 1)
    card = pyamp.provider_card(model_path, tmp_path / "card.json", policy="nan")
    api = context.load_matrix_element(pyamp.umami_library(device="cuda"), card)
    function = kind(api, [kind.momenta_in, kind.alpha_s_in], [kind.matrix_element_out]).function()
    runtime = ms.FunctionRuntime(function, context)
    for repeat in range(20):
        points = np.tile(np.roll(momenta, repeat, axis=0), (40, 1, 1))
        alpha_s = np.linspace(0.09, 0.14, len(points))
        found = runtime(torch.from_numpy(points).cuda(), torch.from_numpy(alpha_s).cuda())
        expected = pyamp.Evaluator(model_path)(points, alpha_s).amplitude
        np.testing.assert_allclose(found.cpu().numpy(), expected, rtol=1e-12)
