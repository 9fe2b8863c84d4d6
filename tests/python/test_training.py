"""Training: it learns, resumes exactly, is reproducible, and refuses what it cannot do."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.progress import Progress

import pyamp
from pyamp.cli import main
from pyamp.configuration import load_yaml
from pyamp.datasets import Dataset, generate
from pyamp.likelihoods import HeteroskedasticGaussian
from pyamp.networks import MLP
from pyamp.posteriors import DeepEnsemble
from pyamp.targets import Log
from pyamp.training import RunFiles, Sample, StageConfig, Trainer, TrainingConfig, train
from pyamp.training.batches import Batches
from pyamp.training.logs import Logs
from tests.support import random_surrogate

QUICK = {
    "network": {"hidden": [32, 32]},
    "steps": 600,
    "batch_size": 256,
    "learning_rate": 0.01,
    "validation_interval": 100,
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return generate("gg_to_aag_1tev", 6000, tmp_path_factory.mktemp("data") / "points.h5", seed=3)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> Path:
    directory = tmp_path_factory.mktemp("training") / "run"
    train(dataset, directory, TrainingConfig(**QUICK))
    return directory


def test_loss_is_the_gaussian_of_torch() -> None:
    generator = torch.Generator().manual_seed(1)
    outputs = torch.randn((50, 2), generator=generator, dtype=torch.float64)
    target = torch.randn(50, generator=generator, dtype=torch.float64)
    outputs[:, 1] -= 3.0
    normal = torch.distributions.Normal(outputs[:, 0], outputs[:, 1].exp())
    expected = -normal.log_prob(target) - 0.5 * math.log(2 * math.pi)
    torch.testing.assert_close(HeteroskedasticGaussian().loss(outputs, target), expected)


def amplitude_moments(
    outputs: torch.Tensor, offset: torch.Tensor, scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Of a Gaussian for ln A = offset + scale t."""
    target = Log()
    target.std.fill_(scale)
    components = HeteroskedasticGaussian().components(outputs)
    return target.moments(components.mean[:, 0], components.variance[:, 0], offset)


def test_amplitude_moments_are_those_of_a_log_normal() -> None:
    """Against torch.distributions; the transformation is ln A = offset + scale (mean ± σ)."""
    outputs = torch.tensor([[0.3, math.log(0.2)], [-1.0, math.log(1e-3)]], dtype=torch.float64)
    offset, scale = torch.tensor([2.0, -5.0], dtype=torch.float64), 1.7
    expected = torch.distributions.LogNormal(offset + scale * outputs[:, 0], scale * outputs[:, 1].exp())
    amplitude, sigma = amplitude_moments(outputs, offset, scale)
    torch.testing.assert_close(amplitude, expected.mean)
    torch.testing.assert_close(sigma, expected.stddev, rtol=1e-9, atol=0)


def test_width_is_at_most_the_spread_of_the_targets() -> None:
    likelihood = HeteroskedasticGaussian()
    wide = torch.tensor([[0.3, 40.0]], dtype=torch.float64)
    one = torch.tensor([[0.3, 0.0]], dtype=torch.float64)
    assert torch.equal(likelihood.loss(wide, torch.ones(1)), likelihood.loss(one, torch.ones(1)))
    offset = torch.zeros(1, dtype=torch.float64)
    assert amplitude_moments(wide, offset, 0.9) == amplitude_moments(one, offset, 0.9)


def test_batches_are_permutations_and_depend_on_seed_and_step_only() -> None:
    one, two = Batches(100, 10, seed=1), Batches(100, 10, seed=1)
    epoch = torch.cat([one.indices(step) for step in range(10)])
    assert sorted(epoch.tolist()) == list(range(100))
    assert torch.equal(two.indices(17), one.indices(17))
    for other in (2, 1 + 2**8, 1 + 2**32):
        assert not torch.equal(Batches(100, 10, seed=other).indices(17), one.indices(17))


def test_it_learns_and_writes_a_usable_model(trained: Path, dataset: Dataset) -> None:
    metrics = json.loads((trained / "metrics.json").read_text())
    # The spread of ln(A/factor) is about 1; what a network of this size learns in seconds is a few per cent.
    assert metrics["flat"]["median_abs_delta"] < 0.08
    assert 0.5 < metrics["flat"]["pull_width"] < 2.0
    assert metrics["x_max"] > 1.0
    evaluator = pyamp.Evaluator(trained / "model.safetensors")
    test = dataset.split(4500, 300, 1200)[2]
    delta = np.abs(evaluator(test.momenta).amplitude / test.me2 - 1)
    assert np.median(delta) == pytest.approx(metrics["flat"]["median_abs_delta"], rel=1e-3)
    assert (trained / "pulls.png").stat().st_size > 10_000
    with (trained / "log.csv").open() as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == [100, 200, 300, 400, 500, 600]
    assert list((trained / "tensorboard").iterdir())


