"""Invariant masses of three and more legs: where amplitudes of many legs have further propagators."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch

LEAST = 1e-12  # what a sum that cancels is not below, in units of s_01


def multiparticle_sets(n_legs: int, n_incoming: int) -> list[tuple[int, ...]]:
    """Sets of three or more legs whose invariants are no others'.

    Momentum conservation gives a set and its complement the same invariant. Of the two, one is taken that has no
    incoming leg, in whose invariant nothing cancels; else the smaller one; of equal ones that with leg 0.

    Returns
    -------
    list of tuple of int
        By size, and in lexical order; 10 sets of 6 legs, 35 of 7, 91 of 8, none of fewer.
    """

    def is_chosen(legs: tuple[int, ...]) -> bool:
        incoming = sum(leg < n_incoming for leg in legs)
        if incoming != 1:
            return incoming == 0
        return 2 * len(legs) < n_legs or (2 * len(legs) == n_legs and legs[0] == 0)

    sizes = range(3, n_legs - 2)
    return [legs for size in sizes for legs in combinations(range(n_legs), size) if is_chosen(legs)]


def log_multiparticle(sets: Sequence[tuple[int, ...]], abs_s: torch.Tensor, n_incoming: int) -> torch.Tensor:
    """``ln(|s_I|/s_01)``, ``(n, sets)``, of |s_ij| ``(n, legs, legs)``, with ``s_I = (Σ_{i∈I} ± p_i)²``.

    With one incoming leg in it a set of massless legs has s_I < 0: its partners are lighter than what they
    come from.
    """
    n_legs = abs_s.shape[1]
    rows, columns = torch.triu_indices(n_legs, n_legs, offset=1)
    members = torch.zeros((len(sets), n_legs), dtype=torch.bool)
    for row, legs in zip(members, sets, strict=True):
        row[list(legs)] = True
    sign = torch.where((rows < n_incoming) != (columns < n_incoming), -1.0, 1.0).to(abs_s.dtype)
    terms = (members[:, rows] & members[:, columns]) * sign
    sums = abs_s[:, rows, columns] @ terms.T.to(abs_s.device)
    return (sums.abs() / abs_s[:, 0, 1, None]).clamp(min=LEAST).log()
