"""Lorentz transformations and exchanges of legs of batches of momenta."""

from __future__ import annotations

import numpy as np


def rotation(generator: np.random.Generator) -> np.ndarray:
    """A random rotation as a matrix ``(4, 4)`` for ``[E, px, py, pz]``."""
    q, r = np.linalg.qr(generator.normal(size=(3, 3)))
    q *= np.sign(np.diag(r))
    result = np.eye(4)
    result[1:, 1:] = q * np.linalg.det(q)
    return result


def lorentz_transformation(seed: int, rapidity: float = 1.5) -> np.ndarray:
    """A boost of that rapidity between two random rotations, ``(4, 4)``."""
    generator = np.random.default_rng(seed)
    boost = np.eye(4)
    boost[0, 0] = boost[3, 3] = np.cosh(rapidity)
    boost[0, 3] = boost[3, 0] = np.sinh(rapidity)
    return rotation(generator) @ boost @ rotation(generator)


def exchanged(momenta: np.ndarray, i: int, j: int) -> np.ndarray:
    """Momenta ``(n, legs, 4)`` with legs i and j exchanged."""
    legs = list(range(momenta.shape[1]))
    legs[i], legs[j] = j, i
    return momenta[:, legs]
