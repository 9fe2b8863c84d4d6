"""Stages of training: what follows the first one, resumed anywhere, ends where the uninterrupted run ends."""

from __future__ import annotations

import itertools
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from rich.progress import Progress

import pyamp
from pyamp.datasets import Dataset, generate
from pyamp.likelihoods import HeteroskedasticGaussian, MeanSquaredError
from pyamp.networks import MLP
from pyamp.posteriors import Batch, BayesianConfig, Deterministic
from pyamp.training import (
    BoostingConfig,
    Points,
    RunFiles,
    Sample,
    StageConfig,
    Trainer,
    TrainingConfig,
    fit,
    make_surrogate,
    measure,
    train,
)
from pyamp.training.boosting import Boosting
from pyamp.training.last_layer import refit_last_layer
from pyamp.training.optimizers import Gradient
from pyamp.training.run import loss_weights, training_points
from pyamp.training.sample import predicted

STAGE = {"steps": 60, "batch_size": 128, "learning_rate": 3e-3, "validation_interval": 20, "warmup_steps": 0}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return generate("gg_to_aag_1tev", 1500, tmp_path_factory.mktemp("data") / "points.h5", seed=3)


class InterruptedRunError(Exception):
    pass


def interrupt_after(monkeypatch: pytest.MonkeyPatch, validations: int) -> None:
    counter = itertools.count(1)
    validate = Trainer._validate

    def counted(self: Trainer, *arguments: object) -> None:
        if next(counter) > validations:
            raise InterruptedRunError
        validate(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "_validate", counted)


CONFIG = TrainingConfig(
    **STAGE,
    network={"hidden": [16]},
    likelihood={"type": "mse"},
    checkpoint_seconds=1e-9,
    then=[{**STAGE, "optimizer": "natural_gradient", "dtype": "float64", "steps": 20}],
    boosting={"rounds": 2, "type": "alternating", "points": 20, "training": {**STAGE, "optimizer": "soap"}},
    sigma_network={"network": {"hidden": [8]}, "training": STAGE},
    refit_last_layer=True,
    recalibration="scale",
    validation_fraction=0.1,
    noise={"type": "global", "fraction": 0.01},
)


@pytest.mark.parametrize("validations", [2, 4, 6, 9, 12, 15])
def test_run_of_every_kind_of_stage_resumes_exactly(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, validations: int
) -> None:
    """Stages have 3, 1, 3, 3, 3 and 3 validations: the run is interrupted in each of them."""
    whole = train(dataset, tmp_path / "whole", CONFIG)
    interrupt_after(monkeypatch, validations)
    with pytest.raises(InterruptedRunError):
        train(dataset, tmp_path / "resumed", CONFIG)
    monkeypatch.undo()
    resumed = train(dataset, tmp_path / "resumed", CONFIG, resume=True)
    one, two = (pyamp.Evaluator(r.model_path).header["tensors_sha256"] for r in (whole, resumed))
    assert one == two
    assert (tmp_path / "whole" / "log.csv").read_text() == (tmp_path / "resumed" / "log.csv").read_text()
    header = pyamp.Evaluator(whole.model_path).header
    assert header["dtype"] == "float32"  # of the last stage, that of boosting
    assert header["sigma_network"]["widths"] == [9, 8, 1]


def test_points_weigh_as_a_power_of_their_event_weights(dataset: Dataset) -> None:
    config = TrainingConfig(event_weighting=0.5)
    found = training_points(dataset, config, seed=1).weight
    assert found is not None
    root = np.sqrt(dataset.amplitude * dataset.measure)
    expected = root / root.mean()
    assert expected.max() < 30, "the limit is for the next test"
    assert np.allclose(found.numpy(), expected, rtol=1e-14)
    assert training_points(dataset, TrainingConfig(), seed=1).weight is None


