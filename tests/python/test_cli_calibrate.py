"""Does ``pyamp calibrate`` measure on unseen points only, and write the same model with a correction that helps?"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import pyamp
from pyamp.calibration import core_width, pulls
from pyamp.calibration.held_out import held_out_points
from pyamp.calibration.run import calibrate
from pyamp.cli import main
from pyamp.datasets import Dataset, generate
from pyamp.errors import PyampError
from pyamp.model_file import load_surrogate, read_header, with_recalibration
from pyamp.recalibration import Isotonic, Recalibration, Scale
from pyamp.training import TrainingConfig, train
from tests.support import write_random_model


@dataclasses.dataclass
class Done:
    """A finished command."""

    returncode: int
    stdout: str
    stderr: str


RunCli = Callable[..., Done]


@pytest.fixture
def run_cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunCli:
    """The command line in this process, which has imported everything already."""

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["pyamp", "calibrate", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A model file, its training dataset and 4000 points of another seed."""
    directory = tmp_path_factory.mktemp("trained")
    generate("gg_to_aag_1tev", 3000, directory / "points.h5", seed=1)
    generate("gg_to_aag_1tev", 4000, directory / "other.h5", seed=2)
    config = TrainingConfig.model_validate(
        {"network": {"hidden": [16, 16]}, "posterior": {"type": "ensemble", "members": 2}, "steps": 600}
    )
    result = train(Dataset.open(directory / "points.h5"), directory / "run", config)
    return result.model_path, directory / "points.h5", directory / "other.h5"


def test_test_split_of_the_training_dataset(trained: tuple[Path, Path, Path], tmp_path: Path) -> None:
    model, points, _ = trained
    result = calibrate(model, points, tmp_path)
    header = read_header(model)
    assert result.points == "test split of the training dataset"
    assert result.n_points == header["metrics"]["n_test"] == 600
    # The same points as at the end of training, so the same numbers.
    for sample in ("flat", "amplitude"):
        found = result.reports[sample].accuracy.median_abs_delta
        assert found == pytest.approx(header["metrics"][sample]["median_abs_delta"], rel=1e-4)
    assert json.loads((tmp_path / "calibration.json").read_text()) == result.as_dict()
    assert (tmp_path / "calibration.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", ["scale", "isotonic"])
def test_recalibration_helps_on_other_points(
    run_cli: RunCli, trained: tuple[Path, Path, Path], tmp_path: Path, kind: str
) -> None:
    model, _, other = trained
    done = run_cli(model, other, "-o", tmp_path, "--recalibrate", kind, "--fraction", 0.6, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["n_fitted"], result["n_points"], result["points"]) == (2400, 1600, "all points")
    before, after = (
        abs(result[key]["flat"]["pulls"]["tot"]["core_width"] - 1)
        for key in ("reports", "recalibrated_reports")
    )
    # Statistical errors of fit and report together: 0.962 √(1/2400 + 1/1600) = 0.031, here 4.5 of them.
    assert after < 0.14
    assert after < before or before < 0.14
    assert result["recalibration"]["type"] == kind
    assert read_entry(Path(result["recalibrated_model"])) == result["recalibration"]


def read_entry(path: Path) -> object:
    """The recalibration entry as it lies in the file, whatever the reader thinks of it."""
    content = path.read_bytes()
    table = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return json.loads(table["__metadata__"]["header"])["recalibration"]


@pytest.mark.parametrize("recalibration", [Scale(1.7), Isotonic([1e-3, 1e-2, 1e-1], [2e-3, 2e-3, 5e-2])])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_recalibrated_file_in_the_evaluator(
    tmp_path: Path, momenta: np.ndarray, recalibration: Recalibration, dtype: str, tolerance: float
) -> None:
    path, output = tmp_path / "model.safetensors", tmp_path / "model.recalibrated.safetensors"
    write_random_model(path, momenta, members=3, dtype=getattr(torch, dtype))
    with_recalibration(path, output, recalibration)
    before, after = read_header(path), read_header(output)
    assert after.pop("recalibration") == recalibration.header()
    answers, new_answers = before.pop("self_test"), after.pop("self_test")
    assert before == after  # the hash of the weights too
    for key in ("momenta", "amplitude"):
        assert answers[key] == new_answers[key]
    predictions = [pyamp.Evaluator(file)(momenta) for file in (path, output)]
    plain, calibrated = predictions
    np.testing.assert_array_equal(plain.amplitude, calibrated.amplitude)
    ratio = recalibration.ratio(np.asarray(plain.sigma_tot / np.abs(plain.amplitude)))
    np.testing.assert_allclose(calibrated.sigma_syst, ratio * plain.sigma_syst, rtol=10 * tolerance)
    np.testing.assert_allclose(calibrated.sigma_stat, ratio * plain.sigma_stat, rtol=10 * tolerance)
    with torch.inference_mode():
        python = load_surrogate(output)(torch.from_numpy(momenta))
    couplings = calibrated.amplitude / python.amplitude.numpy()
    np.testing.assert_allclose(
        calibrated.sigma_syst, couplings * python.sigma_syst.numpy(), rtol=10 * tolerance
    )


