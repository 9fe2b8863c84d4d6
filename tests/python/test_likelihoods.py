"""Losses against torch.distributions, SciPy and integration; what outputs mean for the amplitude against sampling."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from pyamp.configuration import validated
from pyamp.errors import PyampError
from pyamp.likelihoods import (
    Components,
    Evidential,
    GaussianMixture,
    HeteroskedasticGaussian,
    LikelihoodConfig,
    MeanSquaredError,
    likelihood_from_header,
)
from pyamp.targets import Linear, Log, Log1p, Target, TargetConfig, target_from_header

N = 40


def outputs(n_outputs: int, seed: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn((N, n_outputs), generator=generator, dtype=torch.float64),
        torch.randn(N, generator=generator, dtype=torch.float64),
    )


def test_mixture_loss_is_that_of_torch() -> None:
    raw, target = outputs(9)
    raw[:, 6:] -= 3.0  # below the cut of ln σ
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=raw[:, :3]),
        torch.distributions.Normal(raw[:, 3:6], raw[:, 6:].exp()),
    )
    expected = -mixture.log_prob(target) - 0.5 * math.log(2 * math.pi)
    torch.testing.assert_close(GaussianMixture(3).loss(raw, target), expected)
    components = GaussianMixture(3).components(raw)
    mean, variance = components.moments()
    torch.testing.assert_close(mean, mixture.mean)
    torch.testing.assert_close(variance, mixture.variance)


def test_evidential_loss_is_a_student_t() -> None:
    """arXiv:1910.02600: the marginal likelihood of a normal-inverse-gamma distribution."""
    raw, target = outputs(4)
    gamma, nu, alpha, beta = (p.numpy() for p in Evidential._parameters(raw))
    student = stats.t(df=2 * alpha, loc=gamma, scale=np.sqrt(beta * (1 + nu) / (nu * alpha)))
    np.testing.assert_allclose(Evidential(0.0).loss(raw, target), -student.logpdf(target.numpy()), rtol=1e-12)
    extra = Evidential(0.3).loss(raw, target) - Evidential(0.0).loss(raw, target)
    np.testing.assert_allclose(extra, 0.3 * np.abs(target.numpy() - gamma) * (2 * nu + alpha), rtol=1e-11)


def test_evidential_moments_are_those_of_the_inverse_gamma() -> None:
    """E[σ²] = β/(α − 1) and Var[μ] = E[σ²]/ν, by integration over the distribution of σ²."""
    raw = torch.tensor([[0.3, 1.0, 3.0, -0.5]], dtype=torch.float64)
    _, nu, alpha, beta = (float(p) for p in Evidential._parameters(raw))
    expected, _ = integrate.quad(lambda v: v * stats.invgamma(alpha, scale=beta).pdf(v), 0, np.inf)
    components = Evidential().components(raw)
    assert components.statistical is not None
    assert float(components.variance) == pytest.approx(expected, rel=1e-6)  # of the integration
    assert float(components.statistical) == pytest.approx(expected / nu, rel=1e-6)


def test_widths_are_at_most_the_spread_of_the_targets() -> None:
    wide = torch.tensor([[0.0, 40.0]], dtype=torch.float64)
    assert float(HeteroskedasticGaussian().components(wide).variance) == 1.0
    assert GaussianMixture(1 + 1).components(wide.repeat(1, 3)).variance.max() == 1.0
    no_evidence = torch.tensor([[0.0, -20.0, -30.0, 5.0]], dtype=torch.float64)
    components = Evidential().components(no_evidence)
    assert float(components.variance) == 1.0
    assert components.statistical is not None
    assert float(components.statistical) == 1.0


def test_width_beyond_the_cut_has_a_way_back() -> None:
    """At ln σ = 3, cut to 0, the gradient is that of the loss at 0: 1 − (t − μ)²."""
    raw = torch.tensor([[0.0, 3.0]], dtype=torch.float64, requires_grad=True)
    HeteroskedasticGaussian().loss(raw, torch.tensor([0.1], dtype=torch.float64)).sum().backward()
    assert raw.grad is not None
    assert float(raw.grad[0, 1]) == pytest.approx(1 - 0.01)


def test_mean_squared_error_gets_its_width_from_held_out_points() -> None:
    prediction, target = outputs(1)
    likelihood = MeanSquaredError()
    torch.testing.assert_close(likelihood.loss(prediction, target), (prediction[:, 0] - target) ** 2)
    likelihood.fit(prediction[None] * 0.1, 0.1 * target)
    expected = 0.1 * (prediction[:, 0] - target).square().mean().sqrt()
    assert likelihood.sigma == pytest.approx(float(expected))
    assert float(likelihood.components(prediction).variance[0]) == pytest.approx(likelihood.sigma**2)
    assert likelihood_from_header(likelihood.header()).header() == likelihood.header()


@pytest.mark.parametrize("target", [Log(), Log1p(), Linear()], ids=["log", "log1p", "linear"])
def test_amplitude_moments_are_those_of_the_transformed_gaussian(target: Target) -> None:
    """Against Gauss–Hermite quadrature of the inverse transformation, written out here."""
    amplitude = torch.tensor([0.5, 2.0, 3.0, 10.0], dtype=torch.float64)
    log_factor = torch.tensor([0.1, -0.4, 0.2, 0.7], dtype=torch.float64)
    target.fit(amplitude, log_factor)
    mean = torch.tensor([-1.0, 0.2, 0.5, 2.0], dtype=torch.float64)
    variance = torch.tensor([0.01, 0.3, 0.5, 1.0], dtype=torch.float64)
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    t = mean.numpy()[:, None] + np.sqrt(variance.numpy())[:, None] * nodes
    g = float(target.mean) + float(target.std) * t
    inverse = {"log": np.exp, "log1p": lambda x: float(target.scale) * np.expm1(x), "linear": lambda x: x}
    values = np.exp(log_factor.numpy())[:, None] * inverse[target.header()["type"]](g)
    weights /= weights.sum()
    expected_mean = values @ weights
    expected_sigma = np.sqrt((values - expected_mean[:, None]) ** 2 @ weights)
    found_mean, found_sigma = target.moments(mean, variance, log_factor)
    np.testing.assert_allclose(found_mean, expected_mean, rtol=1e-9)
    np.testing.assert_allclose(found_sigma, expected_sigma, rtol=1e-9)
    # Around its own mean, the width of a Gaussian is the same.
    around = target.sigma_around(found_mean, variance, log_factor)
    np.testing.assert_allclose(around, expected_sigma, rtol=1e-9)


@pytest.mark.parametrize("kind", ["log", "log1p", "linear"])
def test_targets_are_standardised_and_survive_the_file(kind: str) -> None:
    generator = torch.Generator().manual_seed(2)
    amplitude = torch.rand(200, generator=generator, dtype=torch.float64) + 0.1
    log_factor = torch.randn(200, generator=generator, dtype=torch.float64)
    target = TargetConfig(type=kind).build()
    target.fit(amplitude, log_factor)
    t = target(amplitude, log_factor)
    assert float(t.mean()) == pytest.approx(0.0, abs=1e-12)
    assert float(t.std()) == pytest.approx(1.0, rel=1e-12)
    again = target_from_header(target.header())
    torch.testing.assert_close(again(amplitude, log_factor), t, rtol=0, atol=0)
    back, _ = target.moments(t, torch.zeros_like(t), log_factor)
    torch.testing.assert_close(back, amplitude)


def test_mixture_of_equal_components_is_one_gaussian() -> None:
    one = torch.ones((5, 2), dtype=torch.float64)
    mean, variance = Components(0.5 * one, 3.0 * one, 0.2 * one).moments()
    torch.testing.assert_close(mean, 3.0 * one[:, 0])
    torch.testing.assert_close(variance, 0.2 * one[:, 0])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"type": "gaussian_mixture"}, "components is 1 for type 'gaussian_mixture'"),
        ({"components": 3}, "components is 3 for type 'heteroskedastic_gaussian'"),
        ({"type": "gausian"}, "key 'type' is 'gausian'"),
    ],
)
def test_inconsistent_likelihoods_are_refused(options: dict[str, object], complaint: str) -> None:
    with pytest.raises(PyampError, match=complaint):
        validated(options, LikelihoodConfig, "x.yaml")
