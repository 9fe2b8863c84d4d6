"""Does the g g → γ γ g g amplitude factorise where gluons are soft or collinear, and stay finite where photons are?"""

import numpy as np
import pytest
import torch

import pyamp
from pyamp.representations import RepresentationConfig

ALPHA_S, C_A = 0.118, 3
STRONG = 4 * np.pi * ALPHA_S


@pytest.fixture(scope="module")
def truth():
    return pyamp.truth("gg_to_aagg", alpha_s=ALPHA_S)


def dot(p, q):
    """Minkowski products of momenta (..., 4)."""
    return p[..., 0] * q[..., 0] - (p[..., 1:] * q[..., 1:]).sum(axis=-1)


def two_body(total, direction):
    """Two massless momenta (n, 2, 4) that add up to total (n, 4), along ±direction (n, 3) in its rest frame."""
    mass = np.sqrt(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1))
    pair = np.empty((len(total), 2, 4))
    for k, sign in enumerate((1, -1)):
        q = 0.5 * mass[:, None] * sign * direction
        along = (q * total[:, 1:]).sum(axis=1)
        shift = 0.5 + along / (total[:, 0] + mass) / mass
        pair[:, k, 1:] = q + total[:, 1:] * shift[:, None]
        pair[:, k, 0] = np.linalg.norm(pair[:, k, 1:], axis=1)
    return pair


def unit(theta, phi):
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=1)


def event(sqrt_s, photon_direction, *gluons):
    """gg → γγ and gluons (n, 4) each; the photons take the recoil."""
    half = sqrt_s / 2
    momenta = np.zeros((len(gluons[0]), 4 + len(gluons), 4))
    momenta[:, 0] = half, 0, 0, half
    momenta[:, 1] = half, 0, 0, -half
    momenta[:, 2:4] = two_body(np.array([sqrt_s, 0, 0, 0]) - sum(gluons), photon_direction)
    for k, gluon in enumerate(gluons):
        momenta[:, 4 + k] = gluon
    return momenta


def soft_events(energy):
    """Twelve events with one hard and one soft gluon, and the same without the soft one."""
    rng = np.random.default_rng(2)
    n, sqrt_s = 12, 500.0
    photon = unit(rng.uniform(0.6, 2.5, n), rng.uniform(0, 2 * np.pi, n))
    hard = 120 * np.hstack([np.ones((n, 1)), unit(rng.uniform(0.8, 2.3, n), rng.uniform(0, 2 * np.pi, n))])
    soft = energy * np.hstack([np.ones((n, 1)), unit(rng.uniform(0.8, 2.3, n), rng.uniform(0, 2 * np.pi, n))])
    return event(sqrt_s, photon, hard, soft), event(sqrt_s, photon, hard)


@pytest.mark.parametrize(("energy", "bound"), [(1.0, 3e-2), (1e-1, 3e-3), (1e-2, 3e-4)])
def test_soft_gluon(truth, energy, bound):
    # Three gluons: -T_i.T_j = C_A/2 for every pair. Deviations fall with the energy of the soft gluon.
    momenta, without = soft_events(energy)
    soft = momenta[:, 5]

    gluons = [momenta[:, k] for k in (0, 1, 4)]
    pairs = ((0, 1), (0, 2), (1, 2))
    eikonal = sum(dot(gluons[i], gluons[j]) / dot(gluons[i], soft) / dot(gluons[j], soft) for i, j in pairs)
    reduced = pyamp.truth("gg_to_aag", alpha_s=ALPHA_S).me2(without)
    expected = STRONG * C_A * eikonal * reduced
    deviation = np.abs(truth.me2(momenta) / expected - 1)
    assert np.median(deviation) < bound
    assert deviation.max() < 10 * bound