def test_recalibrated_model_is_what_was_reported(trained: tuple[Path, Path, Path], tmp_path: Path) -> None:
    model, _, other = trained
    result = calibrate(model, other, tmp_path, recalibrate="scale")
    assert result.recalibrated_model is not None
    assert result.recalibrated_reports is not None
    points = Dataset.open(other).select(slice(result.n_fitted, None))
    prediction = pyamp.Evaluator(result.recalibrated_model)(points.momenta)
    t = pulls(np.asarray(prediction.amplitude), points.me2, np.asarray(prediction.sigma_tot))
    summary = result.recalibrated_reports["flat"].pulls["tot"]
    assert summary is not None
    assert core_width(t) == pytest.approx(summary.core_width, rel=1e-6)
    with pytest.raises(PyampError, match="is recalibrated already; give the model file from before"):
        calibrate(result.recalibrated_model, other, tmp_path, recalibrate="scale")


def test_tables(run_cli: RunCli, trained: tuple[Path, Path, Path], tmp_path: Path) -> None:
    model, _, other = trained
    done = run_cli(model, other, "-o", tmp_path, "--recalibrate", "scale")
    assert done.returncode == 0, done.stderr
    for text in (
        "on 2000 points",
        "pulls after recalibration",
        "t_stat",
        "within 2σ",
        "m_ag_min",
        "before",
        "after",
        "recalibration: scale",
        f"model: {tmp_path / 'model.recalibrated.safetensors'}",
    ):
        assert text in done.stdout


def test_training_points_are_refused(
    run_cli: RunCli, trained: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    model, points, other = trained
    more = tmp_path / "more.h5"
    generate("gg_to_aag_1tev", 3100, more, seed=1)
    done = run_cli(model, more, "-o", tmp_path / "results")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        f"pyamp: {more}: holds points of the training dataset of the model, and more;"
    )
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "results").exists()
    header = read_header(model)
    dataset = Dataset.open(points)
    del header["training"]["config"]
    with pytest.raises(PyampError, match="does not say how it was split; generate points with another seed"):
        held_out_points(dataset, header, "points.h5")
    del header["training"]["dataset_sha256"]
    assert (
        "does not say what it was trained on" in held_out_points(Dataset.open(other), header, "other.h5")[1]
    )


def test_points_of_something_else(trained: tuple[Path, Path, Path], tmp_path: Path) -> None:
    model, _, other = trained
    header, dataset = read_header(model), Dataset.open(other)
    changed = {**header, "process": {**header["process"], "pdg_ids": [21, 21, 22, 22, 22]}}
    with pytest.raises(PyampError, match=r"other.h5: legs \[21, 21, 22, 22, 21\], but the model's are"):
        held_out_points(dataset, changed, "other.h5")
    info = dataclasses.replace(dataset.info, alpha_s_power=2)
    with pytest.raises(PyampError, match="alpha_s_power is 2, but the model's is 3"):
        held_out_points(dataclasses.replace(dataset, info=info), header, "other.h5")
    generate("gg_to_aag_lhc13", 200, tmp_path / "lhc.h5", seed=3)
    with pytest.raises(
        PyampError, match="no sound point in the domain of the model, √ŝ from 1000 to 1000 GeV"
    ):
        calibrate(model, tmp_path / "lhc.h5", tmp_path)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--recalibrate", "scal"], "--recalibrate is 'scal'; did you mean 'scale'? Known: scale, isotonic"),
        (["--recalibrate", "scale", "--fraction", "1"], "fraction is 1; expected more than 0 and less than 1"),
        (["--recalibrate", "isotonic", "--fraction", "0.05"], "200 (effective) points found, at least 400 expected"),
        (["--recalibrate", "scale", "--fraction", "0.99"], "40 points to report on, at least 100 expected"),
        (["--device", "gpu"], "gpu"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_2(
    run_cli: RunCli, trained: tuple[Path, Path, Path], tmp_path: Path, options: list[str], text: str
) -> None:
    model, _, other = trained
    done = run_cli(model, other, "-o", tmp_path, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_missing_files(run_cli: RunCli, tmp_path: Path, model_path: Path) -> None:
    for arguments in ((tmp_path / "no.safetensors", "no.h5"), (model_path, tmp_path / "no.h5")):
        done = run_cli(*arguments)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1


def test_help_teaches(run_cli: RunCli) -> None:
    text = run_cli("--help").stdout
    for word in ("must not have been trained on", "test split", "another seed", "isotonic", "Example:"):
        assert word in text
