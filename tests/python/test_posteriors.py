"""Posteriors of the weights: their losses by hand, and where they converge when the answer is known."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from rich.progress import Progress

from pyamp.errors import PyampError
from pyamp.likelihoods import Components, HeteroskedasticGaussian, Likelihood
from pyamp.networks import MLP, Network
from pyamp.posteriors import (
    AnyPosteriorConfig,
    Batch,
    Bayesian,
    BayesianConfig,
    DeepEnsemble,
    Deterministic,
    GaussianPrior,
    Posterior,
    RepulsiveEnsemble,
    RepulsiveEnsembleConfig,
    posterior_from_header,
)
from pyamp.posteriors.repulsive import repulsions
from pyamp.training import RunFiles, Sample, StageConfig, Trainer
from pyamp.training.logs import Logs

# Statistical comparisons ask for |z| < 5, which a correct code fails with probability 6e-7 each (normal z).
Z_MAX = 5.0


class KnownNoise(Likelihood):
    """Gaussian of known width; the output is the mean."""

    n_outputs = 1

    def __init__(self, sigma: float) -> None:
        self.sigma = sigma

    def loss(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (target - outputs[..., 0]) ** 2 / (2 * self.sigma**2)

    def components(self, outputs: torch.Tensor) -> Components:
        return Components(torch.ones_like(outputs), outputs, torch.full_like(outputs, self.sigma**2))

    def header(self) -> dict[str, Any]:
        return {"type": "known_noise"}


class SumOfThree(Network):
    """The same layer applied to three features, and summed."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.layer(features.unsqueeze(-1)).sum(dim=1)
        return outputs

    def header(self) -> dict[str, Any]:
        return {"type": "sum_of_three"}


class NoLayers(SumOfThree):
    def __init__(self) -> None:
        super().__init__()
        del self.layer


def bayesian(network: Network, n_train: int = 100, seed: int = 1, **options: Any) -> Bayesian:
    width = options.pop("prior_width", 1.0)
    posterior = Bayesian(network, GaussianPrior(width, n_train), seed, **options).double()
    generator = torch.Generator().manual_seed(17)
    for log_width in posterior.log_widths.values():  # different for each weight
        with torch.no_grad():
            log_width += torch.rand(log_width.shape, generator=generator, dtype=torch.float64)
    return posterior


