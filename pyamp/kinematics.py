"""Lorentz invariants of batches of massless momenta, as a Torch operator."""

from collections.abc import Sequence

import torch

from pyamp.paths import library

torch.ops.load_library(str(library("pyamp_torch")))  # type: ignore[no-untyped-call]


def invariants(momenta: torch.Tensor, n_incoming: int = 2) -> torch.Tensor:
    """All invariants s_ij of massless momenta, without cancellation for collinear or soft pairs.

    ``s_ij = (p_i + p_j)²`` for two incoming or two outgoing legs and ``(p_i − p_j)²`` otherwise. The formula uses
    ``|p_i × p_j|²`` with compensated products, so an invariant keeps its relative precision however small it is. Only
    the three-momenta enter; the gradient with respect to the energies is 0.

    Parameters
    ----------
    momenta : torch.Tensor
        Shape ``(n, legs, 4)``, float64, GeV, ``[E, px, py, pz]``, incoming legs first with positive energy. Any
        strides, CPU or CUDA, n may be 0. Differentiable once.
    n_incoming : int
        Number of incoming legs.

    Returns
    -------
    torch.Tensor
        Shape ``(n, legs (legs − 1)/2)``, float64, GeV², in the order (0,1), (0,2), …, (1,2), ….

    Raises
    ------
    ValueError, TypeError
        Wrong shape, wrong dtype.
    """
    s: torch.Tensor = torch.ops.pyamp.invariants(momenta, n_incoming)
    return s


def pair_index(i: int, j: int, n_legs: int) -> int:
    """Position of s_ij, in either order of i and j, in the output of :func:`invariants`."""
    i, j = min(i, j), max(i, j)
    return i * (2 * n_legs - i - 1) // 2 + j - i - 1


def invariant_mass(momenta: torch.Tensor, legs: Sequence[int], n_incoming: int = 2) -> torch.Tensor:
    """Invariant mass of the sum of some outgoing massless legs.

    A sum of pair invariants, thus without the cancellation of E² − p².

    Parameters
    ----------
    momenta : torch.Tensor
        Shape ``(n, legs, 4)``, float64, GeV, ``[E, px, py, pz]``, incoming legs first with positive energy.
    legs : sequence of int
        Two or more, counted from 0 with the incoming legs.
    n_incoming : int
        Number of incoming legs.

    Returns
    -------
    torch.Tensor
        Shape ``(n,)``, float64, GeV.
    """
    pairs = [pair_index(i, j, momenta.shape[1]) for i in legs for j in legs if i < j]
    mass: torch.Tensor = invariants(momenta, n_incoming)[:, pairs].sum(dim=1).sqrt()
    return mass
