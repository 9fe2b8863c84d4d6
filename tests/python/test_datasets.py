"""Are datasets what was asked for, the same however they came about, and refused when they are not whole?"""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np
import pytest

import pyamp
import pyamp.datasets.storage
from pyamp.datasets import Dataset, generate
from pyamp.errors import PyampError
from pyamp.phase_space import PhaseSpace

N_POINTS = 2500


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    path = tmp_path_factory.mktemp("datasets") / "reference.h5"
    generate("gg_to_aag_lhc13", N_POINTS, path, seed=3)
    return path


def content(path: Path) -> dict:
    """Everything in the file but the timings, byte for byte."""
    found = {}

    def visit(name, item):
        if not name.startswith("timing"):
            found[name] = (dict(item.attrs), item.dtype.str, item.shape, item[...].tobytes())

    with h5py.File(path) as file:
        found["/"] = dict(file.attrs)
        file.visititems(visit)
    return found


def test_points_are_the_truth_on_the_phase_space(reference):
    dataset = Dataset.open(reference)
    sample = PhaseSpace("gg_to_aag_lhc13").sample(N_POINTS, seed=3)
    np.testing.assert_array_equal(dataset.momenta, sample.momenta)
    np.testing.assert_array_equal(dataset.phase_space_weight, sample.weights)
    np.testing.assert_array_equal(dataset.trial, sample.trials)
    assert dataset.info.n_trials == sample.n_trials
    truth = pyamp.truth("gg_to_aag")
    np.testing.assert_array_equal(dataset.amplitude, truth.stripped(sample.momenta))
    np.testing.assert_allclose(dataset.me2, truth.me2(sample.momenta), rtol=1e-14)
    assert 0 < np.median(dataset.accuracy) < 1e-10
    assert len(dataset.failed_trial) == 0


def test_file_says_how_it_was_made(reference):
    with h5py.File(reference) as file:
        attributes = dict(file.attrs)
        units = {name: file[name].attrs["units"] for name in file if name != "timing"}
        timing = dict(file["timing"].attrs)
    assert attributes["format"] == "pyamp dataset"
    assert attributes["pyamp_version"] == version("pyamp")
    assert attributes["provider"] == pyamp.truth("gg_to_aag").version
    assert (attributes["alpha_s"], attributes["alpha_s_power"]) == (0.118, 3)
    assert (attributes["alpha"], attributes["alpha_power"]) == (1 / 137.035999084, 2)
    assert attributes["seed"] == 3
    assert json.loads(attributes["domain"])["sqrt_s_hat"] == [90, 13000]
    assert json.loads(attributes["cuts"])["pt_min"] == {"22": [40, 30], "21": 20}
    assert json.loads(attributes["process"])["pdg_ids"] == [21, 21, 22, 22, 21]
    assert units == {
        "momenta": "GeV",
        "amplitude": "GeV^-2",
        "accuracy": "1",
        "phase_space_weight": "pb GeV^2",
        "trial": "1",
        "failed_trial": "1",
    }
    assert timing["t_me_ms"] > 0
    assert timing["t_ps_ms"] > 0


@pytest.mark.parametrize(("workers", "points_per_shard"), [(1, 100), (2, 300), (4, 10_000)])
def test_same_content_for_any_workers_and_shards(reference, tmp_path, workers, points_per_shard):
    path = tmp_path / "other.h5"
    generate("gg_to_aag_lhc13", N_POINTS, path, seed=3, workers=workers, points_per_shard=points_per_shard)
    assert content(path) == content(reference)
    assert Dataset.open(path).sha256() == Dataset.open(reference).sha256()
    assert os.listdir(tmp_path) == ["other.h5"]


def test_other_seed_other_content(reference, tmp_path):
    assert (
        generate("gg_to_aag_lhc13", 100, tmp_path / "a.h5", seed=4).sha256()
        != Dataset.open(reference).sha256()
    )


class Killed(BaseException):
    """Stands for SIGKILL: nothing in pyamp catches it."""


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_every_step_it_resumes_to_the_same_content(
    reference, tmp_path, monkeypatch, function, workers
):
    """Every file comes into place by os.fsync and os.replace: die in each of their calls, then resume."""
    real = getattr(os, function)
    arguments = {"seed": 3, "workers": workers, "points_per_shard": 900}

    def deadly(*args):
        nonlocal calls_left
        calls_left -= 1
        if calls_left < 0:
            raise Killed
        return real(*args)

    deaths = 0
    for step in range(100):
        path = tmp_path / f"{step}.h5"
        calls_left = step
        try:
            with monkeypatch.context() as patch:
                patch.setattr(os, function, deadly)
                generate("gg_to_aag_lhc13", N_POINTS, path, **arguments)
            break
        except Killed:
            deaths += 1
        assert not path.exists() or content(path) == content(reference)
        generate("gg_to_aag_lhc13", N_POINTS, path, **arguments)
        assert content(path) == content(reference)
    # A manifest, three shards and their entries, the dataset.
    assert deaths >= (8 if function == "replace" else 16)
    assert not list(tmp_path.glob("*.parts"))


