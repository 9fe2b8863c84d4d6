"""Does the amplitude factorise on gg → γγ when its gluon is soft or collinear to a beam?

This fixes its absolute size. The box |M(gg → γγ)|² is that of Bern, De Freitas, Dixon, arXiv:hep-ph/0109078.
Deviations must fall like the next power of the gluon's transverse momentum; the bounds are about three times
the deviations that an independent program found.
"""

import numpy as np
import pytest

import pyamp

ALPHA_S, ALPHA, CHARGES, C_A = 0.118, 1 / 137.035999084, 11 / 9, 3


def box(s, t, u):
    """|M(gg → γγ)|², averaged over 256 states, without the identical-photon 1/2; massless quarks."""

    def log(x):
        return np.log(np.abs(x)) - 1j * np.pi * (x > 0)

    def m(a, b, c):
        x = log(b) - log(c)
        return -0.5 * (b**2 + c**2) / a**2 * (x**2 + np.pi**2) - (b - c) / a * x - 1

    total = 10 + 2 * sum(np.abs(m(*x)) ** 2 for x in ((s, t, u), (t, s, u), (u, s, t)))
    return (4 * ALPHA * ALPHA_S * CHARGES) ** 2 * 8 / 256 * total


def photons_against(recoil, cos_theta, phi):
    """Two massless momenta (n, 2, 4) that add up to recoil (n, 4), back to back in its rest frame."""
    mass = np.sqrt(recoil[:, 0] ** 2 - (recoil[:, 1:] ** 2).sum(axis=1))
    sin_theta = np.sqrt(1 - cos_theta**2)
    direction = np.stack([sin_theta * np.cos(phi), sin_theta * np.sin(phi), cos_theta], axis=1)
    photons = np.empty((len(recoil), 2, 4))
    for k, sign in enumerate((1, -1)):
        q = 0.5 * mass[:, None] * sign * direction
        along = (q * recoil[:, 1:]).sum(axis=1)
        shift = 0.5 + along / (recoil[:, 0] + mass) / mass
        photons[:, k, 1:] = q + recoil[:, 1:] * shift[:, None]
        photons[:, k, 0] = np.linalg.norm(photons[:, k, 1:], axis=1)
    return photons


def events(sqrt_s, gluon, cos_theta, phi):
    half = sqrt_s / 2
    momenta = np.zeros((len(gluon), 5, 4))
    momenta[:, 0] = half, 0, 0, half
    momenta[:, 1] = half, 0, 0, -half
    momenta[:, 4] = gluon
    momenta[:, 2:4] = photons_against(np.array([sqrt_s, 0, 0, 0]) - gluon, cos_theta, phi)
    return momenta


@pytest.mark.parametrize(
    ("pt", "median_bound"), [(1.0, 1.5e-2), (0.1, 1.7e-3), (1e-2, 2e-4), (1e-3, 2.5e-5), (1e-4, 3e-6)]
)
def test_soft_gluon(pt, median_bound):
    rng = np.random.default_rng(4)
    n, sqrt_s = 400, 500.0
    y, azimuth = rng.uniform(-1, 1, n), rng.uniform(0, 2 * np.pi, n)
    gluon = pt * np.stack([np.cosh(y), np.cos(azimuth), np.sin(azimuth), np.sinh(y)], axis=1)
    cos_theta, phi = rng.uniform(-0.8, 0.8, n), rng.uniform(0, 2 * np.pi, n)
    s = sqrt_s**2
    # p1·p2 / (p1·k p2·k) = 2/pt²
    eikonal = 4 * np.pi * ALPHA_S * 2 * C_A * 2 / pt**2
    expected = eikonal * box(s, -s * (1 - cos_theta) / 2, -s * (1 + cos_theta) / 2)
    found = pyamp.truth(alpha_s=ALPHA_S, alpha=ALPHA).me2(events(sqrt_s, gluon, cos_theta, phi))
    deviation = np.abs(found / expected - 1)
    assert np.median(deviation) < median_bound
    assert deviation.max() < 10 * median_bound


@pytest.mark.parametrize("beam", [0, 1])
@pytest.mark.parametrize(("kt", "bound"), [(10.0, 3e-2), (1.0, 2e-3), (0.1, 1.2e-4), (0.01, 8e-6)])
def test_gluon_collinear_to_a_beam(beam, kt, bound):
    # Averaged over the gluon's azimuth, which removes the interference of the incoming gluon's polarisations.
    sqrt_s, x, n = 500.0, 0.37, 64
    azimuth = 2 * np.pi * np.arange(n) / n
    fast = 1 - x  # momentum fraction that the gluon takes along the beam; the rest is kt² over it
    plus, minus = fast * sqrt_s, kt**2 / (fast * sqrt_s)
    sign = 1 if beam == 0 else -1
    gluon = np.stack(
        [
            np.full(n, (plus + minus) / 2),
            kt * np.cos(azimuth),
            kt * np.sin(azimuth),
            np.full(n, sign * (plus - minus) / 2),
        ],
        axis=1,
    )
    beam_dot_gluon = sqrt_s / 2 * minus
    splitting = 2 * C_A * (x / (1 - x) + (1 - x) / x + x * (1 - x))
    truth = pyamp.truth(alpha_s=ALPHA_S, alpha=ALPHA)
    for cos_theta in (-0.6, 0.1, 0.5):
        s = x * sqrt_s**2
        expected = 4 * np.pi * ALPHA_S / (x * beam_dot_gluon) * splitting
        expected *= box(s, -s * (1 - cos_theta) / 2, -s * (1 + cos_theta) / 2)
        found = truth.me2(events(sqrt_s, gluon, np.full(n, cos_theta), np.full(n, 0.3))).mean()
        assert found / expected == pytest.approx(1, abs=bound)


@pytest.mark.parametrize("pair", ["photons", "photon and gluon"])
def test_no_power_singularity_between_final_legs(pair):
    # A loop of quarks cannot split into γγ or γg: |M|² grows with logarithms only, not like 1/s_ij.
    values = []
    for angle in (1e-2, 1e-4):
        e = np.array([np.cos(angle), np.sin(angle)])
        a, b = 150.0, 180.0
        close = np.array([[a, a * 0.6, 0, a * 0.8], [b, b * 0.6 * e[0], b * 0.6 * e[1], b * 0.8]])
        third = -close[:, 1:].sum(axis=0)
        third = np.concatenate([[np.linalg.norm(third)], third])
        final = [close[0], close[1], third] if pair == "photons" else [close[0], third, close[1]]
        half = (a + b + third[0]) / 2
        values.append(pyamp.truth().me2([[half, 0, 0, half], [half, 0, 0, -half], *final]))
    assert 0.2 < values[1] / values[0] < 5
