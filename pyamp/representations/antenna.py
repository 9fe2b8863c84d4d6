"""Antennas: the soft and collinear poles of all colour-ordered amplitudes of a process, as a known factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import torch

from pyamp.errors import PyampError
from pyamp.representations.representation import GLUON, QUARKS

MOST_GLUONS = 6


@dataclass(frozen=True)
class Antenna:
    """``Σ_orders ∏ s_01/|s_ij|`` over neighbours i, j of a colour order.

    The sum goes over all orders of the gluons: between quark and antiquark, which stand at the ends, or on a ring where
    there is no quark. Each term has the poles of one squared colour-ordered amplitude; where all gluons have one
    helicity, it has just these denominators (Parke and Taylor, Phys. Rev. Lett. 56 (1986) 2459).

    Attributes
    ----------
    ends : tuple of int
        The two quarks, or empty.
    gluons : tuple of int
        All gluons, incoming ones too.
    """

    ends: tuple[int, ...]
    gluons: tuple[int, ...]

    def log_sum(self, abs_s: torch.Tensor) -> torch.Tensor:
        """ln of the sum, ``(n,)``, of |s_ij| ``(n, legs, legs)``."""
        link = abs_s[:, 0, 1, None, None] / abs_s
        first, last = self.ends or (self.gluons[0], self.gluons[0])
        inner = self.gluons if self.ends else self.gluons[1:]
        # The sum over all orders of a set of gluons that begin at `first`, by the gluon at their end.
        sums = {frozenset((g,)): {g: link[:, first, g]} for g in inner}
        for size in range(2, len(inner) + 1):
            for chosen in combinations(inner, size):
                ends = frozenset(chosen)
                sums[ends] = {
                    g: torch.stack([s * link[:, h, g] for h, s in sums[ends - {g}].items()]).sum(dim=0)
                    for g in chosen
                }
        total = torch.stack([s * link[:, g, last] for g, s in sums[frozenset(inner)].items()]).sum(dim=0)
        return total.log()

    def header(self) -> dict[str, Any]:
        return {"ends": list(self.ends), "gluons": list(self.gluons)}


def antenna_of(pdg_ids: Sequence[int]) -> Antenna:
    """The antenna of a process.

    Raises
    ------
    PyampError
        There is none: more than one pair of quarks, or too few gluons.
    """
    gluons = tuple(leg for leg, pdg_id in enumerate(pdg_ids) if pdg_id == GLUON)
    quarks = tuple(leg for leg, pdg_id in enumerate(pdg_ids) if abs(pdg_id) in QUARKS)
    least = 1 if quarks else 3
    if len(quarks) not in (0, 2) or not least <= len(gluons) <= MOST_GLUONS:
        raise PyampError(
            f"representation: factor 'antenna' with {len(quarks)} quarks and {len(gluons)} gluons found; "
            f"expected: one quark line with 1 to {MOST_GLUONS} gluons, or no quark and 3 to {MOST_GLUONS}; set "
            "factor: scale"
        )
    return Antenna(quarks, gluons)
