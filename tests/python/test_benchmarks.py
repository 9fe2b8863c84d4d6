"""Do the studies run from their command lines, write what they promise, and go on where they stopped?"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCALE = "150"
SAMPLES = {"flat", "amplitude"}

ACCURACY_KEYS = {
    "name",
    "process",
    "n_train",
    "representation",
    "network",
    "likelihood",
    "posterior",
    "sample",
    "n_test",
    "n_eff",
    "median_abs_delta",
    "rms_delta",
    "q99_abs_delta",
    "top1pct_abs_delta",
    "top01pct_abs_delta",
    "pull_width",
    "coverage68",
    "coverage95",
    "n_parameters",
    "train_s",
    "train_cpu_s",
    "ns_per_point",
    "optimizer",
    "steps",
    "load",
}


def run(script, directory, *arguments):
    """The record of a study and what it printed."""
    result = directory / f"{script}.json"
    command = [sys.executable, str(BENCHMARKS / f"{script}.py"), "--quick", "--scale", SCALE]
    command += ["--directory", str(directory), "--json", str(result), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert result.with_suffix(".png").stat().st_size > 10_000
    return json.loads(result.read_text()), done.stdout


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("studies")


def check(record, names, keys, samples=SAMPLES):
    assert {"name", "date", "machine", "versions", "git", "seed", "quick", "rows"} <= record.keys()
    assert record["quick"] is True
    rows = [row for row in record["rows"] if row["sample"] in samples]
    assert {(row["name"], row["sample"]) for row in rows} == {(n, s) for n in names for s in samples}
    for row in rows:
        assert keys <= row.keys(), keys - row.keys()
        for key, value in row.items():
            assert not isinstance(value, float) or math.isfinite(value), (row["name"], key)
        assert 0 < row["median_abs_delta"] < 10
        assert 1 <= row["n_eff"] <= row["n_test"]


def test_accuracy_study_writes_rows_and_goes_on(directory):
    record, printed = run("accuracy", directory, "--only", "fast", "adam_dsi")
    check(record, ["fast", "adam_dsi"], ACCURACY_KEYS)
    history = [row for row in record["rows"] if row["sample"] == "validation"]
    assert {row["name"] for row in history} == {"fast", "adam_dsi"}
    for row in history:
        assert row["step"] > 0
        assert row["cpu_s"] > 0
        assert math.isfinite(row["median_abs_delta"])
    again, printed_again = run("accuracy", directory, "--only", "fast")
    assert again["rows"] == record["rows"]
    assert " fast\n" in printed
    assert " fast\n" not in printed_again


def test_accuracy_study_of_six_legs_writes_the_same_columns(directory):
    six_legs = [
        "--process",
        "gg_to_aagg",
        "--scale",
        "400",
    ]  # truth takes a thousand times longer than for five
    record, _ = run("accuracy", directory, *six_legs, "--only", "paper", "adam_dsi")
    rows = [row for row in record["rows"] if row["sample"] in SAMPLES]
    assert {(row["name"], row["sample"]) for row in rows} == {
        (name, sample) for name in ("paper", "adam_dsi") for sample in SAMPLES
    }
    for row in rows:
        assert row["process"] == "gg_to_aagg_1tev"
        assert row.keys() >= ACCURACY_KEYS
        assert ("x_max" in row) == (row["sample"] == "amplitude")


def test_architectures_study_writes_rows(directory):
    record, _ = run("architectures", directory, "--only", "sine_2", "group_kan_2")
    check(record, ["sine_2", "group_kan_2"], ACCURACY_KEYS | {"kind", "depth"})


def test_refine_study_counts_the_truth(directory):
    record, printed = run("refine", directory, "--only", "1tev/flat/1", "1tev/refine/1")
    rows = {(row["method"], row["n_truth"]): row for row in record["rows"]}
    # Every size is at least 400 in so small a study; two rounds follow the start, which is the row of the flat points.
    assert list(rows) == [("flat", 400), ("flat", 427), ("refine", 800), ("refine", 1200)]
    for row in rows.values():
        assert 0 < row["mean_p"] <= 1
        assert 0 < row["epsilon_2nd"] <= 1
        assert 1 <= row["n_eff"] <= 400
    assert "gg_to_aag_1tev, mean_p ≤ 0.01: flat" in printed


def test_interpolation_study_writes_rows(directory):
    names = ["rbf_gaussian_1000", "polynomial_3_1000", "fast_1000"]
    record, _ = run("interpolation", directory, "--only", *names)
    check(record, names, {"method", "n_train", "q99_abs_delta", "build_cpu_s", "ns_per_point", "n_bytes"})


def test_throughput_gives_times_limits_and_goals(directory):
    result = directory / "throughput.json"
    command = [
        sys.executable,
        str(BENCHMARKS / "throughput.py"),
        "--quick",
        "--net",
        "A",
        "--json",
        str(result),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    rows = json.loads(result.read_text())["rows"]
    times = [row for row in rows if "ns_per_point" in row]
    measured = {row["backend"] for row in times}
    assert {"pyamp fused", "pyamp LibTorch", "pyamp fused, evaluator", "Torch eager, Python"} <= measured
    # What could not be measured is named.
    left_out = {row["backend"] for row in rows if "note" in row}
    assert {"ONNX Runtime", "Eigen", "TorchScript", "AOTInductor"} <= measured | left_out
    for row in times:
        assert row["ns_per_point_min"] <= row["ns_per_point"]
        assert row["ratio_to_best"] >= 1
    assert {row["limit"] for row in rows if "limit" in row} == {"multiply-adds", "reading", "copying"}
    assert any("goal" in row for row in rows)


def test_unknown_configurations_are_refused_with_those_that_exist(directory):
    command = [sys.executable, str(BENCHMARKS / "architectures.py"), "--only", "gelu"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "--only gelu: known are gelu_2" in done.stderr