def test_no_point_fills_a_batch_alone() -> None:
    weights = loss_weights(np.array([1e9] + 99 * [1.0]), 1.0)
    assert weights[0] == 30.0
    assert np.allclose(weights[1:], 1.0 / (1e7 + 0.99))


def test_event_weighting_is_for_events_at_the_cost_of_other_points(dataset: Dataset, tmp_path: Path) -> None:
    """A network too small for all points is better for events, and worse for all points alike, with their weights."""
    rms = {}
    for power in (0.0, 1.0):
        config = TrainingConfig(
            **{**STAGE, "steps": 1500, "optimizer": "soap", "learning_rate": 1e-2},
            network={"hidden": [4]},
            likelihood={"type": "mse"},
            event_weighting=power,
        )
        metrics = train(dataset, tmp_path / str(power), config).metrics
        rms[power] = {sample: metrics[sample]["rms_delta"] for sample in ("flat", "amplitude")}
    assert rms[1.0]["amplitude"] < 0.8 * rms[0.0]["amplitude"], rms
    assert rms[0.0]["flat"] < 0.9 * rms[1.0]["flat"], rms


def test_soap_learns_in_fewer_steps(dataset: Dataset, tmp_path: Path) -> None:
    """Median of |Δ| after 200 steps, each with a good learning rate: at most 80 % of Adam's."""

    def deviation(optimizer: str, learning_rate: float) -> float:
        stage = {**STAGE, "steps": 200, "optimizer": optimizer, "learning_rate": learning_rate}
        config = TrainingConfig(**stage, network={"hidden": [32, 32]}, likelihood={"type": "mse"})
        result = train(dataset, tmp_path / f"{optimizer}_{learning_rate}", config)
        return result.metrics["flat"]["median_abs_delta"]

    assert deviation("soap", 1e-2) < 0.8 * min(deviation("adam", rate) for rate in (3e-3, 1e-2))


def test_soap_mixes_no_members(dataset: Dataset, tmp_path: Path) -> None:
    config = TrainingConfig(**{**STAGE, "optimizer": "soap"}, posterior={"type": "ensemble", "members": 2})
    with pytest.raises(pyamp.PyampError, match="soap with posterior ensemble of 2 networks found"):
        train(dataset, tmp_path / "run", config)


def test_soap_needs_its_package(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_optimizer", None)
    with pytest.raises(pyamp.PyampError, match="soap needs the package pytorch_optimizer"):
        train(dataset, tmp_path / "run", TrainingConfig(**{**STAGE, "optimizer": "soap"}))


def step_of(bfloat16_steps: float, progress: float) -> tuple[float, torch.Tensor]:
    """Loss and weights after one step from the same start on the same batch."""
    torch.manual_seed(3)
    posterior = Deterministic(MLP([5, 64, 64, 1], "gelu"))
    optimizer = Gradient(posterior, MeanSquaredError(), StageConfig(bfloat16_steps=bfloat16_steps))
    features = torch.randn(512, 5)
    loss = optimizer.step(Batch(features, features.prod(dim=1)), 1e-2, progress)
    return float(loss), torch.cat([weight.detach().flatten() for weight in posterior.parameters()])


def test_first_part_of_the_steps_rounds_products_to_bfloat16() -> None:
    exact, weights = step_of(0.0, 0.3)
    loss, rounded = step_of(0.5, 0.3)
    assert loss != exact
    assert loss == pytest.approx(exact, rel=2e-2)
    # Adam's first step moves every weight by 0.01, whose sign few gradients are too small to know.
    assert 0 < (rounded - weights).abs().mean() < 1e-3
    assert rounded.dtype == torch.float32
    later, same = step_of(0.5, 0.5)
    assert later == exact
    assert torch.equal(same, weights)
    assert torch.get_float32_matmul_precision() == "highest"


def test_features_and_outputs_are_not_rounded() -> None:
    network = MLP([3, 16, 16, 1], "gelu")
    seen: list[torch.Tensor] = []
    for layer in network.layers:
        layer.register_forward_hook(lambda module, inputs, output: seen.append(output.detach()))
    features = 1.0 + torch.rand(64, 3) / 256.0  # bfloat16 has 8 bits: these would be 1 and two other numbers
    with torch.autocast("cpu", torch.bfloat16):
        network(features)
    assert [output.dtype for output in seen] == [torch.float32, torch.bfloat16, torch.float32]
    assert torch.equal(seen[0], network.layers[0](features).detach())


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"optimizer": "natural_gradient"}, "natural_gradient in float32"),
        ({"dtype": "float64"}, "adam in float64"),
        ({"network": {"type": "kan"}}, "network kan"),
    ],
)
def test_what_cannot_be_rounded_is_refused(options: dict[str, object], found: str) -> None:
    with pytest.raises(ValidationError, match=f"bfloat16_steps with {found} found"):
        TrainingConfig.model_validate({"bfloat16_steps": 0.5, **options})


