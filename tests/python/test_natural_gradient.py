"""Natural gradient: its kernel is J Jᵀ, its step solves linear problems, members move as they would alone."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.progress import Progress

import pyamp
from pyamp.likelihoods import Evidential, HeteroskedasticGaussian, Likelihood, MeanSquaredError
from pyamp.networks import KAN, MLP, Network
from pyamp.posteriors import Batch, DeepEnsemble, Deterministic
from pyamp.training import RunFiles, Sample, StageConfig, Trainer
from pyamp.training.natural_gradient import NaturalGradient, tangent_kernel

CONFIG = StageConfig(
    optimizer="natural_gradient", momentum=0.0, damping=(1e-13, 1e-13), dtype="float64", validation_interval=5
)


def points(n: int, n_features: int = 4, seed: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn((n, n_features), generator=generator, dtype=torch.float64)
    return features, torch.sin(features).sum(dim=1) / math.sqrt(n_features)


def network(n_outputs: int, seed: int = 5) -> MLP:
    torch.manual_seed(seed)
    return MLP([4, 7, 6, n_outputs], "tanh").double()


def explicit_jacobian(network: Network, features: torch.Tensor) -> torch.Tensor:
    """``(n_outputs n, weights)``, outputs first."""
    weights = {name: value.detach() for name, value in network.named_parameters()}
    by_name = torch.func.jacrev(lambda w: torch.func.functional_call(network, w, (features,)))(weights)
    rows = [derivative.flatten(start_dim=2) for derivative in by_name.values()]
    return torch.cat(rows, dim=2).transpose(0, 1).flatten(end_dim=1)


@pytest.mark.parametrize("likelihood", [MeanSquaredError(), HeteroskedasticGaussian()])
@pytest.mark.parametrize("kind", ["mlp", "kan"])
def test_tangent_kernel_is_that_of_the_explicit_jacobian(likelihood: Likelihood, kind: str) -> None:
    features, target = points(600)
    model: Network = network(likelihood.n_outputs)
    if kind == "kan":
        torch.manual_seed(2)
        model = KAN([4, 3, likelihood.n_outputs], intervals=4, order=3, range=3.0).double()
    optimizer = NaturalGradient(Deterministic(model), likelihood, CONFIG)
    layers, _ = optimizer._linearise(optimizer._members()[0], Batch(features, target))
    kernel = torch.tril(tangent_kernel(layers))
    scale = likelihood.curvature(model(features).detach(), target).sqrt().T.flatten()
    jacobian = explicit_jacobian(model, features) * scale[:, None]
    # Sums of a hundred products in another order: 1e-12 of the largest element.
    expected = torch.tril(jacobian @ jacobian.T)
    torch.testing.assert_close(kernel, expected, rtol=0, atol=1e-12 * float(expected.abs().max()))


def test_one_step_solves_a_linear_problem() -> None:
    """Of the linear network with the data's solution in its span, one full step from anywhere reaches it."""
    features, _ = points(50)
    target = features @ torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64) - 0.7
    torch.manual_seed(1)
    model = MLP([4, 1], "tanh").double()
    optimizer = NaturalGradient(Deterministic(model), MeanSquaredError(), CONFIG)
    optimizer.step(Batch(features, target), learning_rate=1.0, progress=0.0)
    solution, *_ = np.linalg.lstsq(np.c_[features.numpy(), np.ones(50)], target.numpy(), rcond=None)
    fitted = torch.cat([model.layers[0].weight[0], model.layers[0].bias]).detach().numpy()
    # Damping of 1e-13 against eigenvalues of the order of the kernel's mean diagonal.
    np.testing.assert_allclose(fitted, solution, rtol=1e-9)


