"""Sweeps: every combination is trained once, failures stay where they are, and a second call repeats nothing."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import pyamp
from pyamp.datasets import generate
from pyamp.training import SweepConfig, TrainingConfig, available_recipes, load_config, sweep

BASE = {"steps": 30, "batch_size": 64, "network": {"hidden": [8]}, "validation_interval": 10}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "points.h5"
    generate("gg_to_aag_1tev", 600, path, seed=3)
    return path


def test_grid_is_every_combination_and_leaves_the_base_alone() -> None:
    config = SweepConfig(base=BASE, grid={"network.activation": ["gelu", "tanh"], "seed": [1, 2]})
    found = config.configurations("x.yaml")
    assert list(found) == [
        "activation_gelu-seed_1",
        "activation_gelu-seed_2",
        "activation_tanh-seed_1",
        "activation_tanh-seed_2",
    ]
    for name, one in found.items():
        assert one.network.hidden == [8]
        assert one.network.activation in name
        assert f"seed_{one.seed}" in name


def test_bad_configuration_names_file_and_run() -> None:
    with pytest.raises(
        pyamp.PyampError, match=r"x\.yaml: run two: unknown key 'stepps'; did you mean 'steps'"
    ):
        SweepConfig(runs={"two": {"stepps": 3}}).configurations("x.yaml")
    with pytest.raises(pyamp.PyampError, match="neither grid nor runs found"):
        SweepConfig(base=BASE).configurations("x.yaml")


def test_sweep_trains_in_parallel_and_continues(dataset: Path, tmp_path: Path) -> None:
    config = SweepConfig(
        base=BASE,
        runs={"good": {}, "small": {"network.hidden": [4]}, "bad": {"learning_rate": 1e30, "steps": 200}},
    )
    rows = sweep(dataset, tmp_path / "out", config, workers=2)
    assert {row["run"] for row in rows[:2]} == {"good", "small"}
    assert rows[2]["run"] == "bad"
    assert "validation loss" in rows[2]["error"]
    alone = pyamp.training.train(
        pyamp.datasets.Dataset.open(dataset), tmp_path / "alone", TrainingConfig(**BASE)
    )
    header = pyamp.Evaluator(tmp_path / "out" / "good" / "model.safetensors").header
    assert header["tensors_sha256"] == pyamp.Evaluator(alone.model_path).header["tensors_sha256"]
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*/model.safetensors")}
    again = sweep(dataset, tmp_path / "out", config)
    assert [row["run"] for row in again] == [row["run"] for row in rows]
    assert {
        path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*/model.safetensors")
    } == stamps
    with (tmp_path / "out" / "sweep.csv").open() as file:
        assert [row["run"] for row in csv.DictReader(file)] == [row["run"] for row in rows]
    other = SweepConfig(base={**BASE, "steps": 40}, runs={"good": {}})
    assert "holds another run" in sweep(dataset, tmp_path / "out", other)[0]["error"]


def test_no_scheduler_is_one_line(dataset: Path, tmp_path: Path) -> None:
    config = SweepConfig(base=BASE, runs={"one": {}})
    with pytest.raises(pyamp.PyampError, match="no Dask scheduler answers"):
        sweep(dataset, tmp_path, config, scheduler="tcp://127.0.0.1:1")


@pytest.mark.parametrize("name", available_recipes())
def test_recipes_are_configurations(name: str) -> None:
    assert load_config(name) != TrainingConfig()


def test_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(pyamp.PyampError, match="known recipes: accurate, fast"):
        load_config("acurate")
