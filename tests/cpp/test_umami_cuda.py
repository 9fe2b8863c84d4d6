"""UMAMI on a device, without one: libpyamp_umami_cuda on a CUDA runtime whose device is the host.

Its memory is the host's, its streams do nothing until they are awaited, and the fused kernel is the emulated one, so
that arguments, statuses, numbers and waits are tested. Not seen: nvcc's code and the launch of the small kernel; those
run in tests/python/test_madspace_cuda.py, where there is a GPU.
"""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyamp
from pyamp.paths import library
from tests.cpp import umami_cuda_process as process
from tests.cpp.umami_calls import (
    ERROR,
    MISSING_INPUT,
    SUCCESS,
    UNSUPPORTED_INPUT,
    UNSUPPORTED_OUTPUT,
    Buffer,
    batch_fastest,
)

ROOT = Path(__file__).resolve().parents[2]
ON_HOST = Path(__file__).with_name("cuda_on_host")
STREAM = 0x77

Host = Callable[..., Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The libraries of pyamp beside those of a device that is the host."""
    built = tmp_path_factory.mktemp("cuda_on_host")
    shutil.copy(library("pyamp"), built)
    json_package = importlib.util.find_spec("nlohmann_json")
    assert json_package is not None
    assert json_package.origin is not None
    includes = [ON_HOST, ROOT / "csrc", Path(json_package.origin).parent / "include"]
    command = ["c++", "-std=c++20", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-shared", "-fPIC"]
    command += [*(f"-I{include}" for include in includes), f"-L{built}", "-Wl,-rpath,$ORIGIN"]

    def build(name: str, sources: list[Path], *libraries: str) -> None:
        subprocess.run(
            [*command, *sources, "-o", built / f"lib{name}.so", *(f"-l{one}" for one in libraries)],
            check=True,
        )

    umami = ROOT / "csrc" / "capi"
    build("cuda_on_host", [ON_HOST / "runtime.cpp"])
    build("pyamp_cuda", [ON_HOST / "surrogate.cpp"], "pyamp", "cuda_on_host")
    sources = [umami / "umami.cpp", umami / "umami_cuda" / "memory.cpp", ON_HOST / "launch.cpp"]
    build("pyamp_umami_cuda", sources, "pyamp", "cuda_on_host")
    return built


@pytest.fixture(scope="module")
def on_device(folder: Path) -> Iterator[Host]:
    """Runs a function of umami_cuda_process in a process where these are the libraries that the loader finds."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield lambda function, *args, **kwargs: pool.submit(function, folder, *args, **kwargs).result(120)


@pytest.fixture
def cards(model_path: Path, tmp_path: Path) -> dict[str, str]:
    return {
        policy: pyamp.provider_card(model_path, tmp_path / f"{policy}.json", policy=policy)
        for policy in ("error", "nan")
    }


def outputs(n: int) -> np.ndarray:
    return np.full(n, -1.0)


def test_it_says_that_its_buffers_are_on_a_cuda_device(on_device: Host, model_path: Path) -> None:
    assert on_device(process.metadata, str(model_path)) == [1, 5, 1, 1, 1]


def test_the_stream_is_an_output(on_device: Host) -> None:
    assert on_device(process.declared) == {
        "umami_supported_inputs": [True] * 6,
        "umami_required_inputs": [True] + [False] * 5,
        "umami_supported_outputs": [True] * 6,
    }


@pytest.mark.parametrize("policy", ["error", "nan"])
def test_only_the_events_asked_for_are_written(
    on_device: Host, cards: dict[str, str], model_path: Path, momenta: np.ndarray, policy: str
) -> None:
    inputs = {0: batch_fastest(momenta[:100])}
    wanted: dict[int, Buffer] = {key: np.full(100, -1, dtype=np.int32) for key in (2, 3, 4)}
    wanted |= {1: outputs(100), 5: STREAM, 0: outputs(100)}
    answer = on_device(process.evaluate, cards[policy], inputs, wanted, 70, 100, 20)
    assert answer.status == SUCCESS, answer.error
    inside = slice(20, 90)
    expected = np.full(100, -1.0)
    expected[inside] = pyamp.Evaluator(model_path)(momenta[inside]).amplitude
    np.testing.assert_allclose(answer.outputs[0], expected, rtol=1e-12)
    np.testing.assert_array_equal(answer.outputs[1], answer.outputs[0])
    for key in (2, 3, 4):
        np.testing.assert_array_equal(answer.outputs[key], np.where(expected > 0, 0, -1))


def test_float32(on_device: Host, model_path: Path, momenta: np.ndarray, tmp_path: Path) -> None:
    card = pyamp.provider_card(model_path, tmp_path / "card.json", dtype="float32")
    answer = on_device(process.evaluate, card, {0: batch_fastest(momenta)}, {0: outputs(500)}, 500, 500)
    expected = pyamp.Evaluator(model_path)(momenta).amplitude
    np.testing.assert_allclose(answer.outputs[0], expected, rtol=1e-5)
    assert (answer.outputs[0] != expected).any()


def test_couplings_and_identical_particles(
    on_device: Host, model_path: Path, momenta: np.ndarray, tmp_path: Path
) -> None:
    """α_s of each event, parameters that were set, and the factor 1/2 of two photons, with one kernel and with two."""
    card = pyamp.provider_card(model_path, tmp_path / "card.json", identical_particle_factor=True)
    alpha_s, points = np.linspace(0.09, 0.14, 90), batch_fastest(momenta[:90])
    evaluate = pyamp.Evaluator(model_path)
    for inputs, parameters, expected in (
        ({0: points, 1: alpha_s}, {}, evaluate(momenta[:90], alpha_s).amplitude),
        ({0: points}, {"alpha_s": 0.13}, pyamp.Evaluator(model_path, alpha_s=0.13)(momenta[:90]).amplitude),
        (
            {1: alpha_s, 0: points},
            {"alpha_s": 0.2, "alpha": 0.008},
            pyamp.Evaluator(model_path, alpha=0.008)(momenta[:90], alpha_s).amplitude,
        ),
    ):
        answer = on_device(process.evaluate, card, inputs, {0: outputs(90)}, 90, 90, 0, parameters)
        np.testing.assert_allclose(answer.outputs[0], expected / 2, rtol=1e-12)


@pytest.mark.parametrize("stream", [STREAM, None])
def test_policy_nan_waits_for_nothing_and_policy_error_for_the_flags(
    on_device: Host, cards: dict[str, str], momenta: np.ndarray, stream: int | None
) -> None:
    """On the stream of the host, and on the default one, which is what hosts that name no stream order against."""
    inputs = {0: batch_fastest(momenta[:30]), 2: np.zeros(30, dtype=np.int32)}
    wanted = {0: outputs(30), 5: stream}
    late = on_device(process.evaluate, cards["nan"], inputs, wanted, 30, 30)
    assert late.pending == 2  # the surrogate, and the flavours
    assert (late.at_return[0] == -1).all()
    waited = on_device(process.evaluate, cards["error"], inputs, wanted, 30, 30)
    assert waited.pending == 0
    np.testing.assert_array_equal(waited.at_return[0], late.outputs[0])


def test_flagged_points(on_device: Host, cards: dict[str, str], momenta: np.ndarray) -> None:
    points = momenta[:40].copy()
    points[13] *= 2  # outside the domain
    points[7, 2, 0] += 1.0
    for offset, first in ((0, 7), (5, 2)):
        inputs, count = {0: batch_fastest(points)}, 40 - offset
        refused = on_device(process.evaluate, cards["error"], inputs, {0: outputs(40)}, count, 40, offset)
        assert refused.status == ERROR
        assert f"2 of {count} points flagged, the first is {first} (a leg is not massless" in refused.error
    passed = on_device(process.evaluate, cards["nan"], {0: batch_fastest(points)}, {0: outputs(40)}, 40, 40)
    assert passed.status == SUCCESS
    np.testing.assert_array_equal(np.isnan(passed.outputs[0]), np.isin(np.arange(40), [7, 13]))


def test_unknown_flavours(on_device: Host, cards: dict[str, str], momenta: np.ndarray) -> None:
    flavour = np.zeros(10, dtype=np.int32)
    flavour[3] = 1
    inputs = {0: batch_fastest(momenta[:10]), 2: flavour}
    refused = on_device(process.evaluate, cards["error"], inputs, {0: outputs(10)}, 10, 10)
    assert (refused.status, refused.error) == (
        ERROR,
        "umami_matrix_element: a flavour index is not 0, the only one there is",
    )
    passed = on_device(process.evaluate, cards["nan"], inputs, {0: outputs(10)}, 10, 10)
    np.testing.assert_array_equal(np.isnan(passed.outputs[0]), flavour != 0)
    unasked = on_device(process.evaluate, cards["error"], inputs, {0: outputs(10)}, 6, 10, 4)
    assert unasked.status == SUCCESS


def test_nothing_to_do(on_device: Host, cards: dict[str, str], momenta: np.ndarray) -> None:
    points = {0: batch_fastest(momenta[:4])}
    for policy in cards:
        assert on_device(process.evaluate, cards[policy], points, {0: outputs(4)}, 0, 4, 4).pending == 0
    assert on_device(process.evaluate, cards["nan"], points, {5: STREAM}, 4, 4).status == SUCCESS


def test_wrong_calls_give_statuses(on_device: Host, cards: dict[str, str], momenta: np.ndarray) -> None:
    points, out, index = batch_fastest(momenta[:4]), outputs(4), np.zeros(4, dtype=np.int32)

    def status(inputs: dict[int, Buffer], wanted: dict[int, Buffer], *sizes: int) -> int:
        answer = on_device(process.evaluate, cards["nan"], inputs, wanted, *(sizes or (4, 4)))
        assert bool(answer.error) == (answer.status != SUCCESS)
        assert answer.pending == 0 or answer.status == SUCCESS
        return int(answer.status)

    assert status({}, {0: out}) == MISSING_INPUT
    assert status({1: out}, {0: out}) == MISSING_INPUT
    assert status({0: None}, {0: out}) == ERROR
    assert status({0: points}, {0: None}) == ERROR
    assert status({0: points, 6: index}, {0: out}) == UNSUPPORTED_INPUT
    assert status({0: points, -1: index}, {0: out}) == UNSUPPORTED_INPUT
    assert status({0: points}, {6: out}) == UNSUPPORTED_OUTPUT
    assert status({0: points}, {-1: out, 5: STREAM}) == UNSUPPORTED_OUTPUT
    assert status({0: points}, {0: out}, 4, 4, 1) == ERROR
    assert status({0: points}, {0: out, 5: None}) == SUCCESS


def test_what_does_not_run_on_a_device_is_refused(
    on_device: Host, model_path: Path, tmp_path: Path, momenta: np.ndarray
) -> None:
    def complaint(**entries: str) -> str:
        path = tmp_path / "card.json"
        path.write_text(json.dumps({"source": str(model_path), **entries}))
        answer = on_device(process.opened, str(path))
        assert answer.status == (ERROR if answer.error else SUCCESS)
        assert "\n" not in answer.error
        return str(answer.error)

    assert complaint(device="cuda") == complaint(device="cuda:0", backend="auto", policy="nan") == ""
    assert '\'device\' is "cpu", "cuda", the host\'s current device cuda:0, expected' in complaint(
        device="cpu"
    )
    assert "'device' is \"cuda:1\"" in complaint(device="cuda:1")
    assert '\'backend\' is "libtorch", "fused" expected' in complaint(backend="libtorch")
    assert '\'policy\' is "truth", "error" or "nan", since truth runs on the CPU' in complaint(policy="truth")
    assert "builtin:gg_to_aag runs on the CPU, a model file expected" in complaint(source="builtin:gg_to_aag")
    assert "no CUDA device found" in on_device(process.opened, str(model_path), 0).error
    assert "absent.safetensors: cannot be opened" in on_device(process.opened, "absent.safetensors").error


def test_path_of_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pyamp.PyampError, match="device 'gpu' found, 'cpu' or 'cuda' expected"):
        pyamp.umami_library(device="gpu")
    monkeypatch.setattr("pyamp.paths.library", lambda name: tmp_path / f"lib{name}.so")
    with pytest.raises(
        pyamp.PyampError, match=r"libpyamp_umami_cuda\.so: not there, pyamp was built without nvcc"
    ):
        pyamp.umami_library(device="cuda")
    (tmp_path / "libpyamp_umami_cuda.so").touch()
    assert pyamp.umami_library(device="cuda") == str(tmp_path / "libpyamp_umami_cuda.so")
