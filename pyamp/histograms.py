"""Kinematic distributions of a surrogate, with the uncertainties that its own make in a bin (arXiv:2206.14831)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import boost_histogram as bh
import numpy as np
import torch
from numpy.typing import NDArray

from pyamp.errors import PyampError
from pyamp.surrogate import Surrogate

FloatArray = NDArray[np.float64]

CHUNK = 8192


def mass(momenta: FloatArray, legs: Sequence[int]) -> FloatArray:
    """Invariant mass in GeV, ``(n,)``, of the sum of some legs of momenta ``(n, n_legs, 4)``."""
    total = momenta[:, list(legs)].sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1), 0.0)))


def transverse_momentum(momenta: FloatArray, legs: Sequence[int], rank: int = 0) -> FloatArray:
    """pT in GeV, ``(n,)``, of the hardest of some legs of momenta ``(n, n_legs, 4)``; of the next for rank 1, …"""
    pt = np.hypot(momenta[:, list(legs), 1], momenta[:, list(legs), 2])
    return np.asarray(np.sort(pt, axis=1)[:, -1 - rank])


def delta_r(momenta: FloatArray, i: int, j: int) -> FloatArray:
    """``√(Δη² + Δφ²)``, ``(n,)``, of legs i and j of momenta ``(n, n_legs, 4)``."""
    eta, phi = [], []
    for leg in (i, j):
        px, py, pz = momenta[:, leg, 1:].T
        eta.append(np.arcsinh(pz / np.hypot(px, py)))
        phi.append(np.arctan2(py, px))
    around = np.remainder(phi[0] - phi[1] + np.pi, 2.0 * np.pi) - np.pi
    return np.asarray(np.hypot(eta[0] - eta[1], around))


@dataclass(frozen=True)
class Histogram:
    """A distribution, ``(n_bins,)`` each but for the edges.

    Attributes
    ----------
    edges : ndarray
        ``(n_bins + 1,)``
    value : ndarray
        ``h = Σ_j w_j A_j`` over the points j of a bin, A the mean over members.
    sigma_stat : ndarray
        Standard deviation over the members m of ``h_m = Σ_j w_j A_m,j``: a weight vector moves all points together, so
        its shifts add up before they are squared.
    sigma_syst : ndarray
        ``√(Σ_j w_j² σ_syst,j²)``: points that err independently of each other.
    sigma_points : ndarray
        ``√(Σ_j w_j² A_j²)``: of a Monte Carlo integral, from the finite number of points.
    truth : ndarray or None
        ``Σ_j w_j A_true,j``
    """

    edges: FloatArray
    value: FloatArray
    sigma_stat: FloatArray
    sigma_syst: FloatArray
    sigma_points: FloatArray
    truth: FloatArray | None = None


def histogram(
    observable: FloatArray,
    edges: FloatArray,
    member_means: FloatArray,
    sigma_syst: FloatArray,
    weights: FloatArray | None = None,
    truth: FloatArray | None = None,
) -> Histogram:
    """Fill a histogram from predictions for points.

    Parameters
    ----------
    observable : ndarray
        ``(n,)``; points below the first or not below the last edge are left out.
    edges : ndarray
        ``(n_bins + 1,)``, rising.
    member_means : ndarray
        ⟨A⟩ of each member, ``(members, n)``.
    sigma_syst : ndarray
        ``(n,)``
    weights : ndarray, optional
        ``(n,)``, of the phase space for instance; 1 by default.
    truth : ndarray, optional
        ``(n,)``

    Raises
    ------
    PyampError
        Arrays that do not belong to the same points.
    """
    n = len(observable)
    weights = np.ones(n) if weights is None else weights
    for name, array in {
        "member_means": member_means,
        "sigma_syst": sigma_syst,
        "weights": weights,
        **({} if truth is None else {"truth": truth}),
    }.items():
        if array.shape[-1] != n or array.ndim != (2 if name == "member_means" else 1):
            raise PyampError(
                f"histogram: {name} of shape {array.shape} found, {n} points expected as of the observable"
            )
    axis = bh.axis.Variable(edges)

    def fill(values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Σ w v and √(Σ w² v²) of each bin."""
        filled = bh.Histogram(axis, storage=bh.storage.Weight())
        filled.fill(observable, weight=weights * values)
        return np.asarray(filled.values()), np.sqrt(np.asarray(filled.variances()))

    of_members = np.stack([fill(member)[0] for member in member_means])
    value, sigma_points = fill(member_means.mean(axis=0))
    return Histogram(
        np.asarray(edges, dtype=np.float64),
        value,
        of_members.std(axis=0),
        fill(sigma_syst)[1],
        sigma_points,
        None if truth is None else fill(truth)[0],
    )


def histogram_of_surrogate(
    surrogate: Surrogate,
    momenta: FloatArray,
    observable: FloatArray,
    edges: FloatArray,
    weights: FloatArray | None = None,
    truth: FloatArray | None = None,
) -> Histogram:
    """Evaluate a surrogate at momenta ``(n, n_legs, 4)`` and fill; couplings are stripped, as in the truth.

    Members are as trained: a recalibration of the surrogate changes σ_h,syst only. The statistical uncertainty that an
    evidential likelihood adds to each point is not part of σ_h,stat, since nothing says how it is correlated.
    """
    means, sigmas = [], []
    with torch.inference_mode():
        for chunk in torch.split(torch.from_numpy(momenta), CHUNK):
            means.append(surrogate.member_means(chunk))
            sigmas.append(surrogate(chunk).sigma_syst)
    member_means, sigma_syst = torch.cat(means, dim=1).numpy(), torch.cat(sigmas).numpy()
    return histogram(observable, edges, member_means, sigma_syst, weights, truth)


def plot_histogram(path: str | os.PathLike[str], result: Histogram, label: str, title: str) -> None:
    """Save a distribution, and below it the relative uncertainties with the deviation from the truth where known.

    Parameters
    ----------
    path : path-like
        PNG or PDF.
    result : Histogram
    label : str
        Of the axis, with its unit.
    title : str
    """
    import matplotlib.style
    import mplhep
    from matplotlib.figure import Figure

    with matplotlib.style.context(mplhep.style.ATLAS):
        figure = Figure(figsize=(7, 7))
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
        filled = result.value != 0
        safe = np.where(filled, result.value, 1.0)
        if result.truth is not None:
            mplhep.histplot(result.truth, result.edges, ax=upper, color="black", label="truth")
            mplhep.histplot(
                np.where(filled, result.truth / safe - 1.0, 0.0), result.edges, ax=lower, color="black"
            )
        mplhep.histplot(
            result.value, result.edges, ax=upper, color="tab:blue", linestyle="--", label="surrogate"
        )
        for name, sigma, colour in (
            (r"$\sigma_\mathrm{stat}$", result.sigma_stat, "tab:orange"),
            (r"$\sigma_\mathrm{syst}$", result.sigma_syst, "tab:green"),
        ):
            relative = np.where(filled, sigma / np.abs(safe), 0.0)
            lower.stairs(
                relative, result.edges, baseline=-relative, fill=True, alpha=0.4, color=colour, label=name
            )
        upper.set_yscale("log")
        upper.set_ylabel(r"$\sum w A$ per bin")
        upper.legend()
        lower.set_ylabel("relative to surrogate")
        lower.set_xlabel(label)
        lower.legend()
        figure.suptitle(title, fontsize="small")
        figure.tight_layout()
        figure.savefig(Path(path), dpi=120)
