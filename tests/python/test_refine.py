"""Refinement: it goes on after a kill with the same result, stops where it should, and refuses what is wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import pyamp
from pyamp.calibration.held_out import held_out_points
from pyamp.cli import main
from pyamp.datasets import Dataset, generate
from pyamp.refinement import EventAccuracy, RefineSettings, Targets, event_accuracy, refine
from pyamp.refinement.checks import fresh_seed
from pyamp.training import TrainingConfig, train
from pyamp.unweighting import Times

QUICK = {
    "network": {"hidden": [24, 24]},
    "steps": 200,
    "batch_size": 256,
    "learning_rate": 0.01,
    "validation_interval": 20,
    "checkpoint_seconds": 0.05,
}


@pytest.fixture(scope="module")
def begin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Points, test points and a surrogate to begin with."""
    directory = tmp_path_factory.mktemp("begin")
    generate("gg_to_aag_1tev", 1500, directory / "data.h5", seed=3, points_per_shard=1500)
    generate("gg_to_aag_1tev", 400, directory / "test.h5", seed=8, importance=0.5, points_per_shard=400)
    train(Dataset.open(directory / "data.h5"), directory / "run", TrainingConfig(**QUICK))
    return directory


def arguments(begin: Path, output: Path, **changes: object) -> list[str]:
    options = {
        "data": begin / "data.h5",
        "test": begin / "test.h5",
        "output": output,
        "points": 250,
        "candidates": 20_000,
        "rounds": 2,
        **changes,
    }
    given = [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value is not None]
    return ["pyamp", "refine", str(begin / "run"), *given]


