"""Model files: what is written is read, and whatever is wrong is refused with one line."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import pyamp
from pyamp.model_file import load_surrogate, read_header, write_model
from tests.support import model_info, random_surrogate, write_random_model

GOLDEN = sorted((Path(__file__).parents[1] / "reference" / "models" / "v1").glob("*.safetensors"))


def rewrite(
    source: Path,
    target: Path,
    *,
    header: Callable[[dict[str, Any]], None] = lambda _: None,
    tensors: Callable[[dict[str, np.ndarray]], None] = lambda _: None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """A copy with changes and with hashes that are right for them, as a faulty exporter would write it."""
    values = load_file(source)
    tensors(values)
    with safe_open(source, "numpy") as file:
        content = json.loads(file.metadata()["header"])
        version = file.metadata()["format_version"]
    bare = target.with_suffix(".bare")
    save_file(values, bare)
    raw = bare.read_bytes()
    content["tensors_sha256"] = hashlib.sha256(raw[8 + int.from_bytes(raw[:8], "little") :]).hexdigest()
    header(content)
    text = json.dumps(content)
    save_file(
        values,
        target,
        {
            "format": "pyamp",
            "format_version": version,
            "header": text,
            "header_sha256": hashlib.sha256(text.encode()).hexdigest(),
            **(metadata or {}),
        },
    )
    return target


def refused(path: Path, *texts: str) -> None:
    """Both readers refuse the file with one line that names it and holds the texts."""
    for read in (read_header, pyamp.Evaluator):
        with pytest.raises(pyamp.PyampError) as error:
            read(path)
        message = str(error.value)
        assert message.startswith(str(path))
        assert "\n" not in message
        for text in texts:
            assert text in message


def test_round_trip(tmp_path: Path, momenta: np.ndarray) -> None:
    path = tmp_path / "model.safetensors"
    surrogate = write_random_model(path, momenta)
    again = load_surrogate(path)
    with torch.inference_mode():
        for a, b in zip(
            vars(surrogate(torch.from_numpy(momenta))).values(),
            vars(again(torch.from_numpy(momenta))).values(),
            strict=True,
        ):
            assert torch.equal(a, b)
    header = read_header(path)
    assert header["process"]["pdg_ids"] == [21, 21, 22, 22, 21]
    assert len(header["self_test"]["amplitude"]) == 16
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_writing_twice_gives_the_same_bytes(tmp_path: Path, momenta: np.ndarray) -> None:
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    write_random_model(one, momenta)
    write_random_model(two, momenta)
    assert one.read_bytes() == two.read_bytes()


def test_not_finite_weights_are_not_written(tmp_path: Path, momenta: np.ndarray) -> None:
    surrogate = random_surrogate(momenta)
    with torch.no_grad():
        surrogate.posterior.architecture.layers[0].weight[0, 0] = float("nan")
    with pytest.raises(pyamp.PyampError, match="NaN or infinity"):
        write_model(tmp_path / "m.safetensors", surrogate, model_info(), torch.from_numpy(momenta[:16]))
    assert not list(tmp_path.iterdir())


def test_numbers_that_are_not_finite_are_not_written(tmp_path: Path, momenta: np.ndarray) -> None:
    info = model_info(metrics={"x_max": float("inf")})
    with pytest.raises(pyamp.PyampError, match="metrics would hold NaN or infinity"):
        write_model(
            tmp_path / "m.safetensors", random_surrogate(momenta), info, torch.from_numpy(momenta[:16])
        )
    assert not list(tmp_path.iterdir())


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    refused(tmp_path / "absent.safetensors", "cannot be opened", "check the path")
    text = tmp_path / "text.safetensors"
    text.write_text("no safetensors at all, only some words")
    refused(text, "not a safetensors file")
    empty = tmp_path / "empty.safetensors"
    empty.write_bytes(b"")
    refused(empty, "not a safetensors file")
    other = tmp_path / "other.safetensors"
    save_file({"x": np.zeros(3)}, other, {"format": "pt"})
    refused(other, "format 'pt', 'pyamp' expected")
    save_file({"x": np.zeros(3)}, other)
    refused(other, "lacks 'format'")


def test_newer_version(tmp_path: Path, model_path: Path) -> None:
    path = rewrite(model_path, tmp_path / "new.safetensors", metadata={"format_version": "2"})
    refused(path, "format version 2 is newer than 1", "update pyamp")


def test_truncated_anywhere(tmp_path: Path, model_path: Path) -> None:
    data = model_path.read_bytes()
    path = tmp_path / "short.safetensors"
    for size in (7, 9, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        refused(path)
    path.write_bytes(data + b"\0")
    refused(path, "damaged or incomplete")


def test_any_flipped_bit_is_noticed(tmp_path: Path, model_path: Path) -> None:
    """400 random single-bit flips over the whole file, seed fixed: table, header, hashes and weights."""
    data = model_path.read_bytes()
    path = tmp_path / "flipped.safetensors"
    rng = np.random.default_rng(5)
    for position in [*range(9), *rng.integers(9, len(data), 400)]:
        flipped = bytearray(data)
        flipped[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        with pytest.raises(pyamp.PyampError) as error:
            read_header(path)
        assert str(error.value).startswith(str(path))


def set_nan(tensors: dict[str, np.ndarray]) -> None:
    tensors["layers.1.weight"][3, 2] = np.nan


def set_shape(tensors: dict[str, np.ndarray]) -> None:
    tensors["layers.1.weight"] = tensors["layers.1.weight"].T.copy()


def set_missing(tensors: dict[str, np.ndarray]) -> None:
    del tensors["layers.2.bias"]


def set_extra(tensors: dict[str, np.ndarray]) -> None:
    tensors["layers.3.bias"] = np.zeros(2)


def set_dtype(tensors: dict[str, np.ndarray]) -> None:
    tensors["layers.0.bias"] = tensors["layers.0.bias"].astype(np.float32)


@pytest.mark.parametrize(
    ("change", "texts"),
    [
        (set_nan, ("'layers.1.weight' holds NaN or infinity", "train again")),
        (set_shape, ("'layers.1.weight' has shape [16,24], [24,16] expected",)),
        (set_missing, ("'layers.2.bias' is missing, shape [2] expected",)),
        (set_extra, ("unknown tensor 'layers.3.bias'",)),
        (set_dtype, ("'layers.0.bias' is float32, float64 expected",)),
    ],
)
def test_wrong_tensors(
    tmp_path: Path, model_path: Path, change: Callable[[dict[str, np.ndarray]], None], texts: tuple[str, ...]
) -> None:
    refused(rewrite(model_path, tmp_path / "wrong.safetensors", tensors=change), *texts)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("network.activation", "swish", "'network.activation' is \"swish\", gelu or"),
        (
            "network.type",
            "cnn",
            "'network.type' is \"cnn\", mlp or kan or group_kan or dsi or fks or dipole expected",
        ),
        ("network.widths", [9, 0, 2], "'network.widths'"),
        ("representation.type", "pixels", "log_invariants or momenta expected"),
        ("representation.std", [1.0] * 8, "9 finite numbers expected"),
        ("representation.std", [0.0] * 9, "positive numbers expected"),
        ("posterior.type", "dropout", "deterministic or ensemble or repulsive_ensemble or bayesian expected"),
        ("posterior.type", 7, "deterministic or ensemble or repulsive_ensemble or bayesian expected"),
        ("likelihood.type", "poisson", "heteroskedastic_gaussian or mse or gaussian_mixture or evidential"),
        ("process.pdg_ids", [21, 21, 22], "4 to 8 legs expected"),
        ("process.n_incoming", 2**32 + 2, "an integer expected"),
        ("process.pdg_ids", [21, 21, 22, 22, 2**32 + 21], "a list of integers expected"),
        ("couplings.alpha_s", -0.1, "a positive number expected"),
        ("domain.sqrt_s_hat", [1000.0, 100.0], "minimum <= maximum"),
        ("domain.cuts", {"pt_mim": {"22": 30}}, "pt_mim"),
        ("target.std", "1", "a positive number expected"),
        ("dtype", "float16", "float32 or float64 expected"),
        ("self_test.amplitude", [1.0] * 15, "16 finite numbers expected"),
        ("surprise", 1, "has 'surprise', unknown"),
    ],
)
def test_wrong_header_entries(tmp_path: Path, model_path: Path, key: str, value: Any, text: str) -> None:
    def change(header: dict[str, Any]) -> None:
        *parents, last = key.split(".")
        for parent in parents:
            header = header[parent]
        header[last] = value

    path = rewrite(model_path, tmp_path / "wrong.safetensors", header=change)
    with pytest.raises(pyamp.PyampError) as error:
        read_header(path)
    assert text in str(error.value)
    assert "\n" not in str(error.value)


def test_ensemble_round_trip_and_wrong_members(tmp_path: Path, momenta: np.ndarray) -> None:
    path = tmp_path / "ensemble.safetensors"
    surrogate = write_random_model(path, momenta, members=3)
    again = load_surrogate(path)
    for name, values in surrogate.posterior.tensors().items():
        assert values.shape[0] == 3
        assert torch.equal(again.posterior.tensors()[name], values)

    def change(header: dict[str, Any]) -> None:
        header["posterior"]["members"] = 4

    refused(
        rewrite(path, tmp_path / "wrong.safetensors", header=change),
        "'layers.0.bias' has shape [3,16], [4,16] expected",
    )


def test_missing_header_entry(tmp_path: Path, model_path: Path) -> None:
    refused(
        rewrite(model_path, tmp_path / "w.safetensors", header=lambda h: h.pop("domain")), "lacks 'domain'"
    )


def test_self_test_catches_another_network(tmp_path: Path, model_path: Path) -> None:
    """A file that is whole but whose answers are not those of its weights."""

    def change(tensors: dict[str, np.ndarray]) -> None:
        tensors["layers.0.bias"] += 1e-6

    path = rewrite(model_path, tmp_path / "other.safetensors", tensors=change)
    with pytest.raises(pyamp.PyampError, match="self-test point"):
        pyamp.Evaluator(path)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda p: p.stem)
def test_golden_files_load_for_ever(path: Path) -> None:
    """Files of earlier releases load, with the answers stored beside them when they were written."""
    golden = json.loads(path.with_suffix(".json").read_text())
    prediction = pyamp.Evaluator(path)(np.array(golden["momenta"]))
    tolerance = 1e-12 if golden["dtype"] == "float64" else 2e-6
    np.testing.assert_allclose(prediction.amplitude, golden["amplitude"], rtol=tolerance)
    np.testing.assert_allclose(prediction.sigma_syst, golden["sigma_syst"], rtol=10 * tolerance)
    load_surrogate(path)


def test_there_are_golden_files() -> None:
    assert {p.stem for p in GOLDEN} >= {"gg_to_aag_float32", "gg_to_aag_float64"}


def run_inspect(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pyamp.cli", "inspect", str(path), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_inspect_shows_the_model(model_path: Path) -> None:
    done = run_inspect(model_path)
    assert done.returncode == 0
    for text in ("21 21 -> 22 22 21", "9→16→24→2, gelu", "16 points agree", "GeV^-2"):
        assert text in done.stdout
    header = json.loads(run_inspect(model_path, "--json").stdout)
    assert header["network"]["widths"] == [9, 16, 24, 2]


def test_inspect_refuses_with_one_line_and_code_2(tmp_path: Path) -> None:
    done = run_inspect(tmp_path / "absent.safetensors")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "absent.safetensors: cannot be opened" in done.stderr