def test_sigkill_and_resume(tmp_path):
    path = tmp_path / "killed.h5"
    script = (
        "import sys; from pyamp.datasets import generate; "
        "generate('gg_to_aag_lhc13', 40000, sys.argv[1], seed=5, workers=2, points_per_shard=200)"
    )
    manifest = tmp_path / "killed.h5.parts" / "manifest.json"
    kills = 0
    for goal in (10, 40, 80):
        process = subprocess.Popen([sys.executable, "-c", script, str(path)])
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if manifest.exists() and len(json.loads(manifest.read_text())["shards"]) >= goal:
                process.send_signal(signal.SIGKILL)
                kills += process.wait() == -signal.SIGKILL
                break
            time.sleep(0.005)
    assert kills == 3
    before = len(json.loads(manifest.read_text())["shards"])
    assert before >= 80
    generate("gg_to_aag_lhc13", 40000, path, seed=5, points_per_shard=200)
    generate("gg_to_aag_lhc13", 40000, tmp_path / "whole.h5", seed=5)
    assert content(path) == content(tmp_path / "whole.h5")


def test_damaged_shard_is_made_again(reference, tmp_path, monkeypatch):
    path = tmp_path / "damaged.h5"
    interrupt_after_shards(monkeypatch, path, 3)
    shard = tmp_path / "damaged.h5.parts" / "shard-000001.h5"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    generate("gg_to_aag_lhc13", N_POINTS, path, seed=3, points_per_shard=500)
    assert content(path) == content(reference)


def interrupt_after_shards(monkeypatch, path, n_shards):
    add = pyamp.datasets.parts.Parts.add

    def interrupted(self, index, n_points):
        add(self, index, n_points)
        if index == n_shards - 1:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(pyamp.datasets.parts.Parts, "add", interrupted)
        with pytest.raises(Killed):
            generate("gg_to_aag_lhc13", N_POINTS, path, seed=3, points_per_shard=500)


def test_shards_of_another_run_are_not_mixed_in(tmp_path, monkeypatch):
    path = tmp_path / "mixed.h5"
    interrupt_after_shards(monkeypatch, path, 2)
    with pytest.raises(PyampError, match=r"no such file.*interrupted.*resume it"):
        Dataset.open(path)
    with pytest.raises(PyampError, match=r"holds shards of another run .seed is 3, 4 wanted.; remove it"):
        generate("gg_to_aag_lhc13", N_POINTS, path, seed=4)
    (tmp_path / "mixed.h5.parts" / "manifest.json").write_text("{")
    with pytest.raises(PyampError, match="not a manifest; remove"):
        generate("gg_to_aag_lhc13", N_POINTS, path, seed=3)


def test_existing_file_is_read_or_refused(reference):
    changed = reference.stat().st_mtime_ns
    assert len(generate("gg_to_aag_lhc13", N_POINTS, reference, seed=3)) == N_POINTS
    assert reference.stat().st_mtime_ns == changed
    with pytest.raises(PyampError, match=r"exists and is something else .n_points is 2500, 10 wanted."):
        generate("gg_to_aag_lhc13", 10, reference, seed=3)


def test_two_runs_do_not_write_the_same_file(tmp_path):
    from pyamp.datasets.parts import locked

    with (
        locked(tmp_path / "busy.h5.parts"),
        pytest.raises(PyampError, match="another run is writing it"),
    ):
        generate("gg_to_aag_lhc13", 10, tmp_path / "busy.h5")


class FailingTruth(pyamp.Truth):
    """NaN for one point in ten, an infinity and a negative number for some others."""

    def me2(self, momenta, **options):
        result = super().me2(momenta, **options)
        value = result[0] if isinstance(result, tuple) else result
        kind = (np.abs(momenta[:, 2, 1]) * 1e6).astype(np.int64) % 30
        value[kind < 3] = np.nan
        value[kind == 3] = np.inf
        value[kind == 4] *= -1
        return result