def random_batch(n: int, n_features: int, step: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(3)
    features = torch.randn((n, n_features), generator=generator, dtype=torch.float64)
    return Batch(features, torch.randn(n, generator=generator, dtype=torch.float64), step=step)


def minimise(posterior: Posterior, batch: Batch, likelihood: Likelihood, steps: int, rate: float) -> None:
    """Adam on all points, with a cosine schedule."""
    optimizer = torch.optim.Adam(posterior.parameters(), lr=rate)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * 0.5 * (1.0 + math.cos(math.pi * step / steps))
        loss = posterior.loss(Batch(batch.features, batch.target, batch.weight, step), likelihood)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


# Kullback-Leibler divergence


def test_kl_by_hand() -> None:
    torch.manual_seed(1)
    posterior = Bayesian(MLP([1, 1], "tanh"), GaussianPrior(2.0, 10), 1).double()
    with torch.no_grad():
        posterior.network.layers[0].weight.fill_(0.5)
        posterior.network.layers[0].bias.fill_(-1.0)
        posterior.log_widths["layers/0/weight"].fill_(math.log(0.2))
        posterior.log_widths["layers/0/bias"].fill_(math.log(2.0))
    # (0.04 − 4 + 0.25)/8 + ln 10 for the weight, 1/8 for the bias
    assert float(posterior.kl().detach()) == pytest.approx(-0.46375 + math.log(10) + 0.125, rel=1e-12)


def test_kl_against_monte_carlo() -> None:
    """⟨ln q − ln p⟩ over drawn weight vectors; fails by chance with probability 6e-7."""
    torch.manual_seed(2)
    posterior = bayesian(MLP([3, 4, 2], "tanh"), prior_width=0.7, members=20_000, initial_width=0.2)
    means = dict(posterior.network.named_parameters())
    ratio = torch.zeros(20_000, dtype=torch.float64)
    for name, drawn in posterior.tensors().items():
        q = torch.distributions.Normal(means[name], posterior.log_widths[name.replace(".", "/")].exp())
        p = torch.distributions.Normal(torch.zeros_like(means[name]), 0.7)
        ratio += (q.log_prob(drawn) - p.log_prob(drawn)).flatten(start_dim=1).sum(dim=1).detach()
    error = float(ratio.std()) / math.sqrt(len(ratio))
    assert abs(float(ratio.mean()) - float(posterior.kl().detach())) < Z_MAX * error


def test_bayesian_loss_is_that_of_a_point_plus_kl_over_n_train() -> None:
    torch.manual_seed(2)
    posterior = bayesian(MLP([3, 4, 2], "tanh"), n_train=37)
    batch, likelihood = random_batch(20, 3), HeteroskedasticGaussian()
    data = likelihood.loss(posterior.noisy_outputs(batch), batch.target).mean()
    torch.testing.assert_close(posterior.loss(batch, likelihood), data + posterior.kl() / 37)
    assert posterior.trained_members == 1


# Noise of training


def test_local_noise_has_the_moments_of_drawn_weights() -> None:
    """Mean and variance of each output of a layer; 8 comparisons, 5e-6 to fail by chance."""
    torch.manual_seed(3)
    draws = 40_000
    posterior = bayesian(MLP([3, 2], "tanh"), members=draws, initial_width=0.3)
    points = random_batch(2, 3).features
    direct = posterior(points).reshape(draws, -1)
    repeated = Batch(points.repeat(draws, 1), torch.zeros(2 * draws))
    local = posterior.noisy_outputs(repeated).detach().reshape(draws, -1)
    for one, two in ((direct, local), (direct.square(), local.square())):
        error = torch.sqrt((one.var(dim=0) + two.var(dim=0)) / draws)
        assert ((one.mean(dim=0) - two.mean(dim=0)).abs() < Z_MAX * error).all()
    # The noise of one point tells nothing about that of the other.
    noise = local - local.mean(dim=0)
    correlation = float((noise[:, 0] * noise[:, 2]).mean() / noise[:, 0].std() / noise[:, 2].std())
    assert abs(correlation) < Z_MAX / math.sqrt(draws)


def test_layer_applied_several_times_has_one_draw_of_its_weights() -> None:
    """The variance of a sum over applications; 1e-6 to fail by chance. Independent noise gives a third of it."""
    torch.manual_seed(4)
    draws = 4000
    posterior = bayesian(SumOfThree(), members=draws, initial_width=0.3)
    point = torch.tensor([[1.0, 1.1, 0.9]], dtype=torch.float64)
    direct = posterior(point)[:, 0, 0]
    steps = [posterior.noisy_outputs(Batch(point, torch.zeros(1), step=step)) for step in range(draws)]
    ratio = float(torch.stack(steps).var(dim=0).detach().squeeze() / direct.var())
    assert abs(ratio - 1.0) < Z_MAX * math.sqrt(4.0 / draws)


def test_noise_is_a_function_of_seed_and_step() -> None:
    torch.manual_seed(5)
    network = MLP([3, 4, 2], "tanh").double()
    first, same, other = (bayesian(network, seed=seed) for seed in (1, 1, 2))
    outputs = first.noisy_outputs(random_batch(9, 3, step=7))
    torch.manual_seed(6)  # the global generator plays no part
    same.noisy_outputs(random_batch(9, 3, step=2))
    assert torch.equal(same.noisy_outputs(random_batch(9, 3, step=7)), outputs)
    assert not torch.equal(first.noisy_outputs(random_batch(9, 3, step=8)), outputs)
    assert not torch.equal(other.noisy_outputs(random_batch(9, 3, step=7)), outputs)


# Drawn members


@pytest.mark.parametrize("layers", ["all", "last"])
def test_drawn_tensors_reproduce_the_outputs(layers: str) -> None:
    torch.manual_seed(7)
    network = MLP([3, 4, 4, 2], "tanh")
    posterior = bayesian(network, members=5, layers=layers, initial_width=0.1)
    features = random_batch(11, 3).features
    outputs, tensors = posterior(features), posterior.tensors()
    assert {name: value.shape for name, value in tensors.items()} == {
        name: (5, *value.shape) for name, value in network.named_parameters()
    }
    for member in range(5):
        weights = {name: value[member] for name, value in tensors.items()}
        expected = torch.func.functional_call(network, weights, (features,))
        torch.testing.assert_close(outputs[member], expected, rtol=1e-12, atol=1e-12)
    first = tensors["layers.0.weight"]
    assert bool((first[0] == first[1]).all()) == (layers == "last")
    assert not torch.equal(tensors["layers.2.bias"][0], tensors["layers.2.bias"][1])


@pytest.mark.parametrize("kind", ["bayesian", "repulsive_ensemble", "ensemble"])
def test_reloaded_posterior_evaluates_as_its_members_and_keeps_its_name(kind: str) -> None:
    torch.manual_seed(8)
    config: Any = TypeAdapter(AnyPosteriorConfig).validate_python({"type": kind, "members": 4})
    posterior = config.build(lambda: MLP([3, 4, 2], "tanh"), 100, 1).double()
    assert posterior.header() == {"type": kind, "members": 4}
    reloaded = posterior_from_header(posterior.header(), lambda: MLP([3, 4, 2], "tanh")).double()
    reloaded.load_tensors(posterior.tensors())
    features = random_batch(11, 3).features
    assert torch.equal(reloaded(features), posterior(features))
    assert reloaded.header() == posterior.header()


def test_members_do_not_depend_on_the_arithmetic_and_follow_the_weights() -> None:
    torch.manual_seed(9)
    posterior = bayesian(MLP([3, 4, 2], "tanh"), members=3).float()
    before = posterior.tensors()
    for name, value in posterior.double().tensors().items():
        assert torch.equal(value, before[name].double())
    weights = {name: 2.0 * value for name, value in posterior.state_dict().items()}
    posterior.load_state_dict(weights)
    assert not torch.equal(posterior.tensors()["layers.0.weight"], before["layers.0.weight"].double())
    posterior.float()
    batch = random_batch(8, 3)
    batch = Batch(batch.features.float(), batch.target.float())
    minimise(posterior, batch, HeteroskedasticGaussian(), 1, 0.1)
    after = posterior.tensors()
    fresh = bayesian(MLP([3, 4, 2], "tanh"), members=3).float()
    fresh.load_state_dict(posterior.state_dict())
    assert all(torch.equal(value, after[name]) for name, value in fresh.tensors().items())


# Repulsive loss


def kernel_sums(functions: np.ndarray, fixed: np.ndarray, width: float) -> np.ndarray:
    distances = ((functions[:, None] - fixed[None]) ** 2).sum(axis=-1)
    return np.asarray(np.exp(-distances / width).sum(axis=1))


@pytest.mark.parametrize("normalised", [False, True])
def test_repulsion_by_hand(normalised: bool) -> None:
    """Value and gradient of the kernel term, in NumPy with finite differences."""
    functions = np.random.Generator(np.random.PCG64(1)).normal(size=(4, 6))
    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    distances = np.array([((functions[i] - functions[j]) ** 2).sum() for i, j in pairs])
    width = np.sort(distances)[5] / math.log(
        4
    )  # Torch's median is the lower one; every distance is there twice
    factor = 1.0
    if normalised:
        virial = 0.0
        centre = functions.mean(axis=0)
        for i in range(4):
            k = np.exp(-((functions[i] - functions) ** 2).sum(axis=1) / width)
            force = (k[:, None] * 2 / width * (functions[i] - functions)).sum(axis=0) / k.sum()
            virial += force @ (functions[i] - centre) / 4
        eigenvalues = np.linalg.eigvalsh(np.cov(functions.T))
        factor = eigenvalues.sum() ** 2 / (eigenvalues**2).sum() / virial
        assert 1.0 < factor < 7 / math.log(4)  # no limit applies
    means = torch.from_numpy(functions).requires_grad_()
    values = repulsions(means, normalised)
    np.testing.assert_allclose(values.detach().numpy(), np.full(4, factor), rtol=1e-10)
    values.sum().backward()
    step = 1e-6
    gradient = np.zeros_like(functions)
    for index in np.ndindex(*functions.shape):
        shift = np.zeros_like(functions)
        shift[index] = step
        up, down = (kernel_sums(functions + sign * shift, functions, width) for sign in (1, -1))
        gradient[index] = (factor * (up - down) / kernel_sums(functions, functions, width)).sum() / (2 * step)
    assert means.grad is not None
    np.testing.assert_allclose(means.grad.numpy(), gradient, atol=1e-8)


def test_repulsive_loss_by_hand() -> None:
    torch.manual_seed(11)
    networks: list[Network] = [MLP([3, 4, 2], "tanh").double() for _ in range(3)]
    posterior = RepulsiveEnsemble(networks, GaussianPrior(0.5, 40), repulsion=2.0, normalised=False)
    batch, likelihood = random_batch(10, 3), HeteroskedasticGaussian()
    expected = 0.0
    for network in networks:
        expected += float(likelihood.loss(network(batch.features), batch.target).mean().detach())
        expected += sum(float((w**2).sum().detach()) for w in network.parameters()) / (2 * 40 * 0.25)
        expected += 2.0 / 40  # the ratio of the kernel sums is 1
    assert float(posterior.loss(batch, likelihood).detach()) == pytest.approx(expected, rel=1e-12)


def test_members_that_agree_or_fall_apart_have_a_finite_repulsion() -> None:
    equal = torch.ones((4, 5), dtype=torch.float32, requires_grad=True)
    apart = torch.randn((4, 5), generator=torch.Generator().manual_seed(1))
    apart[0] += 1e6
    apart.requires_grad_()
    for means in (equal, apart):
        values = repulsions(means)
        values.sum().backward()
        assert means.grad is not None
        assert torch.isfinite(values).all()
        assert torch.isfinite(means.grad).all()
        assert float(values.detach().max()) <= 7 / math.log(4) * (1 + 1e-6)


@pytest.mark.parametrize("members", [1, 3])
def test_prior_of_point_estimates(members: int) -> None:
    torch.manual_seed(12)
    networks: list[Network] = [MLP([3, 4, 2], "tanh").double() for _ in range(members)]
    prior = GaussianPrior(0.5, 40)
    batch, likelihood = random_batch(10, 3), HeteroskedasticGaussian()
    pair: tuple[Posterior, Posterior] = (
        (DeepEnsemble(networks), DeepEnsemble(networks, prior=prior))
        if members > 1
        else (Deterministic(networks[0]), Deterministic(networks[0], prior))
    )
    plain, with_prior = (float(p.loss(batch, likelihood).detach()) for p in pair)
    squares = sum(float((w**2).sum().detach()) for network in networks for w in network.parameters())
    assert with_prior - plain == pytest.approx(squares / (2 * 40 * 0.25), rel=1e-9)
    plain, with_prior = (float(p.validation_loss(batch, likelihood).detach()) for p in pair)
    assert with_prior == plain


# Known posteriors

SIGMA, PRIOR_WIDTH, N_LINEAR = 0.5, 0.8, 200


def linear_problem() -> tuple[Batch, torch.Tensor, torch.Tensor]:
    """Correlated features with targets, and the exact mean and precision of the posterior of (weights, bias)."""
    generator = torch.Generator().manual_seed(21)
    features = torch.randn((N_LINEAR, 3), generator=generator, dtype=torch.float64)
    features[:, 1] += 0.6 * features[:, 0]
    design = torch.cat([features, torch.ones((N_LINEAR, 1), dtype=torch.float64)], dim=1)
    truth = torch.tensor([0.7, -0.4, 1.1, 0.3], dtype=torch.float64)
    target = design @ truth + SIGMA * torch.randn(N_LINEAR, generator=generator, dtype=torch.float64)
    precision = design.T @ design / SIGMA**2 + torch.eye(4) / PRIOR_WIDTH**2
    mean = torch.linalg.solve(precision, design.T @ target / SIGMA**2)
    return Batch(features, target), mean, precision


def test_bayesian_linear_regression() -> None:
    """The best q of independent normals has the exact means and the inverse diagonal of the precision as variances.

    Tolerances: a tenth of σ for means, 3 % for widths, from the noise of the optimisation.
    """
    batch, mean, precision = linear_problem()
    torch.manual_seed(22)
    posterior = Bayesian(
        MLP([3, 1], "tanh"), GaussianPrior(PRIOR_WIDTH, N_LINEAR), 1, initial_width=0.1
    ).double()
    minimise(posterior, batch, KnownNoise(SIGMA), 3000, 0.02)
    expected = precision.diagonal().rsqrt()
    layer = posterior.network.layers[0]
    found = torch.cat([layer.weight[0], layer.bias]).detach()
    widths = torch.cat([posterior.log_widths[f"layers/0/{part}"].flatten() for part in ("weight", "bias")])
    assert ((found - mean).abs() < 0.1 * expected).all()
    torch.testing.assert_close(widths.exp().detach(), expected, rtol=0.03, atol=0)


@pytest.mark.parametrize("batch_size", [N_LINEAR, 50])
def test_repulsive_linear_regression(batch_size: int) -> None:
    """Mean and σ_stat of predictions are those of the exact posterior, correlations of the weights included.

    Tolerances: 0.02 σ and 2 % with all points in each step; 0.3 σ and 10 % with batches, whose noise a rate of learning
    that falls to 0 in finite time does not average out.
    """
    batch, mean, precision = linear_problem()
    torch.manual_seed(23)
    networks: list[Network] = [MLP([3, 1], "tanh").double() for _ in range(16)]
    posterior = RepulsiveEnsemble(networks, GaussianPrior(PRIOR_WIDTH, N_LINEAR))
    likelihood = KnownNoise(SIGMA)
    if batch_size == N_LINEAR:
        minimise(posterior, batch, likelihood, 1500, 0.02)
    else:
        optimizer = torch.optim.Adam(posterior.parameters())
        generator = torch.Generator().manual_seed(1)
        for step in range(3000):
            optimizer.param_groups[0]["lr"] = 0.01 * (1.0 + math.cos(math.pi * step / 3000))
            indices = torch.randperm(N_LINEAR, generator=generator)[:batch_size]
            loss = posterior.loss(Batch(batch.features[indices], batch.target[indices]), likelihood)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    points = random_batch(100, 3).features
    design = torch.cat([points, torch.ones((100, 1), dtype=torch.float64)], dim=1)
    expected = torch.sqrt((design * torch.linalg.solve(precision, design.T).T).sum(dim=1))
    outputs = posterior(points)[..., 0].detach()
    of_mean, of_sigma = (0.02, 0.02) if batch_size == N_LINEAR else (0.3, 0.1)
    assert ((outputs.mean(dim=0) - design @ mean).abs() < of_mean * expected).all()
    torch.testing.assert_close(outputs.std(dim=0, correction=0), expected, rtol=of_sigma, atol=0)


def test_published_repulsion_is_too_weak_as_documented() -> None:
    """σ_stat² is 0.28 of what it should be for K = 16 members in D = 4 directions."""
    batch, _, precision = linear_problem()
    torch.manual_seed(23)
    networks: list[Network] = [MLP([3, 1], "tanh").double() for _ in range(16)]
    posterior = RepulsiveEnsemble(networks, GaussianPrior(PRIOR_WIDTH, N_LINEAR), normalised=False)
    minimise(posterior, batch, KnownNoise(SIGMA), 1500, 0.02)
    design = torch.cat([batch.features, torch.ones((N_LINEAR, 1), dtype=torch.float64)], dim=1)
    expected = (design * torch.linalg.solve(precision, design.T).T).sum(dim=1)
    ratio = float((posterior(batch.features)[..., 0].detach().var(dim=0, correction=0) / expected).mean())
    assert ratio == pytest.approx(0.28, abs=0.02)


def noisy_sine(n: int) -> tuple[Batch, torch.Tensor]:
    """Targets sin 2x with noise 0.05 (1 + x²), and that noise."""
    generator = torch.Generator().manual_seed(31)
    x = torch.empty((n, 1)).uniform_(-2.0, 2.0, generator=generator)
    sigma = 0.05 * (1.0 + x[:, 0] ** 2)
    return Batch(x, torch.sin(2.0 * x[:, 0]) + sigma * torch.randn(n, generator=generator)), sigma


@pytest.mark.parametrize(
    "config",
    [
        BayesianConfig(members=32, initial_width=0.01),
        RepulsiveEnsembleConfig(members=8),
    ],
    ids=["bayesian", "repulsive"],
)
def test_known_noise_is_learned_and_the_statistical_uncertainty_falls_with_points(config: Any) -> None:
    """σ_syst is the noise within 5 % on average with 8000 points; 16 times fewer points give about 4 times the σ_stat.

    The latter within a factor of 2: a network is no linear model.
    """
    grid = torch.linspace(-1.9, 1.9, 77)[:, None]
    truth = 0.05 * (1.0 + grid[:, 0] ** 2)
    sigma_stat = {}
    for n in (500, 8000):
        torch.manual_seed(32)
        points, _ = noisy_sine(n)
        posterior = config.build(lambda: MLP([1, 32, 32, 2], "tanh"), n, 1)
        likelihood = HeteroskedasticGaussian()
        steps, rate = 1500, 0.01
        optimizer = torch.optim.Adam(posterior.parameters())
        generator = torch.Generator().manual_seed(2)
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = rate * 0.5 * (1.0 + math.cos(math.pi * step / steps))
            indices = torch.randint(n, (250,), generator=generator)
            batch = Batch(points.features[indices], points.target[indices], step=step)
            loss = posterior.loss(batch, likelihood)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            components = likelihood.components(posterior(grid))
        sigma_syst = components.variance[..., 0].mean(dim=0).sqrt()
        sigma_stat[n] = float(components.total_mean().std(dim=0, correction=0).median())
    assert float((sigma_syst / truth).mean()) == pytest.approx(1.0, abs=0.05)
    assert 2.0 < sigma_stat[500] / sigma_stat[8000] < 8.0


# Training


class InterruptedRunError(Exception):
    pass


@pytest.mark.parametrize("kind", ["bayesian", "repulsive_ensemble"])
def test_resumed_training_equals_the_uninterrupted_one(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = random_batch(400, 3)
    sample = Sample(batch.features, batch.target)
    stage = StageConfig(steps=60, batch_size=32, validation_interval=10, warmup_steps=0, ema_decay=0.9)
    config: Any = TypeAdapter(AnyPosteriorConfig).validate_python({"type": kind, "members": 3})

    def run(directory: Path, resume: bool = False) -> Posterior:
        directory.mkdir(exist_ok=True)
        torch.manual_seed(41)
        posterior: Posterior = config.build(lambda: MLP([3, 8, 2], "tanh"), 400, 5)
        files = RunFiles(directory, "checkpoint.pt", {}, checkpoint_seconds=1e-9, resume=resume)
        trainer = Trainer(posterior, HeteroskedasticGaussian(), stage, sample, sample, files)
        with Progress(disable=True) as progress:
            trainer.run(progress)
        return posterior

    expected = run(tmp_path / "whole")
    validate = Trainer._validate

    def killed_at_35(self: Trainer, loss: float, logs: Logs) -> None:
        if self._step > 35:
            raise InterruptedRunError
        validate(self, loss, logs)

    monkeypatch.setattr(Trainer, "_validate", killed_at_35)
    with pytest.raises(InterruptedRunError):
        run(tmp_path / "parts")
    monkeypatch.undo()
    resumed = run(tmp_path / "parts", resume=True)
    for name, value in expected.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name
    for name, value in expected.tensors().items():
        assert torch.equal(resumed.tensors()[name], value), name


# What is refused


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"type": "bayesian", "members": 1}, "members"),
        ({"type": "bayesian", "layers": "first"}, "layers"),
        ({"type": "bayesian", "prior_width": 0}, "prior_width"),
        ({"type": "bayesian", "repulsion": 1}, "repulsion"),
        ({"type": "repulsive_ensemble", "repulsion": -1}, "repulsion"),
        ({"type": "repulsive_ensemble", "members": 1}, "members"),
        ({"type": "ensemble", "prior_width": -1}, "prior_width"),
        ({"type": "bayes"}, "bayesian"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        TypeAdapter(AnyPosteriorConfig).validate_python(options)


def test_network_without_linear_layers_is_refused() -> None:
    with pytest.raises(PyampError, match="without linear layers found, one with linear layers expected"):
        Bayesian(NoLayers(), GaussianPrior(1.0, 10), 1)


def test_bayesian_does_not_continue_from_members() -> None:
    posterior = bayesian(MLP([3, 4, 2], "tanh"), members=3)
    with pytest.raises(PyampError, match="members of a bayesian network found, means and widths expected"):
        posterior.load_tensors(posterior.tensors())
