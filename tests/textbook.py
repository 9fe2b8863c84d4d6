"""Tree-level squares of textbooks, couplings stripped, and points for them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def points(n_out: int, n: int = 20, energy: float = 200.0) -> Floats:
    """Flat points of massless legs (RAMBO, Comput. Phys. Commun. 40 (1986) 359), shape (n, 2 + n_out, 4)."""
    random = np.random.default_rng(n_out)
    direction = random.normal(size=(n, n_out, 3))
    q_energy = -np.log(random.random((n, n_out)) * random.random((n, n_out)))
    q = q_energy[..., None] * direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    total = np.concatenate([q_energy.sum(1)[:, None], q.sum(1)], axis=1)
    mass = np.sqrt(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(1))
    b, gamma = -total[:, 1:] / mass[:, None], total[:, 0] / mass
    along = np.einsum("ni,nki->nk", b, q)
    moved = q + b[:, None] * (q_energy + along / (1 + gamma)[:, None])[..., None]
    moved *= (energy / mass)[:, None, None]
    out = np.concatenate([np.linalg.norm(moved, axis=-1, keepdims=True), moved], axis=-1)
    beams = np.broadcast_to(energy / 2 * np.array([[1, 0, 0, 1], [1, 0, 0, -1]]), (n, 2, 4))
    return np.concatenate([beams, out], axis=1)


def dot(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 0] - (a[:, 1:] * b[:, 1:]).sum(1))


def s_t_u(p: Floats) -> tuple[Floats, Floats, Floats]:
    return 2 * dot(p[:, 0], p[:, 1]), -2 * dot(p[:, 0], p[:, 2]), -2 * dot(p[:, 0], p[:, 3])


def photon_to_quarks(p: Floats) -> Floats:
    s, t, u = s_t_u(p)
    return 3 / 9 * (4 * math.pi) ** 2 * 2 * (t**2 + u**2) / s**2


def photon_and_z_to_quarks(p: Floats) -> Floats:
    """Helicity amplitudes with Sherpa's masses and widths in the complex-mass scheme (arXiv:hep-ph/0605312)."""
    z, w = 91.1876 * (91.1876 - 2.4952j), 80.379 * (80.379 - 2.085j)
    sine = 1 - w / z
    s, t, u = s_t_u(p)

    def coupling(charge: float, isospin: float) -> complex:
        return complex((isospin - charge * sine) / np.sqrt(sine * (1 - sine)))

    total = np.zeros(len(p))
    for electron, i_e in (("L", -0.5), ("R", 0.0)):
        for quark, i_q in (("L", -0.5), ("R", 0.0)):
            exchange = 1 / 3 / s + coupling(-1, i_e) * coupling(-1 / 3, i_q) / (s - z)
            total += (u if electron == quark else t) ** 2 * np.abs(exchange) ** 2
    return np.asarray(3 * (4 * math.pi) ** 2 * total)  # 4 of the spinors, 1/4 of the average


def photon_to_quarks_and_gluon(p: Floats) -> Floats:
    """Ellis, Stirling, Webber, QCD and Collider Physics, section 3.1, before the integral over the beam's angle.

    Σ|M|² = C_F N_c Q² (4π)³ 8 Σ (p_i·k_j)²/(p1·p2 k1·g k2·g) with the beams p and the quarks k; 1/4 for the average.
    """
    a, b, k1, k2, g = (p[:, i] for i in range(5))
    squares = dot(a, k1) ** 2 + dot(a, k2) ** 2 + dot(b, k1) ** 2 + dot(b, k2) ** 2
    return 4 / 9 * (4 * math.pi) ** 3 * 2 * squares / (dot(a, b) * dot(k1, g) * dot(k2, g))


def four_gluons(p: Floats) -> Floats:
    s, t, u = s_t_u(p)
    return (4 * math.pi) ** 2 * 9 / 2 * (3 - t * u / s**2 - s * u / t**2 - s * t / u**2)


def quarks_to_gluons(p: Floats) -> Floats:
    s, t, u = s_t_u(p)
    return (4 * math.pi) ** 2 * (32 / 27 * (t**2 + u**2) / (t * u) - 8 / 3 * (t**2 + u**2) / s**2)
