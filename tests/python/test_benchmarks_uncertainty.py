"""Do the studies of uncertainties run from their command lines and write finite, sensible numbers?"""

import importlib.util
import json
import math
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

KEYS = {
    "noise": {"posterior", "likelihood", "injected", "ratio", "ratio_err", "sigma_syst_0", "sigma_stat"},
    "pulls": {
        "recalibration",
        "pull_width",
        "pull_width_err",
        "pull_rms",
        "coverage68",
        "coverage95",
        "in_goal",
    },
    "sigma_scaling": {"n_train", "sigma_syst", "sigma_stat", "median_abs_delta", "stat_over_error"},
    "ensemble_size": {
        "members",
        "median_abs_delta",
        "mean_delta",
        "members_pull_width",
        "network_pull_width",
    },
    "boosting": {"sample", "median_abs_delta", "pull_width", "pull_rms", "coverage68", "rounds"},
    "smearing": {"noise", "m_low", "m_high", "ratio", "ratio_err", "stat_over_clean", "error_over_clean"},
}
ARGUMENTS = {"smearing": ["--only", "evidential", "deterministic, no energy"]}
ROWS = {"noise": 4 * 2, "pulls": 8 * 3, "sigma_scaling": 4 * 3, "ensemble_size": 4, "boosting": 5 * 2}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("studies")


def study(name, monkeypatch):
    """The module of a study."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name, directory, monkeypatch, capsys):
    """The record of a study and what it printed."""
    module = study(name, monkeypatch)
    threads = torch.get_num_threads()
    path = directory / f"{name}.json"
    arguments = ["--quick", "--scale", "75", "--directory", str(directory), "--json", str(path)]
    try:
        module._studies.main(
            name,
            module.__doc__,
            module.measure,
            module.COLUMNS,
            module.draw,
            arguments + ARGUMENTS.get(name, []),
        )
    finally:
        torch.set_num_threads(threads)
    assert path.with_suffix(".png").stat().st_size > 10_000
    return json.loads(path.read_text()), capsys.readouterr().out


@pytest.mark.parametrize("name", list(KEYS))
def test_a_study_writes_its_rows(name, directory, monkeypatch, capsys):
    record, printed = run(name, directory, monkeypatch, capsys)
    rows = record["rows"]
    assert record["name"] == name
    assert record["quick"]
    assert len(rows) == ROWS.get(name, len(rows)) > 0
    for row in rows:
        assert row.keys() >= KEYS[name] | {"name", "n_train"}
        for key, value in row.items():
            assert not isinstance(value, float) or math.isfinite(value), key
            if key.endswith(("coverage68", "coverage95")):
                assert 0.0 < value <= 1.0, key
            if key.endswith(("pull_width", "pull_rms")) and not key.startswith("stat_"):
                assert 0.05 < value < 10.0, key
            if key in ("sigma_syst", "median_abs_delta"):
                assert 0.0 < value < 2.0, key
    assert rows[0]["name"].split(",")[0][:8] in printed

    again, printed = run(name, directory, monkeypatch, capsys)
    assert again["rows"] == rows, "finished rows are kept"


def test_recalibrated_pulls_are_close_to_normal(directory, monkeypatch, capsys):
    record, _ = run("pulls", directory, monkeypatch, capsys)
    for row in record["rows"]:
        if row["recalibration"] == "scale":
            assert abs(row["pull_width"] - 1.0) < 0.25


def test_noise_beyond_the_own_error_is_found(directory, monkeypatch, capsys):
    module = study("noise", monkeypatch)
    module.QUICK_LEVELS = [0.2]
    monkeypatch.setattr(module, "CONFIGURATIONS", {"deterministic": module.CONFIGURATIONS["deterministic"]})
    path = directory / "large_noise.json"
    arguments = ["--quick", "--scale", "30", "--json", str(path)]
    threads = torch.get_num_threads()
    module._studies.main("noise", None, module.measure, module.COLUMNS, module.draw, arguments)
    torch.set_num_threads(threads)
    (row,) = json.loads(path.read_text())["rows"]
    assert row["ratio"] == pytest.approx(1.0, abs=0.15)