@pytest.mark.parametrize(("energy", "bound"), [(1.0, 3e-2), (1e-2, 3e-4)])
def test_antenna_is_as_singular_as_the_amplitude(truth, energy, bound):
    # Over their antennas, amplitudes with and without a soft gluon are in one ratio for all events.
    def over_antenna(truth, momenta):
        antenna = RepresentationConfig(factor="antenna").build(truth.pdg_ids)
        return truth.me2(momenta) / antenna.log_factor(torch.from_numpy(momenta)).exp().numpy()

    momenta, without = soft_events(energy)
    ratio = over_antenna(truth, momenta) / over_antenna(pyamp.truth("gg_to_aag"), without)
    deviation = np.abs(ratio / np.median(ratio) - 1)
    assert np.median(deviation) < bound
    assert deviation.max() < 10 * bound


@pytest.mark.parametrize(("angle", "bound"), [(3e-2, 3e-3), (3e-3, 3e-5)])
@pytest.mark.parametrize("z", [0.3, 0.55])
def test_collinear_gluons(truth, angle, bound, z):
    # Averaged over the azimuth of the splitting, which removes the interference of the parent's polarisations and the
    # terms of first order in the angle. At a quarter and three quarters of the circle four legs are coplanar.
    sqrt_s, energy, n = 500.0, 150.0, 8
    phi = 2 * np.pi * np.arange(n) / n
    mass2 = z * (1 - z) * (energy * angle) ** 2
    # The parent along x; its decay is made along z and turned.
    parent = np.array([np.sqrt(energy**2 + mass2), 0, 0, energy]) * np.ones((n, 1))
    decay = two_body(parent, unit(np.full(n, np.arccos(2 * z - 1)), phi))[..., [0, 3, 1, 2]]
    photon = unit(np.full(n, 1.1), np.full(n, 0.7))
    momenta = event(sqrt_s, photon, decay[:, 0], decay[:, 1])
    massless = np.array([[energy, energy, 0, 0]])
    reduced = pyamp.truth("gg_to_aag", alpha_s=ALPHA_S).me2(event(sqrt_s, photon[:1], massless))[0]
    splitting = 2 * C_A * (z / (1 - z) + (1 - z) / z + z * (1 - z))
    expected = 2 * STRONG / mass2 * splitting * reduced
    assert truth.me2(momenta).mean() / expected == pytest.approx(1, abs=bound)


@pytest.mark.parametrize("order", [[2, 4, 3, 5], [2, 3, 4, 5]], ids=["photon and gluon", "photons"])
def test_no_power_singularity_of_photons(truth, order):
    # Quark loops do not split into γγ or γg: |M|² grows with logarithms only, not like 1/s_ij.
    values = []
    for angle in (1e-2, 1e-3):
        close = two_body(
            np.array([[np.sqrt(160**2 + (160 * angle / 2) ** 2), 0, 0, 160.0]]),
            unit(*np.array([[1.5], [0.4]])),
        )
        close = close[..., [0, 3, 1, 2]]
        other = two_body(np.array([[500.0, 0, 0, 0]]) - close.sum(axis=1), unit(*np.array([[1.2], [0.9]])))
        momenta = np.zeros((6, 4))
        momenta[0], momenta[1] = [250, 0, 0, 250], [250, 0, 0, -250]
        for leg, p in zip(order, [*close[0], *other[0]], strict=True):
            momenta[leg] = p
        values.append(truth.me2(momenta))
    assert 0.2 < values[1] / values[0] < 5


def gg_to_aa(s, t, u):
    """⟨|M|²⟩ of g g → γ γ through five massless quarks (hep-ph/0109078): 16 helicities, 8 colours, over 4·64."""

    def two_of_each(s, t, u):
        """Helicities that add up to zero, those with equal signs in the channel s."""
        log = np.log(np.abs(t / u)) + 1j * np.pi * ((t > 0).astype(int) - (u > 0).astype(int))
        return -0.5 * (t**2 + u**2) / s**2 * (log**2 + np.pi**2) - (t - u) / s * log - 1

    channels = (two_of_each(s, t, u), two_of_each(u, t, s), two_of_each(t, u, s))
    helicities = 10 + 2 * sum(np.abs(amplitude) ** 2 for amplitude in channels)
    return 8 / 256 * (4 * ALPHA_S / 137.035999084 * 11 / 9) ** 2 * helicities


