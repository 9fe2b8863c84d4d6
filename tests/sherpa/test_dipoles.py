"""Do dipoles with the colours of three partons and Sherpa's e⁺e⁻ → dd̄g give e⁺e⁻ → dd̄gg with one gluon soft?"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pyamp
from pyamp.representations import Dipole, dipoles_of
from tests.dipole_points import matrix, three_body

pytestmark = pytest.mark.sherpa

C_F, C_A = 4.0 / 3.0, 3.0
LEGS = [11, -11, 1, -1, 21, 21]
SOFT = 5


def with_soft_gluon(rng: np.random.Generator, n: int, fraction: float) -> torch.Tensor:
    """Three hard partons and a gluon of that fraction of the beam energy, in their common rest frame."""
    hard = three_body(rng, [2, 3, 4], rng.uniform(0.3, 0.8, n), rng.uniform(-0.8, 0.8, n)).numpy()[:, 2:]
    cos, phi = rng.uniform(-1, 1, n), rng.uniform(0, 2 * np.pi, n)
    sin = np.sqrt(1 - cos**2)
    gluon = fraction * 500.0 * np.stack([np.ones(n), sin * np.cos(phi), sin * np.sin(phi), cos], axis=1)
    p = np.concatenate([hard, gluon[:, None]], axis=1)
    total = p.sum(axis=1)
    mass = np.sqrt(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1))
    along = (p[:, :, 1:] * total[:, None, 1:]).sum(axis=2)
    share = along / (mass * (mass + total[:, 0]))[:, None] - p[:, :, 0] / mass[:, None]
    result = np.zeros((n, 6, 4))
    result[:, 2:, 1:] = p[:, :, 1:] + share[:, :, None] * total[:, None, 1:]
    result[:, 2:, 0] = np.linalg.norm(result[:, 2:, 1:], axis=2)
    result[:, 0, 0] = result[:, 1, 0] = result[:, 0, 3] = mass / 2
    result[:, 1, 3] = -mass / 2
    return torch.from_numpy(result)


def colour(dipole: Dipole) -> tuple[float, list[int]]:
    """−T_ij·T_k/T_ij² times the Casimir of the splitting function, and the species after the mapping."""
    i, j = dipole.emitter
    parent = next((p for p in (LEGS[i], LEGS[j]) if abs(p) == 1), 21)
    reduced = [parent if leg == i else p for leg, p in enumerate(LEGS) if leg != j]
    with_gluon = 21 in (parent, LEGS[dipole.spectator])
    product = -C_A / 2 if with_gluon else C_A / 2 - C_F
    casimir = C_A if parent == 21 else C_F
    return -product / casimir * {"qg": C_F, "gg": C_A}[dipole.splitting], reduced


def test_soft_gluon() -> None:
    three, four = (
        pyamp.truth(f"sherpa:11 -11 -> 1 -1 {gluons}", 1.0, 1.0, generator="Comix")
        for gluons in ("21", "21 21")
    )
    rng = np.random.default_rng(3)
    deviations = []
    for fraction in (1e-3, 1e-5):
        momenta = with_soft_gluon(rng, 20, fraction)
        s = matrix(momenta)
        total = torch.zeros(len(momenta), dtype=torch.float64)
        for dipole in dipoles_of(LEGS, 2):
            if SOFT not in dipole.emitter:
                continue
            charge, species = colour(dipole)
            order = [0, 1, *(species.index(p) for p in (1, -1, 21))]
            mapped = dipole.mapped_momenta(momenta, s)[:, order].contiguous()
            value = 8 * np.pi * charge * dipole.evaluate(s)[0] / s[:, 0, 1]
            total += value * torch.from_numpy(three.me2(mapped.numpy()))
        ratio = torch.from_numpy(four.me2(momenta.numpy())) / total
        deviations.append(float((ratio - 1).abs().median()))
    assert deviations[1] < 1e-5
    assert deviations[1] < 0.03 * deviations[0]
