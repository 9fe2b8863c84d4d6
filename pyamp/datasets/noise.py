"""Noise on training amplitudes, of known size: what a learned σ_syst has to find again (arXiv:2412.12069)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, Tag

from pyamp.configuration import StrictModel, by_type
from pyamp.errors import PyampError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

LARGEST_FRACTION = 0.3  # beyond, amplitudes that stay positive can no longer be normal
_SMALLEST_RATIO = 1e-3  # of a noisy to the true amplitude: no logarithm far below all others
_N_INCOMING = 2


class NoiseConfig(StrictModel, ABC):
    """Noise of one kind: A → A (1 + f z) with z normal, f ≥ 0 a function of the point; or points left out.

    Amplitudes stay positive since z is cut off at ±0.999/f. The cut is symmetric, so the mean is exactly A; the
    deviation is smaller than f A by less than 1e-5 of it for f ≤ 0.2, and by 0.6 % for f = 0.3, the largest accepted.
    """

    @abstractmethod
    def relative_sigma(self, momenta: FloatArray) -> FloatArray:
        """f = σ_noise/A ``(n,)`` at momenta ``(n, legs, 4)`` in GeV."""

    def kept(self, momenta: FloatArray) -> BoolArray:
        """Which points ``(n,)`` the training sees."""
        return np.ones(len(momenta), dtype=np.bool_)

    def apply(self, momenta: FloatArray, amplitude: FloatArray, seed: int) -> tuple[FloatArray, BoolArray]:
        """Noisy amplitudes and the points to keep.

        Parameters
        ----------
        momenta : ndarray
            ``(n, legs, 4)``, GeV, ``[E, px, py, pz]``, two incoming legs first.
        amplitude : ndarray
            ``(n,)``, positive, any unit.
        seed : int
            The noise of the i-th point depends on seed and i alone, however many points there are.

        Returns
        -------
        tuple of ndarray
            Amplitudes ``(n,)``, positive, and mask ``(n,)`` of the points that stay.
        """
        if momenta.ndim != 3 or momenta.shape[2] != 4 or amplitude.shape != momenta.shape[:1]:
            raise PyampError(
                f"noise: momenta {momenta.shape} and amplitudes {amplitude.shape} found; "
                "(n, legs, 4) and (n,) expected"
            )
        f = self.relative_sigma(momenta)
        noisy = amplitude * (1.0 + f * _truncated_normal(f, seed))
        return noisy, self.kept(momenta)


class NoNoise(NoiseConfig):
    """``none``: the exact amplitudes."""

    type: Literal["none"] = "none"

    def relative_sigma(self, momenta: FloatArray) -> FloatArray:
        return np.zeros(len(momenta))


class GlobalNoise(NoiseConfig):
    """``global``: the same relative noise everywhere, A' ~ N(A, (f A)²)."""

    type: Literal["global"] = "global"
    fraction: float = Field(default=0.01, ge=0, le=LARGEST_FRACTION, description="f")

    def relative_sigma(self, momenta: FloatArray) -> FloatArray:
        return np.full(len(momenta), self.fraction)


class _MassNoise(NoiseConfig, ABC):
    """Noise that depends on the invariant mass of some outgoing legs."""

    legs: list[int] = Field(
        default=[], description="outgoing legs whose mass it is, counted from 0 with the incoming; none: all"
    )

    def mass(self, momenta: FloatArray) -> FloatArray:
        """Invariant mass of the legs ``(n,)`` in GeV."""
        import torch

        from pyamp.kinematics import invariant_mass

        outgoing = range(_N_INCOMING, momenta.shape[1])
        legs = self.legs or outgoing
        if len(legs) < 2 or len(set(legs)) < len(legs) or not set(legs) <= set(outgoing):
            raise PyampError(
                f"noise.legs is {self.legs}; two or more different legs of {outgoing[0]} to {outgoing[-1]} expected"
            )
        momenta = np.ascontiguousarray(momenta, dtype=np.float64)
        return np.asarray(invariant_mass(torch.from_numpy(momenta), legs, _N_INCOMING).numpy())