def test_same_seed_same_weights(trained: Path, dataset: Dataset, tmp_path: Path) -> None:
    again = train(dataset, tmp_path / "again", TrainingConfig(**QUICK))
    first = pyamp.Evaluator(trained / "model.safetensors").header
    second = pyamp.Evaluator(again.model_path).header
    assert first["tensors_sha256"] == second["tensors_sha256"]
    other = train(dataset, tmp_path / "other", TrainingConfig(**QUICK, seed=2))
    assert pyamp.Evaluator(other.model_path).header["tensors_sha256"] != first["tensors_sha256"]


def test_ensemble_trains_as_its_members_would_alone(dataset: Dataset) -> None:
    """One step of the sum of losses moves each member as its own loss moves it."""
    generator = torch.Generator().manual_seed(4)
    features = torch.randn((64, 9), generator=generator, dtype=torch.float64)
    target = torch.randn(64, generator=generator, dtype=torch.float64)
    torch.manual_seed(5)
    networks = [MLP([9, 8, 2], "tanh").double() for _ in range(3)]
    ensemble = DeepEnsemble(networks)
    likelihood = HeteroskedasticGaussian()
    (3 * likelihood.loss(ensemble(features), target).mean()).backward()
    for member, network in enumerate(networks):
        likelihood.loss(network(features), target).mean().backward()
        for name, parameter in network.named_parameters():
            together = ensemble.tensors_by_reference()[name]
            gradient = ensemble.weights[name.replace(".", "/")].grad
            assert gradient is not None
            assert torch.equal(together[member], parameter)
            torch.testing.assert_close(gradient[member], parameter.grad, rtol=1e-10, atol=1e-14)


def test_ensemble_run_gives_a_statistical_uncertainty(dataset: Dataset, tmp_path: Path) -> None:
    config = TrainingConfig(**QUICK, posterior={"type": "ensemble", "members": 3})
    result = train(dataset, tmp_path / "run", config)
    evaluator = pyamp.Evaluator(result.model_path)
    assert evaluator.header["posterior"] == {"type": "ensemble", "members": 3}
    test = dataset.split(4500, 300, 1200)[2]
    prediction = evaluator(test.momenta)
    # Members of equal quality differ by about as much as each errs.
    ratio = np.median(prediction.sigma_stat / prediction.amplitude) / np.median(
        np.abs(prediction.amplitude / test.me2 - 1)
    )
    assert 0.2 < ratio < 5


@pytest.mark.parametrize(
    "posterior", [{"type": "ensemble", "members": 1}, {"members": 4}, {"type": "ensemble", "members": 0}]
)
def test_inconsistent_posterior_is_refused(posterior: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="members"):
        TrainingConfig(posterior=posterior)


class InterruptedRunError(Exception):
    pass