@pytest.mark.parametrize("workers", [1, 2])
def test_failed_points_are_left_out_and_listed(tmp_path, monkeypatch, workers, capsys):
    monkeypatch.setattr(sys.modules["pyamp.datasets.generate"], "truth", FailingTruth)
    dataset = generate(
        "gg_to_aag_1tev", 1000, tmp_path / "failing.h5", seed=1, workers=workers, points_per_shard=150
    )
    assert len(dataset) == 1000
    assert np.isfinite(dataset.amplitude).all()
    assert (dataset.amplitude > 0).all()
    sample = PhaseSpace("gg_to_aag_1tev").trials(dataset.info.n_trials, seed=1)
    failed = (np.abs(sample.momenta[:, 2, 1]) * 1e6).astype(np.int64) % 30 < 5
    assert 100 < failed.sum() < 300
    np.testing.assert_array_equal(dataset.failed_trial, sample.trials[failed])
    np.testing.assert_array_equal(dataset.trial, sample.trials[~failed])


def test_split_is_disjoint_and_complete(reference):
    dataset = Dataset.open(reference)
    parts = dataset.split(0.5, 0.3, 0.2)
    assert [len(part) for part in parts] == [1250, 750, 500]
    np.testing.assert_array_equal(np.concatenate([part.trial for part in parts]), dataset.trial)
    shuffled = dataset.split(2000, 500, seed=1)
    assert set(np.concatenate([part.trial for part in shuffled])) == set(dataset.trial)
    assert not np.array_equal(shuffled[0].trial, dataset.trial[:2000])
    thirds = dataset.select(slice(0, 10)).split(0.35, 0.35, 0.3)
    assert sum(len(part) for part in thirds) == 10
    assert parts[0].sha256() != dataset.sha256()
    with pytest.raises(PyampError, match=r"split: parts of .2000, 501. points asked of 2500"):
        dataset.split(2000, 501)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"n_points": 0}, "n_points is 0; expected at least 1"),
        ({"workers": 0}, "workers is 0; expected at least 1"),
        ({"seed": -1}, "seed is -1; expected an integer from 0"),
        ({"alpha_s": -1.0}, "alpha_s = -1.0"),
        ({"process": "gg_to_aagg"}, "unknown process 'gg_to_aagg'"),
        ({"path": "/nowhere/x.h5"}, "/nowhere does not exist; create it"),
    ],
)
def test_wrong_arguments_say_so(tmp_path, arguments, text):
    with pytest.raises(PyampError) as error:
        generate(**{"process": "gg_to_aag_1tev", "n_points": 10, "path": tmp_path / "x.h5"} | arguments)
    assert text in str(error.value)
    assert os.listdir(tmp_path) == []


def damage(reference, path, change):
    path.write_bytes(reference.read_bytes())
    with h5py.File(path, "r+") as file:
        change(file)


def drop_column(file):
    del file["accuracy"]


def drop_attribute(file):
    del file.attrs["seed"]


def drop_version(file):
    del file.attrs["format_version"]


def newer(file):
    file.attrs["format_version"] = 9


def other_format(file):
    file.attrs["format"] = "events"


def nan_amplitude(file):
    file["amplitude"][7] = np.nan


def shorter_column(file):
    short = file["trial"][:-1]
    del file["trial"]
    file["trial"] = short


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (drop_column, "columns accuracy are missing"),
        (drop_attribute, "attributes seed are missing"),
        (drop_version, "format version None, this pyamp reads up to 3"),
        (newer, "format version 9, this pyamp reads up to 3; update pyamp"),
        (other_format, "format is 'events'; expected 'pyamp dataset'"),
        (nan_amplitude, "NaN momenta or amplitudes that are not positive"),
        (shorter_column, "column trial has shape (2499,); expected (2500,)"),
    ],
)
def test_incomplete_files_are_refused(reference, tmp_path, change, text):
    path = tmp_path / "bad.h5"
    damage(reference, path, change)
    with pytest.raises(PyampError) as error:
        Dataset.open(path)
    assert str(error.value).startswith(f"{path}: ")
    assert text in str(error.value)
    assert "\n" not in str(error.value)


def test_files_that_are_no_datasets_are_refused(reference, tmp_path):
    with pytest.raises(PyampError, match="no such file; make it with `pyamp generate`"):
        Dataset.open(tmp_path / "none.h5")
    text = tmp_path / "text.h5"
    text.write_text("hello")
    with pytest.raises(PyampError, match="not a readable HDF5 file"):
        Dataset.open(text)
    truncated = tmp_path / "truncated.h5"
    truncated.write_bytes(reference.read_bytes()[:5000])
    with pytest.raises(PyampError, match="not a readable HDF5 file"):
        Dataset.open(truncated)
