"""Is the noise on training amplitudes what was asked for: its size, where it is, and that it can be repeated?

Statistical tests allow 4.5 standard errors: a false-positive rate of 7e-6 each; seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pyamp.configuration import StrictModel, validated
from pyamp.datasets import AnyNoiseConfig, NoiseConfig, NoNoise, sigma_noise
from pyamp.datasets.noise import BoxNoise, Gap, GlobalNoise, PeakedNoise
from pyamp.errors import PyampError

N = 100_000
ALLOWED = 4.5


def two_body(masses: np.ndarray) -> np.ndarray:
    """Momenta (n, 4, 4) of 2 → 2 scattering at 90° whose outgoing legs have the given masses together."""
    half = masses / 2
    zero = np.zeros_like(half)
    legs = [
        [half, zero, zero, half],
        [half, zero, zero, -half],
        [half, half, zero, zero],
        [half, -half, zero, zero],
    ]
    return np.moveaxis(np.array(legs), 2, 0)


@pytest.mark.parametrize("fraction", [0.0025, 0.1, 0.3])
def test_global_noise_is_the_truncated_normal(fraction: float) -> None:
    momenta, amplitude = two_body(np.full(N, 500.0)), np.geomspace(1e-6, 1.0, N)
    noisy, kept = GlobalNoise(fraction=fraction).apply(momenta, amplitude, seed=3)
    z = (noisy / amplitude - 1) / fraction
    limit = 0.999 / fraction
    expected = stats.truncnorm(-limit, limit)
    assert kept.all()
    assert (noisy > 0).all()
    assert abs(z.mean()) < ALLOWED * expected.std() / np.sqrt(N)
    assert abs(z.std() - expected.std()) < ALLOWED / np.sqrt(2 * N)
    # Kolmogorov-Smirnov with p > 7e-6, the same false-positive rate.
    assert stats.kstest(z, expected.cdf).pvalue > 7e-6


def test_the_stated_loss_of_deviation() -> None:
    for fraction, loss in ((0.2, 1e-5), (0.3, 6e-3)):
        limit = 0.999 / fraction
        assert 0 < 1 - stats.truncnorm(-limit, limit).std() < loss


def test_a_point_has_its_own_noise() -> None:
    momenta, amplitude = two_body(np.full(1000, 500.0)), np.ones(1000)
    noise = GlobalNoise(fraction=0.05)
    first = noise.apply(momenta, amplitude, seed=1)[0]
    np.testing.assert_array_equal(first, noise.apply(momenta, amplitude, seed=1)[0])
    np.testing.assert_array_equal(first[:10], noise.apply(momenta[:10], amplitude[:10], seed=1)[0])
    other = noise.apply(momenta, amplitude, seed=2)[0]
    # Correlation of 1000 independent pairs: standard error 0.032.
    assert abs(np.corrcoef(first, other)[0, 1]) < ALLOWED * 0.032


def test_box() -> None:
    masses = np.linspace(150.0, 250.0, N)
    momenta, amplitude = two_body(masses), np.full(N, 2.0)
    noise = BoxNoise(fraction=0.1, centre=200.0, width=15.0)
    inside = (masses > 185.0) & (masses < 215.0)
    np.testing.assert_array_equal(noise.relative_sigma(momenta), np.where(inside, 0.1, 0.0))
    noisy, kept = noise.apply(momenta, amplitude, seed=5)
    np.testing.assert_array_equal(noisy[~inside], 2.0)
    n_inside = inside.sum()
    assert abs(noisy[inside].std() / 0.2 - 1) < ALLOWED / np.sqrt(2 * n_inside)
    assert kept.all()


def test_peak_is_capped_and_falls_with_the_distance() -> None:
    momenta = two_body(np.array([200.0, 201.0, 190.0, 220.0, 300.0]))
    noise = PeakedNoise(fraction=0.01, threshold=200.0, width=20.0, cap=0.1)
    np.testing.assert_allclose(noise.relative_sigma(momenta), [0.1, 0.1, 0.02, 0.01, 0.002], rtol=1e-9)


def test_gap() -> None:
    momenta, amplitude = two_body(np.array([170.0, 190.0, 210.0, 221.0])), np.arange(1.0, 5.0)
    noisy, kept = Gap().apply(momenta, amplitude, seed=1)
    np.testing.assert_array_equal(kept, [True, False, False, True])
    np.testing.assert_array_equal(noisy, amplitude)


def test_mass_of_chosen_legs(momenta: np.ndarray) -> None:
    total = momenta[:, 2] + momenta[:, 3]
    m_aa = np.sqrt(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1))
    np.testing.assert_allclose(Gap(legs=[2, 3]).mass(momenta), m_aa, rtol=1e-10)
    np.testing.assert_allclose(Gap().mass(momenta), 1000.0, rtol=1e-12)


@pytest.mark.parametrize("legs", [[2], [1, 2], [2, 2], [2, 5]])
def test_wrong_legs(momenta: np.ndarray, legs: list[int]) -> None:
    with pytest.raises(PyampError, match="two or more different legs of 2 to 4 expected"):
        Gap(legs=legs).kept(momenta)


def test_wrong_shapes() -> None:
    with pytest.raises(PyampError, match=r"amplitudes \(3,\) found; \(n, legs, 4\) and \(n,\) expected"):
        GlobalNoise().apply(np.zeros((4, 5, 4)), np.ones(3), seed=1)


class Run(StrictModel):
    noise: AnyNoiseConfig = NoNoise()


@pytest.mark.parametrize("kind", [NoNoise, GlobalNoise, BoxNoise, PeakedNoise, Gap])
def test_configuration(kind: type[NoiseConfig], momenta: np.ndarray) -> None:
    read = validated({"noise": {"type": kind().type}}, Run, "run.yaml").noise  # type: ignore[attr-defined]
    assert read == kind()
    assert read.relative_sigma(momenta).shape == (len(momenta),)
    assert isinstance(validated({}, Run, "run.yaml").noise, NoNoise)


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        ({"type": "globall"}, "did you mean 'global'"),
        ({"type": "global", "width": 3}, "unknown key 'noise.width'; did you mean"),
        ({"type": "global", "fraction": 0.5}, "less than or equal to 0.3"),
    ],
)
def test_bad_configuration(noise: dict[str, object], message: str) -> None:
    with pytest.raises(PyampError, match=message):
        validated({"noise": noise}, Run, "run.yaml")


def test_noise_is_extracted() -> None:
    np.testing.assert_allclose(
        sigma_noise(np.array([5.0, 1.0, 3.0]), np.array([3.0, 2.0, 3.0])), [4.0, 0.0, 0.0]
    )