def test_sigma_network_learns_the_deviations_of_the_mean(dataset: Dataset, tmp_path: Path) -> None:
    """Noise of known, varying size on ln A: σ_syst within 25 % on average where the mean is known well."""
    momenta = torch.from_numpy(dataset.momenta)
    config = TrainingConfig(
        steps=400,
        batch_size=128,
        learning_rate=3e-3,
        network={"hidden": [24]},
        likelihood={"type": "mse"},
        posterior={"type": "ensemble", "members": 2},
        sigma_network={"network": {"hidden": [16]}, "training": {"steps": 800, "learning_rate": 3e-3}},
    )
    surrogate = make_surrogate(config, [21, 21, 22, 22, 21], 2, 1000)
    # A target that is easy: the factor itself, times noise that grows with the energy of the gluon.
    factor = surrogate.representation.log_factor(momenta).exp()
    relative = 0.1 + 0.4 * momenta[:, 4, 0] / 500.0
    generator = torch.Generator().manual_seed(2)
    noise = torch.randn(len(momenta), generator=generator, dtype=torch.float64)
    points = Points(momenta, factor * torch.exp(relative * noise))
    known, held_out = (
        Points(momenta[:1300], points.amplitude[:1300]),
        Points(momenta[1300:], points.amplitude[1300:]),
    )
    with Progress(disable=True) as progress:
        fit(surrogate, config, known, held_out, RunFiles(tmp_path, "c.pt", {}), progress)
        with torch.no_grad():
            prediction = surrogate(momenta[1300:])
    found = torch.log1p((prediction.sigma_syst / prediction.amplitude) ** 2).sqrt()
    ratio = found / relative[1300:]
    assert abs(float(ratio.log().mean())) < 0.15
    assert float(ratio.log().std()) < 0.25
    assert np.corrcoef(found.numpy(), relative[1300:].numpy())[0, 1] > 0.7


def boosting_toy() -> tuple[Sample, Deterministic]:
    network = MLP([2, 2], "tanh").double()
    with torch.no_grad():
        network.layers[0].weight.copy_(torch.eye(2))
        network.layers[0].bias.zero_()
    features = torch.tensor([[0.0, -1.0], [0.0, -1.0], [1.0, -2.0], [1.0, -0.5]], dtype=torch.float64)
    target = torch.tensor([0.1, 1.5, 1.2, -0.5], dtype=torch.float64)
    return Sample(features, target), Deterministic(network)


def test_loss_boosting_weighs_what_the_pull_says() -> None:
    """Pulls by hand: 0.1 e, 1.5 e, 0.2 e², 1.5 e^½ = 0.27, 4.1, 1.5, 2.5."""
    sample, posterior = boosting_toy()
    config = BoostingConfig(type="loss", pull=2.0, weight=5.0)
    boosting = Boosting(config, sample)
    for number in range(2):  # weights are those of the round alone
        boosted = boosting.next_sample(number, posterior, HeteroskedasticGaussian())
        assert boosted.weight is not None
        assert boosted.weight.tolist() == [1.0, 5.0, 1.0, 5.0]
        assert len(boosted.target) == 4