class BoxNoise(_MassNoise):
    """``box``: relative noise in a window of the invariant mass, |m − centre| < width."""

    type: Literal["box"] = "box"
    fraction: float = Field(default=0.05, ge=0, le=LARGEST_FRACTION, description="f inside the window")
    centre: float = Field(default=200.0, ge=0, description="in GeV")
    width: float = Field(default=20.0, gt=0, description="half of the window, in GeV")

    def relative_sigma(self, momenta: FloatArray) -> FloatArray:
        inside = np.abs(self.mass(momenta) - self.centre) < self.width
        return np.where(inside, self.fraction, 0.0)


class PeakedNoise(_MassNoise):
    """``peaked``: relative noise like instabilities at a threshold, min(cap, fraction · width/|m − threshold|)."""

    type: Literal["peaked"] = "peaked"
    fraction: float = Field(
        default=0.01, ge=0, le=LARGEST_FRACTION, description="f at a distance of width from the threshold"
    )
    threshold: float = Field(default=200.0, ge=0, description="in GeV")
    width: float = Field(default=20.0, gt=0, description="in GeV")
    cap: float = Field(default=0.1, gt=0, le=LARGEST_FRACTION, description="largest f")

    def relative_sigma(self, momenta: FloatArray) -> FloatArray:
        distance = np.abs(self.mass(momenta) - self.threshold)
        # Multiplied out: the distance may be 0.
        capped = self.fraction * self.width >= self.cap * distance
        return np.where(capped, self.cap, self.fraction * self.width / np.where(capped, 1.0, distance))


class Gap(_MassNoise):
    """``gap``: no noise, but no points in a window of the invariant mass, |m − centre| < width."""

    type: Literal["gap"] = "gap"
    centre: float = Field(default=200.0, ge=0, description="in GeV")
    width: float = Field(default=20.0, gt=0, description="half of the window, in GeV")

    def relative_sigma(self, momenta: FloatArray) -> FloatArray:
        return np.zeros(len(momenta))

    def kept(self, momenta: FloatArray) -> BoolArray:
        return np.asarray(np.abs(self.mass(momenta) - self.centre) >= self.width)


AnyNoiseConfig = Annotated[
    Annotated[NoNoise, Tag("none")]
    | Annotated[GlobalNoise, Tag("global")]
    | Annotated[BoxNoise, Tag("box")]
    | Annotated[PeakedNoise, Tag("peaked")]
    | Annotated[Gap, Tag("gap")],
    by_type("none"),
]


def sigma_noise(sigma_syst: FloatArray, sigma_syst_0: FloatArray) -> FloatArray:
    """Noise that a surrogate found, ``√max(0, σ_syst² − σ_syst,0²)``, ``(n,)``, in the unit of the arguments.

    Parameters
    ----------
    sigma_syst, sigma_syst_0 : ndarray
        ``(n,)``: σ_syst learned with and without noise in the training amplitudes (arXiv:2412.12069).
    """
    difference = np.square(sigma_syst) - np.square(sigma_syst_0)
    return np.asarray(np.sqrt(np.maximum(0.0, difference)))


def _truncated_normal(f: FloatArray, seed: int) -> FloatArray:
    """Standard normal numbers ``(n,)`` within ±0.999/f: one draw for each point, by the inverse of the distribution."""
    from scipy.special import ndtr, ndtri

    # Counter-based: the i-th output belongs to the i-th point.
    bits = np.random.Philox(key=seed).random_raw(len(f))
    uniform = ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    # No limit where there is no noise.
    limit = np.where(f > 0, (1.0 - _SMALLEST_RATIO) / np.where(f > 0, f, 1.0), np.inf)
    below = ndtr(-limit)
    return np.asarray(np.clip(ndtri(below + (1.0 - 2.0 * below) * uniform), -limit, limit))