def run(argv: list[str]) -> int:
    """The command line in this process, which has imported everything already."""
    before, sys.argv = sys.argv, argv
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = before
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def finished(begin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("finished") / "refined"
    assert run(arguments(begin, output)) == 0
    return output


def history(output: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((output / "history.json").read_text())
    return content


def test_rounds_train_on_what_they_chose(begin: Path, finished: Path) -> None:
    record = history(finished)
    rows = record["rounds"]
    assert record["stopped"] == "rounds"
    assert [(row["number"], row["n_truth"], row["n_train"]) for row in rows] == [
        (0, 0, 0),
        (1, 250, 1750),
        (2, 500, 2000),
    ]
    assert (finished / "history.png").stat().st_size > 10_000
    best = record["best"]
    assert best in (1, 2)  # chosen for events, the points help there
    assert rows[best]["mean_p"] < rows[0]["mean_p"]
    chosen = finished / f"round-{best:02d}" / "model.safetensors"
    assert (finished / "model.safetensors").read_bytes() == chosen.read_bytes()

    points = [Dataset.open(finished / f"round-{k:02d}" / "points.h5") for k in (1, 2)]
    start = Dataset.open(begin / "data.h5")
    test = Dataset.open(begin / "test.h5")
    whole = Dataset.open(finished / "data.h5")
    assert len(whole) == 1500 + 250 + 250 + 400
    assert whole.info.n_trials == sum(part.info.n_trials for part in (start, *points, test))
    everything = np.concatenate([part.momenta for part in (start, *points, test)])
    np.testing.assert_array_equal(np.sort(whole.momenta[:, 2, 1]), np.sort(everything[:, 2, 1]))
    assert set(points[0].trial).isdisjoint(points[1].trial)
    seed = points[0].info.seed
    assert fresh_seed(None, {"dataset": whole}) > seed  # to go on from it does not draw the same again
    with pytest.raises(pyamp.PyampError, match="that of the dataset"):
        fresh_seed(seed, {"dataset": whole})

    # Calibration knows which points the last model was not trained on: the test points.
    header = pyamp.Evaluator(finished / "round-02" / "model.safetensors").header
    held_out, _ = held_out_points(whole, header, "data.h5")
    np.testing.assert_array_equal(held_out.momenta, test.momenta)


def test_points_lie_where_events_and_doubts_are(begin: Path, finished: Path) -> None:
    """Half of the cross section in the candidates lies in few of them; of the points chosen, in more than half."""
    points = Dataset.open(finished / "round-01" / "points.h5")
    flat = Dataset.open(begin / "data.h5")
    weight = flat.amplitude
    order = np.argsort(-weight)
    threshold = weight[order][np.searchsorted(np.cumsum(weight[order]), 0.5 * weight.sum())]
    assert (weight > threshold).mean() < 0.1
    assert (points.amplitude > threshold).mean() > 0.2
    assert points.sampling_weight.max() <= 10 * points.info.n_trials / 250  # a tenth is chosen evenly


def test_killed_twice_it_ends_with_the_same(begin: Path, finished: Path, tmp_path: Path) -> None:
    output = tmp_path / "refined"
    argv = arguments(begin, output)
    for sign in ("round-01/log.csv", "round-02/points.h5*"):
        process = subprocess.Popen(
            [sys.executable, "-m", "pyamp.cli", *argv[1:]],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        deadline = time.monotonic() + 120
        while process.poll() is None and not list(output.glob(sign)) and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, f"it ended before {sign}"
    assert not (output / "model.safetensors").exists()
    assert run(argv) == 0
    for name in ("model.safetensors", "round-01/model.safetensors", "round-02/model.safetensors"):
        assert weights(output / name) == weights(finished / name), name
    assert Dataset.open(output / "data.h5").sha256() == Dataset.open(finished / "data.h5").sha256()
    assert [without_times(row) for row in history(output)["rounds"]] == [
        without_times(row) for row in history(finished)["rounds"]
    ]


def weights(model: Path) -> str:
    """Hash of what a model file evaluates; it also notes how long its training took."""
    return str(pyamp.Evaluator(model).header["tensors_sha256"])


def without_times(row: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in row.items() if key != "seconds" and not key.startswith("f_eff")}


def test_goes_on_with_other_targets(begin: Path, finished: Path, tmp_path: Path) -> None:
    output = tmp_path / "refined"
    shutil.copytree(finished, output)
    assert run(arguments(begin, output, target_sigma=1e3)) == 0
    assert history(output)["stopped"] == "targets"
    assert len(history(output)["rounds"]) == 1  # as good as that before the first round
    first = (begin / "run" / "model.safetensors").read_bytes()
    assert (output / "model.safetensors").read_bytes() == first


def test_budget_is_kept_to_the_last_evaluation(begin: Path, tmp_path: Path) -> None:
    settings = RefineSettings(
        points_per_round=150, candidates=20_000, test_points=120, test_candidates=40_000
    )
    targets = Targets(truth_budget=300, mean_p=1e-9)
    config = TrainingConfig(**{**QUICK, "steps": 40})
    result = refine(
        begin / "run", begin / "data.h5", tmp_path / "refined", targets, settings, config=config, workers=2
    )
    assert result.stopped == "truth_budget"
    assert [r.n_truth for r in result.rounds] == [120, 270, 300]
    test = Dataset.open(tmp_path / "refined" / "test.h5")
    assert len(test) == 120
    # As events are distributed: worth nearly as many, where flat points would be worth a few percent of them.
    assert result.rounds[0].measured.n_eff > 60
    flat = Dataset.open(begin / "data.h5")
    assert flat.amplitude.sum() ** 2 / (flat.amplitude**2).sum() < 0.1 * len(flat)


def test_targets_have_to_be_reached_together() -> None:
    values = dict.fromkeys(EventAccuracy.__dataclass_fields__, 0.5)
    measured = EventAccuracy(**{**values, "f_eff": None})
    assert not Targets().reached(measured)
    assert Targets(epsilon_2nd=0.5, mean_p=0.5, sigma=0.6).reached(measured)
    assert not Targets(epsilon_2nd=0.51, mean_p=0.5).reached(measured)
    assert not Targets(mean_p=0.49).reached(measured)
    assert not Targets(sigma=0.49).reached(measured)
    assert not Targets(f_eff=1.0).reached(measured)  # which nobody knows


def test_measured_as_events_are_distributed(begin: Path) -> None:
    """Points of two densities, which the weights make the same: medians within the error of that sample."""
    evaluator = pyamp.Evaluator(begin / "run" / "model.safetensors", policy="nan")
    unknown = Times(np.nan, np.nan, np.nan)
    found = event_accuracy(evaluator, Dataset.open(begin / "test.h5"), unknown)
    test = Dataset.open(begin / "test.h5")
    deviation = np.abs(evaluator(test.momenta).amplitude / test.me2 - 1)
    w = test.me2 * test.measure
    assert (w * (deviation < found.median_abs_delta)).sum() / w.sum() == pytest.approx(
        0.5, abs=w.max() / w.sum()
    )
    assert found.n_eff == pytest.approx(w.sum() ** 2 / (w**2).sum())
    s = evaluator(test.momenta).amplitude * test.measure
    accepted = np.minimum(1.0, test.me2 * test.measure / s / found.x_max)
    assert found.epsilon_2nd == pytest.approx(np.average(accepted, weights=s), abs=0.1)
    assert found.f_eff is None


def test_training_begins_with_the_weights_of_a_model(begin: Path, tmp_path: Path) -> None:
    data = Dataset.open(begin / "data.h5")
    start = begin / "run" / "model.safetensors"
    still = {**QUICK, "steps": 1, "learning_rate": 1e-30, "warmup_steps": 0}
    result = train(data, tmp_path / "same", TrainingConfig(**still), start=start)
    momenta = data.momenta[:50]
    one, other = (pyamp.Evaluator(path)(momenta) for path in (start, result.model_path))
    np.testing.assert_array_equal(one.amplitude, other.amplitude)
    with pytest.raises(pyamp.PyampError, match="start: the surrogate does not have the parts"):
        train(data, tmp_path / "other", TrainingConfig(**{**still, "network": {"hidden": [8]}}), start=start)


def other_legs(begin: Path, directory: Path) -> dict[str, object]:
    generate("gg_to_aagg_1tev", 2, directory / "six.h5", seed=1, points_per_shard=2)
    return {"data": directory / "six.h5"}


def another_refinement(begin: Path, directory: Path) -> dict[str, object]:
    assert run(arguments(begin, directory / "refined", target_sigma=1e3)) == 0
    return {"output": directory / "refined", "points": 100}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": "missing.h5"}, "missing.h5: no such file"),
        ({"points": 0}, "points_per_round is 0; expected 1 or more"),
        ({"sigma_power": 3.0}, "sigma_power is 3.0; expected a power from 0 to 2"),
        ({"flat_share": 0.0}, "flat_share is 0.0; expected a share above 0, at most 1"),
        ({"target_mean_p": -0.1}, "mean p is -0.1; expected a number above 0"),
        ({"test": None, "truth_budget": 2000}, "truth_budget is 2000, of which the test takes 2000"),
        ({"test": "DATA"}, "holds points of"),
        ({"seed": 3}, "seed is 3, that of the dataset"),
        ({"seed": 8}, "seed is 8, that of the test"),
        ({"config": "fsat"}, "configuration 'fsat': neither a file nor a recipe"),
        (other_legs, "but .* is gg_to_aag of"),
        (another_refinement, "holds another refinement \\(points_per_round is 250, 100 wanted\\)"),
    ],
)
def test_refusals_are_one_line(
    begin: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, object] | Callable[[Path, Path], dict[str, object]],
    message: str,
) -> None:
    given = changes(begin, tmp_path) if callable(changes) else changes
    given = {key: begin / "data.h5" if value == "DATA" else value for key, value in given.items()}
    capsys.readouterr()
    assert run(arguments(begin, **{"output": tmp_path / "out", **given})) == 2  # type: ignore[arg-type]
    error = capsys.readouterr().err.strip()
    assert "\n" not in error
    assert error.startswith("pyamp: ")
    assert re.search(message, error), error


def test_model_without_a_file_or_configuration(begin: Path, tmp_path: Path) -> None:
    with pytest.raises(pyamp.PyampError, match=r"has no model\.safetensors"):
        refine(tmp_path, begin / "data.h5", tmp_path / "out", Targets())
