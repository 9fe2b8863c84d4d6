"""Classical interpolation of amplitudes: the yardstick for networks (arXiv:2412.09534).

The methods see what a network sees: standardised logarithms of invariants, and the standardised logarithm of the
amplitude without its known factor.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.linalg import lstsq, qr

from pyamp.errors import PyampError
from pyamp.representations import RepresentationConfig
from pyamp.targets import Log

FloatArray = NDArray[np.float64]

CHUNK = 4096

Kernel = Literal["gaussian", "multiquadric", "cubic"]


class Interpolation(ABC):
    """Momenta to amplitudes, from known points.

    Parameters
    ----------
    pdg_ids : sequence of int
        Of the legs, incoming ones first.
    n_incoming : int
    representation : RepresentationConfig, optional
        Of type ordered_invariants (the default) or log_invariants; of its features only the logarithms are used.
    """

    def __init__(
        self,
        pdg_ids: Sequence[int],
        n_incoming: int = 2,
        representation: RepresentationConfig | None = None,
    ) -> None:
        config = representation or RepresentationConfig()
        if config.type not in ("ordered_invariants", "log_invariants"):
            raise PyampError(
                f"interpolation: representation {config.type} found, ordered_invariants or log_invariants expected"
            )
        logarithms = RepresentationConfig(type=config.type, factor=config.factor)
        self._representation = logarithms.build(list(pdg_ids), n_incoming)
        self._target = Log()
        self._known = False

    @property
    @abstractmethod
    def n_bytes(self) -> int:
        """Memory of what :meth:`predict` needs."""

    @abstractmethod
    def _fit(self, x: FloatArray, t: FloatArray) -> None:
        """Take features ``(n, d)`` and targets ``(n,)``, standardised."""

    @abstractmethod
    def _predict(self, x: FloatArray) -> FloatArray:
        """Standardised targets ``(n,)`` of features ``(n, d)``."""

    def fit(self, momenta: FloatArray, amplitude: FloatArray) -> Self:
        """Take the points to interpolate.

        Parameters
        ----------
        momenta : ndarray
            ``(n, legs, 4)`` in GeV.
        amplitude : ndarray
            ``(n,)``, positive.

        Returns
        -------
        Interpolation
            Itself.

        Raises
        ------
        PyampError
            Fewer points than the method needs.
        """
        points, values = torch.from_numpy(momenta), torch.from_numpy(amplitude)
        self._representation.fit(points)
        log_factor = self._representation.log_factor(points)
        self._target.fit(values, log_factor)
        self._fit(self._representation(points).numpy(), self._target(values, log_factor).numpy())
        self._known = True
        return self

    def predict(self, momenta: FloatArray) -> FloatArray:
        """Amplitudes ``(n,)`` of momenta ``(n, legs, 4)``, in the unit of the known ones.

        Raises
        ------
        PyampError
            :meth:`fit` was not called.
        """
        if not self._known:
            raise PyampError("interpolation: no points found; call fit first")
        if not len(momenta):
            return np.empty(0)
        points = torch.from_numpy(momenta)
        x = self._representation(points).numpy()
        t = np.concatenate([self._predict(x[i : i + CHUNK]) for i in range(0, len(x), CHUNK)])
        log_factor = self._representation.log_factor(points).numpy()
        return np.asarray(np.exp(log_factor + float(self._target.mean) + float(self._target.std) * t))


class RadialBasis(Interpolation):
    """Radial basis functions of the nearest known points, with a linear function beside them, around every point.

    It goes through the known points, and solves a linear system of ``neighbours`` unknowns for each prediction. Wide
    smooth functions in all invariants, which depend on each other, are far better than any function in a minimal set of
    them, and a function wider than the distances is close to the best polynomial through the neighbours.

    Parameters
    ----------
    pdg_ids, n_incoming, representation
        See :class:`Interpolation`.
    neighbours : int
        Known points that a prediction uses.
    kernel : {"gaussian", "multiquadric", "cubic"}
        exp(−(εr)²), −√(1 + (εr)²) or r³.
    epsilon : float
        ε, in units of the standardised features; without effect on cubic.
    """

    def __init__(
        self,
        pdg_ids: Sequence[int],
        n_incoming: int = 2,
        representation: RepresentationConfig | None = None,
        *,
        neighbours: int = 100,
        kernel: Kernel = "gaussian",
        epsilon: float = 0.1,
    ) -> None:
        super().__init__(pdg_ids, n_incoming, representation)
        self.neighbours = neighbours
        self.kernel = kernel
        self.epsilon = epsilon
        self._interpolator: RBFInterpolator | None = None

    @property
    def n_bytes(self) -> int:
        known = self._interpolator
        return 0 if known is None else int(known.y.nbytes + known.d.nbytes)

    def _fit(self, x: FloatArray, t: FloatArray) -> None:
        needed = 1 + x.shape[1]
        if min(len(t), self.neighbours) < needed:
            raise PyampError(
                f"interpolation: {len(t)} points and {self.neighbours} neighbours found, at least {needed} of both "
                "expected for a linear function"
            )
        neighbours = min(len(t), self.neighbours)
        self._interpolator = RBFInterpolator(
            x, t, neighbors=neighbours, kernel=self.kernel, epsilon=self.epsilon, degree=1
        )

    def _predict(self, x: FloatArray) -> FloatArray:
        assert self._interpolator is not None
        return np.asarray(self._interpolator(x), dtype=np.float64)


class Polynomial(Interpolation):
    """Chebyshev polynomials of a largest total degree in all features, fitted by least squares.

    Features are mapped to [−1, 1]; what lies outside of the known range is taken to its border.

    Parameters
    ----------
    pdg_ids, n_incoming, representation
        See :class:`Interpolation`.
    degree : int
        Largest total degree; d features give C(degree + d, d) coefficients.
    """

    def __init__(
        self,
        pdg_ids: Sequence[int],
        n_incoming: int = 2,
        representation: RepresentationConfig | None = None,
        *,
        degree: int = 4,
    ) -> None:
        super().__init__(pdg_ids, n_incoming, representation)
        self.degree = degree
        self._exponents = np.empty((0, 0), dtype=np.intp)
        self._coefficients = self._low = self._high = np.empty(0)

    @property
    def n_bytes(self) -> int:
        return self._coefficients.nbytes + self._exponents.nbytes

    def _fit(self, x: FloatArray, t: FloatArray) -> None:
        self._low, self._high = x.min(axis=0), x.max(axis=0)
        self._exponents = np.array(_exponents(x.shape[1], self.degree), dtype=np.intp)
        n = len(self._exponents)
        if len(t) < n:
            raise PyampError(
                f"interpolation: {len(t)} points found, at least {n} expected for degree {self.degree}; lower it"
            )
        # Chunk by chunk, so that the whole matrix is never there.
        triangle = np.empty((0, n + 1))
        rows = max(CHUNK, n)
        for i in range(0, len(t), rows):
            chunk = np.column_stack([self._basis(x[i : i + rows]), t[i : i + rows]])
            triangle = qr(np.vstack([triangle, chunk]), mode="r")[0][: n + 1]
        self._coefficients = np.asarray(lstsq(triangle[:n, :n], triangle[:n, n])[0])

    def _predict(self, x: FloatArray) -> FloatArray:
        return np.asarray(self._basis(x) @ self._coefficients, dtype=np.float64)

    def _basis(self, x: FloatArray) -> FloatArray:
        """Products of Chebyshev polynomials ``(n, coefficients)``."""
        scaled = 2.0 * (np.clip(x, self._low, self._high) - self._low) / (self._high - self._low) - 1.0
        single = np.cos(np.arccos(np.clip(scaled, -1.0, 1.0))[:, :, None] * np.arange(self.degree + 1))
        result = np.ones((len(x), len(self._exponents)))
        for k in range(x.shape[1]):
            result *= single[:, k, self._exponents[:, k]]
        return result


def _exponents(d: int, degree: int) -> list[tuple[int, ...]]:
    """All exponents of monomials of d variables up to a total degree."""
    if d == 0:
        return [()]
    return [(k, *rest) for k in range(degree + 1) for rest in _exponents(d - 1, degree - k)]