def test_weights_of_points_weigh_the_least_squares() -> None:
    """An inconsistent problem: damping of 1e-8 costs as much in the solution, rounding over damping another 1e-8."""
    features, target = points(60)
    weight = torch.linspace(0.1, 4.0, 60, dtype=torch.float64)
    torch.manual_seed(1)
    model = MLP([4, 1], "tanh").double()
    config = CONFIG.model_copy(update={"damping": (1e-8, 1e-8)})
    NaturalGradient(Deterministic(model), MeanSquaredError(), config).step(
        Batch(features, target, weight), learning_rate=1.0, progress=0.0
    )
    root = weight.sqrt().numpy()
    design = np.c_[features.numpy(), np.ones(60)]
    solution, *_ = np.linalg.lstsq(design * root[:, None], target.numpy() * root, rcond=None)
    fitted = torch.cat([model.layers[0].weight[0], model.layers[0].bias]).detach().numpy()
    np.testing.assert_allclose(fitted, solution, rtol=1e-5)


def test_members_of_an_ensemble_move_as_they_would_alone() -> None:
    features, target = points(80)
    networks = [network(1, seed) for seed in (1, 2, 3)]
    config = CONFIG.model_copy(update={"momentum": 0.9, "damping": (1e-3, 1e-3)})
    ensemble = DeepEnsemble(networks)
    together = NaturalGradient(ensemble, MeanSquaredError(), config)
    alone = [NaturalGradient(Deterministic(n), MeanSquaredError(), config) for n in networks]
    for _ in range(3):
        for optimizer in (together, *alone):
            optimizer.step(Batch(features, target), learning_rate=0.5, progress=0.0)
    for name, stacked in ensemble.tensors().items():
        for member, model in enumerate(networks):
            torch.testing.assert_close(stacked[member], dict(model.named_parameters())[name].detach())


def train(directory: Path, steps: int, resume: bool = False) -> Deterministic:
    features, target = points(400)
    posterior = Deterministic(network(2))
    config = StageConfig(
        optimizer="natural_gradient",
        steps=40,
        batch_size=100,
        learning_rate=0.5,
        warmup_steps=0,
        schedule="cooldown",
        dtype="float64",
        validation_interval=10,
    )
    files = RunFiles(directory, "checkpoint.pt", {}, checkpoint_seconds=1e-9, resume=resume)
    sample = Sample(features, target)
    trainer = Trainer(posterior, HeteroskedasticGaussian(), config, sample, sample, files)
    take = trainer._optimizer.step
    calls = iter(range(steps))

    def step(*arguments: object, **options: object) -> torch.Tensor:
        next(calls)
        return take(*arguments, **options)  # type: ignore[arg-type]

    trainer._optimizer.step = step  # type: ignore[method-assign]
    with Progress(disable=True) as progress:
        trainer.run(progress)
    return posterior


def test_resumed_stage_equals_the_uninterrupted_one(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    whole = train(tmp_path / "one", steps=40)
    with pytest.raises(StopIteration):
        train(tmp_path / "two", steps=25)
    resumed = train(tmp_path / "two", steps=40, resume=True)
    for name, value in whole.tensors().items():
        assert torch.equal(resumed.tensors()[name], value)


def test_what_it_cannot_train_is_refused() -> None:
    evidential = NaturalGradient(Deterministic(network(4)), Evidential(), CONFIG)
    with pytest.raises(pyamp.PyampError, match="evidential with optimizer natural_gradient found"):
        evidential.step(Batch(*points(10)), 0.1, 0.0)

    class Repulsive(DeepEnsemble):
        kind = "repulsive_ensemble"

    with pytest.raises(pyamp.PyampError, match="posterior repulsive_ensemble found"):
        NaturalGradient(Repulsive([network(1), network(1)]), MeanSquaredError(), CONFIG)

    class Scaled(MLP):
        def __init__(self) -> None:
            super().__init__([4, 3, 1], "tanh")
            self.scale = torch.nn.Parameter(torch.ones(()))

    with pytest.raises(pyamp.PyampError, match="'scale' is in none"):
        NaturalGradient(Deterministic(Scaled().double()), MeanSquaredError(), CONFIG)