def test_resumed_run_equals_the_uninterrupted_one(
    trained: Path, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TrainingConfig(**QUICK, checkpoint_seconds=1e-9)
    validate = Trainer._validate

    def killed_at_350(self: Trainer, loss: float, logs: Logs) -> None:
        if self._step > 350:
            raise InterruptedRunError
        validate(self, loss, logs)

    monkeypatch.setattr(Trainer, "_validate", killed_at_350)
    with pytest.raises(InterruptedRunError):
        train(dataset, tmp_path / "run", config)
    assert not (tmp_path / "run" / "model.safetensors").exists()
    monkeypatch.undo()
    with pytest.raises(pyamp.PyampError, match=r"holds an interrupted run; continue it with --resume"):
        train(dataset, tmp_path / "run", config)
    resumed = train(dataset, tmp_path / "run", config, resume=True)
    expected = pyamp.Evaluator(trained / "model.safetensors").header["tensors_sha256"]
    assert pyamp.Evaluator(resumed.model_path).header["tensors_sha256"] == expected
    assert (tmp_path / "run" / "log.csv").read_text() == (trained / "log.csv").read_text()


def test_checkpoint_of_something_else_is_refused(trained: Path, dataset: Dataset, tmp_path: Path) -> None:
    directory = tmp_path / "run"
    directory.mkdir()
    for name in ("checkpoint.pt", "config.yaml"):
        (directory / name).write_bytes((trained / name).read_bytes())
    with pytest.raises(pyamp.PyampError, match="written with another configuration"):
        train(dataset, directory, TrainingConfig(**{**QUICK, "steps": 700}), resume=True)
    assert (directory / "config.yaml").read_bytes() == (trained / "config.yaml").read_bytes()
    with pytest.raises(pyamp.PyampError, match="written with another dataset"):
        train(dataset.select(slice(0, 5000)), directory, TrainingConfig(**QUICK), resume=True)
    (directory / "checkpoint.pt").write_bytes(b"nonsense")
    with pytest.raises(pyamp.PyampError, match="not a readable checkpoint"):
        train(dataset, directory, TrainingConfig(**QUICK), resume=True)


def test_finished_run_is_not_overwritten(trained: Path, dataset: Dataset) -> None:
    with pytest.raises(pyamp.PyampError, match="holds a finished run"):
        train(dataset, trained, TrainingConfig(**QUICK))


def test_patience_stops_early(tmp_path: Path, momenta: np.ndarray) -> None:
    """A learning rate of nearly nothing cannot improve the validation loss for long."""
    surrogate = random_surrogate(momenta)
    amplitude = torch.from_numpy(pyamp.truth().stripped(momenta))
    sample = Sample(*surrogate.preprocess(torch.from_numpy(momenta), amplitude))
    config = StageConfig(steps=5000, learning_rate=1e-30, validation_interval=10, patience=3, warmup_steps=0)
    files = RunFiles(tmp_path, "checkpoint.pt", {})
    trainer = Trainer(surrogate.posterior, surrogate.likelihood, config, sample, sample, files)
    with Progress(disable=True) as progress:
        trainer.run(progress)
    with (tmp_path / "log.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 4


def test_diverging_training_is_reported(tmp_path: Path, dataset: Dataset) -> None:
    config = TrainingConfig(**{**QUICK, "learning_rate": 1e30})
    with pytest.raises(pyamp.PyampError, match=r"the validation loss is .* lower learning_rate"):
        train(dataset, tmp_path / "run", config)


def test_too_few_points(tmp_path: Path, dataset: Dataset) -> None:
    with pytest.raises(pyamp.PyampError, match="50 points found, at least 100 expected"):
        train(dataset.select(slice(0, 50)), tmp_path / "run")
    with pytest.raises(
        pyamp.PyampError, match="10 test and 5 validation points of 100, at least 16 and 1 expected"
    ):
        train(dataset.select(slice(0, 100)), tmp_path / "run", TrainingConfig(test_fraction=0.1))
    assert not (tmp_path / "run").exists()


def run_cli(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pyamp.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_command_line_trains(tmp_path: Path) -> None:
    data, config = tmp_path / "points.h5", tmp_path / "quick.yaml"
    done = run_cli("generate", "gg_to_aag_1tev", "--points", 1000, "--output", data)
    assert done.returncode == 0, done.stderr
    config.write_text("network: {hidden: [16]}\nsteps: 50\n")
    done = run_cli("train", data, "--output", tmp_path / "run", "--config", config)
    assert done.returncode == 0, done.stderr
    assert "pull width" in done.stdout
    assert pyamp.Evaluator(tmp_path / "run" / "model.safetensors").header["training"]["config"]["steps"] == 50


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("stepps: 50\n", "unknown key 'stepps'; did you mean 'steps'?"),
        ("steps: many\n", "key 'steps' is 'many'"),
        ("network: {activation: gelo}\n", "did you mean 'gelu'?"),
        ("steps: [\n", "not valid YAML"),
    ],
)
def test_bad_configuration_gives_one_line_and_code_2(
    tmp_path: Path,
    text: str,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = tmp_path / "bad.yaml"
    config.write_text(text)
    command = ["pyamp", "train", "none.h5", "--output", str(tmp_path / "run"), "--config", str(config)]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    stderr = capsys.readouterr().err
    assert stderr.count("\n") == 1
    assert str(config) in stderr
    assert complaint in stderr
    assert not (tmp_path / "run").exists()


def test_printed_defaults_are_a_configuration_and_name_every_choice(tmp_path: Path) -> None:
    done = run_cli("train", "--defaults")
    assert done.returncode == 0, done.stderr
    path = tmp_path / "defaults.yaml"
    path.write_text(done.stdout)
    assert load_yaml(path, TrainingConfig) == TrainingConfig()
    for choice in ("ensemble", "kan", "gaussian_mixture", "four_vectors", "log1p"):
        assert choice in done.stdout
