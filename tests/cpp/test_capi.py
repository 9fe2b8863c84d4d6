"""The C interface, used by a C program as a host would use it."""

from __future__ import annotations

import ctypes
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

import pyamp
from pyamp.paths import library

HEADER_FOLDER = library("pyamp").parents[1] / "include"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("capi") / "client"
    source = Path(__file__).with_name("capi_client.c")
    flags = ["-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["cc", *flags, f"-I{HEADER_FOLDER}", source, "-o", program, "-ldl"], check=True)
    return program


def call(client: Path, *arguments: object) -> tuple[int, list[str]]:
    command = [str(client), str(library("pyamp")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode >= 0, f"killed by signal {-done.returncode}"
    return done.returncode, done.stdout.splitlines()


def write_points(path: Path, momenta: np.ndarray) -> Path:
    np.savetxt(path, momenta.reshape(len(momenta), -1), fmt="%.17g")
    return path


def test_surrogate_equals_the_python_evaluator(
    client: Path, model_path: Path, momenta: np.ndarray, tmp_path: Path
) -> None:
    points = write_points(tmp_path / "points.txt", momenta[:100])
    code, lines = call(client, model_path, "", points)
    assert code == 0
    description = json.loads(lines[2])
    assert description["kind"] == "surrogate"
    assert description["process"]["pdg_ids"] == [21, 21, 22, 22, 21]
    assert description["domain"]["sqrt_s_hat"] == [1000.0, 1000.0]
    assert description["spin_colour_average"] == 256
    values = np.array([line.split() for line in lines[4:104]], dtype=float)
    prediction = pyamp.Evaluator(model_path)(momenta[:100])
    np.testing.assert_array_equal(values[:, 0], 0)
    np.testing.assert_allclose(values[:, 1], prediction.amplitude, rtol=1e-14)
    np.testing.assert_allclose(values[:, 2], prediction.sigma_syst, rtol=1e-14)


@pytest.mark.parametrize("in_place", [False, True], ids=["apart", "in place"])
def test_batches_in_its_layout(model_path: Path, momenta: np.ndarray, in_place: bool) -> None:
    """Any number of points, neighbours in memory, with results apart from the momenta or in their place."""
    momenta = np.tile(momenta, (1 + 2000 // len(momenta), 1, 1))  # more than the evaluator takes at a time
    pyamp_ = ctypes.CDLL(str(library("pyamp")))
    handle = ctypes.c_void_p()
    assert pyamp_.pyamp_open(ctypes.byref(handle), str(model_path).encode(), b'{"policy": "nan"}') == 0
    expected = pyamp.Evaluator(model_path, policy="nan")(momenta).amplitude
    keys = (ctypes.c_int * 1)(0)  # momenta in, amplitudes out
    try:
        for n in (1, 2, 7, 8, 9, 33, len(momenta)):
            stride, offset = n + 5, 3
            columns = np.full((4, momenta.shape[1], stride), np.nan)
            columns[:, :, offset : offset + n] = momenta[:n].transpose(2, 1, 0)
            # In place, of each point where a later one lies.
            result = columns.ravel()[n // 2 : n // 2 + stride] if in_place else np.empty(stride)
            pointers = [(ctypes.c_void_p * 1)(array.ctypes.data) for array in (columns, result)]
            sizes = [ctypes.c_size_t(size) for size in (n, stride, offset, 1)]
            assert (
                pyamp_.pyamp_evaluate(
                    handle, *sizes, keys, pointers[0], ctypes.c_size_t(1), keys, pointers[1]
                )
                == 0
            )
            np.testing.assert_array_equal(result[offset : offset + n], expected[:n])
    finally:
        pyamp_.pyamp_close(handle)


def test_truth_equals_python(client: Path, momenta: np.ndarray, tmp_path: Path) -> None:
    points = write_points(tmp_path / "points.txt", momenta[:20])
    code, lines = call(client, "builtin:gg_to_aag", '{"alpha_s": 0.13, "alpha": 0.0078}', points)
    assert code == 0
    assert json.loads(lines[2])["couplings"]["alpha_s"] == 0.13
    values = np.array([line.split() for line in lines[4:24]], dtype=float)
    expected = pyamp.truth("gg_to_aag", alpha_s=0.13, alpha=0.0078).me2(momenta[:20])
    np.testing.assert_allclose(values[:, 1], expected, rtol=1e-14)


def test_alpha_s_of_each_point_and_accuracy(client: Path, momenta: np.ndarray, tmp_path: Path) -> None:
    points = write_points(tmp_path / "points.txt", momenta[:20])
    code, lines = call(client, "builtin:gg_to_aag", "", points, "0.11")
    assert code == 0
    values = np.array([line.split() for line in lines[4:24]], dtype=float)
    stripped, accuracy = pyamp.truth("gg_to_aag", alpha_s=1, alpha=1).me2(momenta[:20], return_accuracy=True)
    couplings = (0.11 + 1e-3 * np.arange(20)) ** 3 / 137.035999084**2
    np.testing.assert_allclose(values[:, 1], couplings * stripped, rtol=1e-14)
    np.testing.assert_array_equal(values[:, 3], accuracy)


def test_alpha_s_that_is_none_is_flagged(client: Path, momenta: np.ndarray, tmp_path: Path) -> None:
    points = write_points(tmp_path / "points.txt", momenta[:3])
    code, lines = call(client, "builtin:gg_to_aag", '{"policy": "nan"}', points, "-0.0015")
    assert code == 0
    rows = [line.split() for line in lines[4:7]]
    assert [row[0] for row in rows] == ["32", "32", "0"]
    assert np.isnan(float(rows[1][1]))


def test_flagged_point_gives_an_error_and_the_other_rows(
    client: Path, model_path: Path, momenta: np.ndarray, tmp_path: Path
) -> None:
    bad = momenta[:3].copy()
    bad[1] *= 2
    points = write_points(tmp_path / "points.txt", bad)
    code, lines = call(client, model_path, "", points)
    assert code == 2
    assert "status 1: momenta: 1 of 3 points flagged, the first is 1 (outside the domain" in lines[3]
    rows = [line.split() for line in lines[4:7]]
    assert [row[0] for row in rows] == ["0", "8", "0"]
    assert rows[1][1] in ("nan", "-nan")
    assert float(rows[2][1]) == pytest.approx(pyamp.Evaluator(model_path)(momenta[2]).amplitude[0], rel=1e-14)


def test_bad_model_is_refused(client: Path, tmp_path: Path) -> None:
    points = write_points(tmp_path / "points.txt", np.ones((1, 5, 4)))
    code, lines = call(client, tmp_path / "absent.safetensors", "", points)
    assert code == 2
    assert lines[0].startswith(f"status 1: {tmp_path}/absent.safetensors: cannot be opened")


def test_wrong_calls_give_statuses(client: Path, model_path: Path) -> None:
    code, lines = call(client, "--faults", model_path)
    assert code == 0
    expected = [
        "status 1: pyamp_open: handle is a null pointer",
        "status 1: pyamp_open: source is a null pointer",
        "handle null",
        "status 1: ",  # unknown built-in
        "status 1: options: unknown key 'polici'; did you mean 'policy'?",
        "status 1: options: 'not json', a JSON object expected",
        "status 0: ",
        "status 1: pyamp_evaluate: handle is a null pointer",
        "status 6: pyamp_evaluate: the momenta (key 0) are missing",
        "status 3: pyamp_evaluate: unknown input key 77",
        "status 1: pyamp_evaluate: an input is a null pointer",
        "status 4: pyamp_evaluate: unsupported output key 77",
        "status 1: pyamp_evaluate: offset + count exceeds the stride",
        "status 1: momenta: 1 of 1 points flagged",
        "status 0: ",
        "status 1: pyamp_describe: buffer is a null pointer",
        "status 0: ",
        'text {"b',
        "status 0: ",
        "status 0: ",
    ]
    assert len(lines) == len(expected)
    for line, start in zip(lines, expected, strict=True):
        assert line.startswith(start)


def test_libpyamp_does_not_need_torch_or_python() -> None:
    needed = subprocess.run(
        ["readelf", "-d", library("pyamp")], capture_output=True, text=True, check=True
    ).stdout
    assert "libstdc++" in needed
    assert "torch" not in needed
    assert "python" not in needed