def double_soft(p, k, q1, q2):
    """S_ij(q1, q2) of hep-ph/9908523, eqs. (109) and (110), in four dimensions."""
    direct, crossed = dot(p, q1) * dot(k, q2), dot(p, q2) * dot(k, q1)
    pair = dot(p, q1 + q2) * dot(k, q1 + q2)
    ordered = dot(p, k) / dot(q1, q2) * (1 / direct + 1 / crossed) - dot(p, k) ** 2 / (direct * crossed)
    share = (direct + crossed) / pair
    return ordered + share * (1 / dot(q1, q2) ** 2 - ordered / 2) - 2 * dot(p, k) / (dot(q1, q2) * pair)


@pytest.mark.parametrize(("energy", "bound"), [(1.0, 1e-2), (1e-1, 1e-3), (1e-2, 1e-4)])
def test_two_soft_gluons(truth, energy, bound):
    # hep-ph/9908523, eq. (108): two hard gluons in a singlet leave T_1.T_2 = -C_A. Both soft gluons have comparable
    # energies, so that their own splitting and its interference with the eikonal emission count.
    rng = np.random.default_rng(4)
    n, sqrt_s = 8, 500.0
    photon = unit(rng.uniform(0.6, 2.5, n), rng.uniform(0, 2 * np.pi, n))
    directions = [unit(rng.uniform(0.6, 2.5, n), rng.uniform(0, 2 * np.pi, n)) for _ in range(2)]
    q1, q2 = (
        e * np.hstack([np.ones((n, 1)), d]) for e, d in zip((energy, 0.6 * energy), directions, strict=True)
    )
    momenta = event(sqrt_s, photon, q1, q2)
    p1, p2 = momenta[:, 0], momenta[:, 1]

    def single(q):
        return 2 * C_A * dot(p1, p2) / (dot(p1, q) * dot(p2, q))

    ends = double_soft(p1, p1, q1, q2) + double_soft(p2, p2, q1, q2)
    current = single(q1) * single(q2) + C_A**2 * (2 * double_soft(p1, p2, q1, q2) - ends)
    s, cosine = np.full(n, sqrt_s**2), photon[:, 2]
    expected = STRONG**2 * current * gg_to_aa(s, -s * (1 - cosine) / 2, -s * (1 + cosine) / 2)
    deviation = np.abs(truth.me2(momenta) / expected - 1)
    assert np.median(deviation) < bound
    assert deviation.max() < 10 * bound


@pytest.mark.parametrize("legs", [5, 6])
def test_soft_photon(legs):
    # Gluons have no charge: nothing like 1/energy², which would be a factor 100 for each step. The quarks of the loop
    # become soft as well and leave logarithms.
    rng = np.random.default_rng(5)
    n, sqrt_s = 6, 500.0
    directions = [unit(rng.uniform(0.6, 2.5, n), rng.uniform(0, 2 * np.pi, n)) for _ in range(3)]
    hard = [120 * np.hstack([np.ones((n, 1)), directions[0]])] * (legs - 5)
    values = []
    for energy in (1.0, 1e-1, 1e-2, 1e-3):
        soft = energy * np.hstack([np.ones((n, 1)), directions[1]])
        rest = event(sqrt_s, directions[2], soft, *hard)
        # the soft leg to the place of a photon
        momenta = rest[:, [0, 1, 4, 2, 3, *range(5, legs)]]
        values.append(pyamp.truth("gg_to_aag" if legs == 5 else "gg_to_aagg").me2(momenta))
    growth = np.array(values[1:]) / np.array(values[:-1])
    assert (growth < 3).all()
    assert (growth > 1 / 3).all()