def test_performance_boosting_adds_copies_of_the_least_certain() -> None:
    sample, posterior = boosting_toy()
    boosting = Boosting(BoostingConfig(type="performance", points=1, copies=3), sample)
    first = boosting.next_sample(0, posterior, HeteroskedasticGaussian())
    assert first.target.tolist() == [0.1, 1.5, 1.2, -0.5, -0.5, -0.5, -0.5]
    second = boosting.next_sample(1, posterior, HeteroskedasticGaussian())
    assert second.target.tolist().count(-0.5) == 7
    alternating = Boosting(BoostingConfig(type="alternating", points=1, copies=1), sample)
    sizes = [len(alternating.next_sample(n, posterior, HeteroskedasticGaussian()).target) for n in range(4)]
    assert sizes == [4, 5, 5, 6]


def test_boosting_adjusts_the_prior_to_the_copies(dataset: Dataset, tmp_path: Path) -> None:
    config = TrainingConfig(
        **STAGE,
        network={"hidden": [8]},
        posterior=BayesianConfig(members=2),
        boosting={"rounds": 2, "type": "performance", "points": 10, "copies": 3, "training": STAGE},
    )
    surrogate = make_surrogate(config, [21, 21, 22, 22, 21], 2, 1000)
    points = Points(torch.from_numpy(dataset.momenta[:1000]), torch.from_numpy(dataset.amplitude[:1000]))
    with Progress(disable=True) as progress:
        fit(surrogate, config, points, points, RunFiles(tmp_path, "c.pt", {}), progress)
    assert surrogate.posterior.prior is not None
    assert surrogate.posterior.prior.n_train == 1060


def test_moving_average_of_the_weights_by_hand(tmp_path: Path) -> None:
    """Three steps of a linear model, averages against the recursion written out."""
    generator = torch.Generator().manual_seed(3)
    features = torch.randn((20, 2), generator=generator, dtype=torch.float64)
    sample = Sample(features, features.sum(dim=1))
    config = StageConfig(
        steps=3, batch_size=20, ema_decay=0.9, dtype="float64", validation_interval=1, warmup_steps=0
    )
    torch.manual_seed(1)
    posterior = Deterministic(MLP([2, 1], "tanh"))
    trainer = Trainer(
        posterior,
        MeanSquaredError(),
        config,
        sample,
        sample,
        RunFiles(tmp_path, "c.pt", {}, checkpoint_seconds=1e9),
    )
    weights = [posterior.network.layers[0].weight.detach().clone()]
    step = trainer._optimizer.step

    def recorded(*arguments: object) -> torch.Tensor:
        loss = step(*arguments)  # type: ignore[arg-type]
        weights.append(posterior.network.layers[0].weight.detach().clone())
        return loss

    trainer._optimizer.step = recorded  # type: ignore[method-assign]
    with Progress(disable=True) as progress:
        trainer.run(progress)
    average = weights[0]
    for number, weight in enumerate(weights[1:], start=1):
        decay = min(0.9, (1 + number) / (10 + number))
        average = decay * average + (1 - decay) * weight
    # The loss falls at every step, so the last average is the best and the one that is kept.
    torch.testing.assert_close(posterior.network.layers[0].weight.detach(), average)


def test_predicted_moments_are_those_of_the_members() -> None:
    sample, posterior = boosting_toy()
    mean, sigma = predicted(posterior, HeteroskedasticGaussian(), sample.features)
    torch.testing.assert_close(mean, sample.features[:, 0])
    torch.testing.assert_close(sigma, sample.features[:, 1].exp())


