"""UMAMI as a host in C sees it: symbols, metadata, layout, statuses; with madspace in tests/python/test_madspace.py."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import pyamp
from tests.cpp.umami_calls import (
    ERROR,
    MISSING_INPUT,
    SUCCESS,
    UNSUPPORTED_INPUT,
    UNSUPPORTED_META,
    UNSUPPORTED_OUTPUT,
    batch_fastest,
    call,
    flags_of,
)


@pytest.fixture(scope="module")
def umami() -> ctypes.CDLL:
    return ctypes.CDLL(pyamp.umami_library())


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("cards") / "truth.json"
    return pyamp.provider_card("gg_to_aag", path, alpha_s=0.13)


def opened(umami: ctypes.CDLL, path: str | Path) -> ctypes.c_void_p:
    handle = ctypes.c_void_p()
    assert umami.umami_initialize(ctypes.byref(handle), str(path).encode()) == SUCCESS
    return handle


@pytest.fixture
def handle(umami: ctypes.CDLL, card: str) -> Iterator[ctypes.c_void_p]:
    instance = opened(umami, card)
    yield instance
    assert umami.umami_free(instance) == SUCCESS


def test_meta_is_that_of_a_summed_matrix_element_in_host_memory(
    umami: ctypes.CDLL, handle: ctypes.c_void_p
) -> None:
    result = ctypes.c_int(-1)
    values = []
    for key in range(5):
        assert umami.umami_get_meta(key, ctypes.byref(result)) == SUCCESS
        values.append(result.value)
    assert values == [0, 5, 1, 1, 1]
    assert umami.umami_get_meta(5, ctypes.byref(result)) == UNSUPPORTED_META
    assert umami.umami_get_meta(1, None) == ERROR


def test_particle_count_is_refused_while_it_is_ambiguous(
    umami: ctypes.CDLL, handle: ctypes.c_void_p, tmp_path: Path
) -> None:
    six_legs = opened(umami, pyamp.provider_card("gg_to_aagg", tmp_path / "six.json"))
    result = ctypes.c_int(-1)
    assert umami.umami_get_meta(1, ctypes.byref(result)) == ERROR
    assert umami.umami_free(six_legs) == SUCCESS
    assert umami.umami_get_meta(1, ctypes.byref(result)) == SUCCESS
    assert result.value == 5


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("umami_supported_inputs", [True] * 6),
        ("umami_required_inputs", [True] + [False] * 5),
        ("umami_supported_outputs", [True] * 5),
    ],
)
def test_declared_keys(umami: ctypes.CDLL, function: str, expected: list[bool]) -> None:
    assert flags_of(umami, function) == expected
    assert getattr(umami, function)(None, ctypes.byref(ctypes.c_int())) == ERROR


def test_only_the_events_asked_for_are_written(
    umami: ctypes.CDLL, handle: ctypes.c_void_p, momenta: np.ndarray
) -> None:
    inputs = batch_fastest(momenta[:20])
    amplitude, amp2, colour = np.full(20, -1.0), np.full(20, -1.0), np.full(20, -1, dtype=np.int32)
    assert call(umami, handle, {0: inputs}, {2: colour, 1: amp2, 0: amplitude}, 7, 20, 5) == SUCCESS
    expected = np.full(20, -1.0)
    expected[5:12] = pyamp.truth("gg_to_aag", alpha_s=0.13).me2(momenta[5:12])
    np.testing.assert_allclose(amplitude, expected, rtol=1e-14)
    np.testing.assert_array_equal(amp2, amplitude)
    np.testing.assert_array_equal(colour, np.where(expected > 0, 0, -1))


def test_parameters_can_be_changed(umami: ctypes.CDLL, handle: ctypes.c_void_p, momenta: np.ndarray) -> None:
    real = ctypes.c_double()
    assert umami.umami_set_parameter(handle, b"alpha_s", ctypes.c_double(0.11), ctypes.c_double()) == SUCCESS
    assert umami.umami_set_parameter(handle, b"alpha", ctypes.c_double(0.008), ctypes.c_double()) == SUCCESS
    assert umami.umami_get_parameter(handle, b"alpha", ctypes.byref(real), None) == SUCCESS
    assert real.value == 0.008
    assert umami.umami_set_parameter(handle, b"mass 6", ctypes.c_double(170), ctypes.c_double()) == ERROR
    assert umami.umami_set_parameter(handle, b"alpha", ctypes.c_double(-1), ctypes.c_double()) == ERROR
    inputs, amplitude = batch_fastest(momenta[:5]), np.empty(5)
    assert call(umami, handle, {0: inputs}, {0: amplitude}, 5, 5) == SUCCESS
    np.testing.assert_allclose(amplitude, pyamp.truth("gg_to_aag", 0.11, 0.008).me2(momenta[:5]), rtol=1e-13)
    alpha_s = np.full(5, 0.12)
    assert call(umami, handle, {0: inputs, 1: alpha_s}, {0: amplitude}, 5, 5) == SUCCESS
    np.testing.assert_allclose(amplitude, pyamp.truth("gg_to_aag", 0.12, 0.008).me2(momenta[:5]), rtol=1e-13)


def test_wrong_calls_give_statuses(
    umami: ctypes.CDLL, handle: ctypes.c_void_p, momenta: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    points, out, index = batch_fastest(momenta[:4]), np.empty(4), np.zeros(4, dtype=np.int32)
    assert call(umami, ctypes.c_void_p(), {0: points}, {0: out}, 4, 4) == ERROR
    assert call(umami, handle, {}, {0: out}, 4, 4) == MISSING_INPUT
    assert call(umami, handle, {1: out}, {0: out}, 4, 4) == MISSING_INPUT
    assert call(umami, handle, {0: None}, {0: out}, 4, 4) == ERROR
    assert call(umami, handle, {0: points}, {0: None}, 4, 4) == ERROR
    assert call(umami, handle, {0: points, 6: index}, {0: out}, 4, 4) == UNSUPPORTED_INPUT
    assert call(umami, handle, {0: points, -1: index}, {0: out}, 4, 4) == UNSUPPORTED_INPUT
    assert call(umami, handle, {0: points}, {5: out}, 4, 4) == UNSUPPORTED_OUTPUT
    assert call(umami, handle, {0: points}, {100: out}, 4, 4) == UNSUPPORTED_OUTPUT
    assert call(umami, handle, {0: points}, {0: out}, 4, 4, 1) == ERROR
    assert call(umami, handle, {0: points, 2: index + 1}, {0: out}, 4, 4) == ERROR
    assert call(umami, handle, {0: points, 2: index}, {0: out}, 4, 4) == SUCCESS
    points[3, 2, 0] += 1.0
    assert call(umami, handle, {0: points}, {0: out}, 4, 4) == ERROR
    assert umami.umami_initialize(None, b"path") == ERROR
    assert umami.umami_initialize(ctypes.byref(ctypes.c_void_p()), None) == ERROR
    assert umami.umami_free(None) == SUCCESS
    complaints = capfd.readouterr().err.splitlines()
    assert "pyamp: umami_matrix_element: unsupported output key 100" in complaints
    assert any("1 of 4 points flagged, the first is 0 (a leg is not massless" in line for line in complaints)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("absent.safetensors", None, "absent.safetensors: cannot be opened"),
        ("absent.json", None, "absent.json: cannot be opened; the path of a provider card expected"),
        ("card.json", "source: builtin:gg_to_aag", "no JSON object found"),
        ("card.json", "{}", "key 'source' is missing"),
        ("card.json", '{"source": "builtin:gg_to_aag", "alpha_S": 1}', "'alpha_S'; did you mean 'alpha_s'?"),
        ("card.json", '{"source": "builtin:gg_to_aag", "alpha_s": -1}', "'alpha_s' is -1, a positive number"),
        ("card.json", '{"source": "builtin:gg_to_aagggg"}', "unknown built-in amplitude 'gg_to_aagggg'"),
        ("card.json", '{"source": "gg_to_aag"}', "'source' is \"gg_to_aag\""),
    ],
)
def test_bad_paths_and_cards_are_refused(
    umami: ctypes.CDLL,
    tmp_path: Path,
    name: str,
    text: str | None,
    complaint: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    handle = ctypes.c_void_p(1)
    assert umami.umami_initialize(ctypes.byref(handle), str(path).encode()) == ERROR
    assert handle.value is None
    error = capfd.readouterr().err
    assert error.startswith("pyamp: ")
    assert complaint in error
    assert error.count("\n") == 1


def test_instances_are_independent(umami: ctypes.CDLL, model_path: Path, momenta: np.ndarray) -> None:
    expected = pyamp.Evaluator(model_path)(momenta).amplitude
    results: list[np.ndarray] = [np.empty(len(momenta)) for _ in range(4)]

    def run(result: np.ndarray) -> None:
        instance, inputs = opened(umami, model_path), batch_fastest(momenta)
        for _ in range(5):
            result[:] = 0
            assert call(umami, instance, {0: inputs}, {0: result}, len(momenta), len(momenta)) == SUCCESS
        assert umami.umami_free(instance) == SUCCESS

    threads = [threading.Thread(target=run, args=(result,)) for result in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_allclose(result, expected, rtol=1e-12)
