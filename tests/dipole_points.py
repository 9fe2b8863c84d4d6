"""Points close to soft and collinear limits, and the invariants from which dipoles are made."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch

from pyamp.kinematics import invariants


def matrix(momenta: torch.Tensor) -> torch.Tensor:
    """|s_ij| ``(n, legs, legs)``."""
    n_legs = momenta.shape[1]
    result = momenta.new_zeros((len(momenta), n_legs, n_legs))
    for k, (i, j) in enumerate(combinations(range(n_legs), 2)):
        result[:, i, j] = result[:, j, i] = invariants(momenta).abs()[:, k]
    return result


def three_body(
    rng: np.random.Generator, legs: list[int], fraction: np.ndarray, cos_theta: np.ndarray
) -> torch.Tensor:
    """2 → 3 at 1 TeV: leg ``legs[0]`` with that fraction of the largest energy and that angle to leg 0's beam.

    The other two decay isotropically from what is left.
    """
    n = len(fraction)
    half = 500.0
    total = np.array([2 * half, 0, 0, 0])
    energy = half * fraction

    def direction(cos: np.ndarray) -> np.ndarray:
        phi = rng.uniform(0, 2 * np.pi, n)
        sin = np.sqrt((1 - cos) * (1 + cos))
        return np.stack([sin * np.cos(phi), sin * np.sin(phi), cos], axis=1)

    first = np.concatenate([energy[:, None], energy[:, None] * direction(cos_theta)], axis=1)
    rest = total - first
    mass = np.sqrt(4 * half**2 * (1 - fraction))
    k = mass[:, None] / 2 * direction(rng.uniform(-1, 1, n))
    along = (k * rest[:, 1:]).sum(axis=1) / (mass * (rest[:, 0] + mass)) + 0.5
    second = k + along[:, None] * rest[:, 1:]
    third = rest[:, 1:] - second
    p = np.zeros((n, 5, 4))
    p[:, 0], p[:, 1] = [half, 0, 0, half], [half, 0, 0, -half]
    p[:, legs[0]] = first
    for leg, momentum in ((legs[1], second), (legs[2], third)):
        p[:, leg, 0], p[:, leg, 1:] = np.linalg.norm(momentum, axis=1), momentum
    return torch.from_numpy(p)