@pytest.mark.parametrize("members", [1, 2])
def test_last_layer_is_the_weighted_least_squares_solution(momenta: np.ndarray, members: int) -> None:
    """Against NumPy on the hidden layers written out; weights 1/σ² of the σ-network, float32 kept."""
    posterior = {"type": "ensemble", "members": 2} if members == 2 else {"type": "deterministic"}
    config = TrainingConfig(
        network={"hidden": [12, 8], "activation": "tanh"}, likelihood={"type": "mse"}, posterior=posterior
    )
    surrogate = make_surrogate(config, [21, 21, 22, 22, 21], 2, len(momenta))
    surrogate.sigma_network = MLP([9, 5, 1], "gelu")
    amplitude = torch.from_numpy(pyamp.truth().stripped(momenta))
    surrogate.fit_preprocessing(torch.from_numpy(momenta), amplitude)
    sample = Sample(*surrogate.preprocess(torch.from_numpy(momenta), amplitude))
    before = {name: value.double().clone() for name, value in surrogate.posterior.tensors().items()}
    refit_last_layer(surrogate, sample)
    assert surrogate.dtype == torch.float32
    log_sigma = surrogate.sigma_network.double()(sample.features)[:, 0].clamp(max=0.0)
    root = torch.exp(-log_sigma).detach().numpy()
    for member in range(members):
        old = {name: (value[member] if members > 1 else value).numpy() for name, value in before.items()}
        hidden = sample.features.numpy()
        for layer in (0, 1):
            hidden = np.tanh(hidden @ old[f"layers.{layer}.weight"].T + old[f"layers.{layer}.bias"])
        design = np.c_[hidden, np.ones(len(hidden))] * root[:, None]
        expected, *_ = np.linalg.lstsq(design, sample.target.numpy() * root, rcond=None)
        new = {
            name: value[member] if members > 1 else value
            for name, value in surrogate.posterior.tensors().items()
        }
        found = torch.cat([new["layers.2.weight"][0], new["layers.2.bias"]]).double().numpy()
        # The file's arithmetic is float32; predictions, not badly determined weights, are what must agree.
        prediction, reference = (np.c_[hidden, np.ones(len(hidden))] @ w for w in (found, expected))
        np.testing.assert_allclose(prediction, reference, atol=1e-4 * float(sample.target.std()))


def test_last_layer_of_another_likelihood_is_refused(momenta: np.ndarray) -> None:
    surrogate = make_surrogate(TrainingConfig(network={"hidden": [4]}), [21, 21, 22, 22, 21], 2, 10)
    found = "heteroskedastic_gaussian, posterior deterministic without sigma_network"
    with pytest.raises(pyamp.PyampError, match=found):
        refit_last_layer(surrogate, Sample(torch.zeros(3, 9), torch.zeros(3)))


def test_surrogate_that_is_not_positive_has_no_x_max(dataset: Dataset) -> None:
    amplitude = dataset.amplitude.copy()
    assert measure(dataset, amplitude, 0.1 * amplitude)["x_max"] == pytest.approx(1.0, rel=2e-3)
    amplitude[3] *= -1
    assert measure(dataset, amplitude, 0.1 * dataset.amplitude)["x_max"] is None
    amplitude[3] = np.nan
    with pytest.raises(pyamp.PyampError, match="1 of 1500 predictions on test points are NaN"):
        measure(dataset, amplitude, 0.1 * dataset.amplitude)


def test_batch_without_a_finite_gradient_is_passed_over() -> None:
    posterior = Deterministic(MLP([2, 1], "tanh").double())
    optimizer = Gradient(posterior, MeanSquaredError(), StageConfig())
    before = posterior.network.layers[0].weight.detach().clone()
    features = torch.ones((4, 2), dtype=torch.float64)
    for bad in (math.inf, math.nan):
        optimizer.step(Batch(features * bad, torch.ones(4, dtype=torch.float64)), 0.1, 0.0)
    assert torch.equal(posterior.network.layers[0].weight, before)
    optimizer.step(Batch(features, torch.ones(4, dtype=torch.float64)), 0.1, 0.0)
    assert not torch.equal(posterior.network.layers[0].weight, before)
