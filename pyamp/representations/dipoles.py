"""Catani-Seymour dipoles of massless QCD: which a process has, their variables, functions and momentum mappings.

Spin-averaged splitting functions in four dimensions, hep-ph/9605323, sections 5.1 to 5.5, without couplings and colour
charges. All invariants are ``s_ij = |2 p_i·p_j|`` of physical momenta, incoming ones with positive energy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import torch

from pyamp.errors import PyampError
from pyamp.representations.representation import GLUON, QUARKS

FEATURES_OF_EACH = 3
MOST_DIPOLES = 64
LEAST_X = 1e-12  # of a mapped beam: keeps what rounding made of 0 finite

Splitting = Literal["qg", "gg", "gq", "qq"]


@dataclass(frozen=True)
class Dipole:
    """One dipole: a pair of legs that a single leg has become, and a spectator that takes the recoil.

    Attributes
    ----------
    emitter : (int, int)
        Legs i and j: both outgoing, with the quark of a quark and a gluon first; or an incoming leg, then what it
        emitted.
    spectator : int
        Leg k.
    splitting : str
        Outgoing pair: ``qg``, ``gg``, or ``qq`` from a gluon. Incoming leg: what it is and what it emitted.
    n_incoming : int
    """

    emitter: tuple[int, int]
    spectator: int
    splitting: Splitting
    n_incoming: int = 2

    @property
    def is_initial(self) -> bool:
        """Whether the emitter is incoming."""
        return self.emitter[0] < self.n_incoming

    @property
    def has_initial_spectator(self) -> bool:
        return self.spectator < self.n_incoming

    def evaluate(self, s: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """``s_01 D`` and the variables of the mapping, ``(n,)`` each, of s_ij ``(n, legs, legs)``.

        Returns
        -------
        tuple of torch.Tensor
            ``s_01 V/s_ij``, over x where a leg is incoming; then (y, z), (x, z), (x, u) or (x, v).
        """
        i, j, k = *self.emitter, self.spectator
        s_ij, s_ik, s_jk = s[:, i, j], s[:, i, k], s[:, j, k]
        # 1/(1 − z(1 − y)) and its like, in terms of invariants: nothing cancels.
        match self.is_initial, self.has_initial_spectator:
            case False, False:
                total, pair = s_ij + s_ik + s_jk, s_ik + s_jk
                first, second, x = s_ij / total, s_ik / pair, None
            case False, True:
                total = pair = s_ik + s_jk
                first, second = (total - s_ij) / total, s_ik / pair
                x = first
            case True, False:
                total = s_ij + s_ik
                first, second = (total - s_jk) / total, s_ij / total
                x = first
            case _:
                total = s_ik
                first, second = (total - s_ij - s_jk) / total, s_ij / total
                x = first
        soft_j = total / (s_ij + s_jk)
        value = s[:, 0, 1] / s_ij
        if x is None or not self.is_initial:
            value = value * self._final_splitting(second, soft_j, total / (s_ij + s_ik))
        if x is not None:
            x = x.clamp(min=LEAST_X)
            value = (value * self._initial_splitting(x, soft_j) if self.is_initial else value) / x
        return value, first, second

    def _final_splitting(self, z: torch.Tensor, soft_j: torch.Tensor, soft_i: torch.Tensor) -> torch.Tensor:
        match self.splitting:
            case "qg":
                return 2.0 * soft_j - (1.0 + z)
            case "gg":
                return 2.0 * (soft_j + soft_i - 2.0 + z * (1.0 - z))
            case _:
                return 1.0 - 2.0 * z * (1.0 - z)

    def _initial_splitting(self, x: torch.Tensor, soft_j: torch.Tensor) -> torch.Tensor:
        match self.splitting:
            case "qg":
                return 2.0 * soft_j - (1.0 + x)
            case "gg":
                return 2.0 * (soft_j - 1.0 + x * (1.0 - x) + (1.0 - x) / x)
            case "gq":
                return 1.0 - 2.0 * x * (1.0 - x)
            case _:
                return x + 2.0 * (1.0 - x) / x

    def mapped_momenta(self, momenta: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        """Momenta ``(n, legs − 1, 4)`` after the emission is undone: leg j is gone, leg i is the emitter.

        On shell and conserved; of initial emitter and spectator all other outgoing legs take the recoil.
        """
        i, j, k = *self.emitter, self.spectator
        first = self.evaluate(s)[1][:, None]
        mapped = momenta.clone()
        p_i, p_j, p_k = momenta[:, i], momenta[:, j], momenta[:, k]
        match self.is_initial, self.has_initial_spectator:
            case False, False:
                mapped[:, k] = p_k / (1.0 - first)
                mapped[:, i] = p_i + p_j - p_k * first / (1.0 - first)
            case False, True:
                mapped[:, k] = first * p_k
                mapped[:, i] = p_i + p_j - (1.0 - first) * p_k
            case True, False:
                mapped[:, i] = first * p_i
                mapped[:, k] = p_k + p_j - (1.0 - first) * p_i
            case _:
                mapped[:, i] = first * p_i
                before, after = p_i + p_k - p_j, first * p_i + p_k
                outgoing = momenta[:, self.n_incoming :]
                both = (before + after)[:, None]
                mapped[:, self.n_incoming :] = (
                    outgoing
                    - 2.0 * _product(outgoing, both) / _product(both, both) * both
                    + 2.0
                    * _product(outgoing, before[:, None])
                    / _product(before, before)[:, None]
                    * after[:, None]
                )
        return torch.cat([mapped[:, :j], mapped[:, j + 1 :]], dim=1)

    def header(self) -> dict[str, Any]:
        return {"emitter": list(self.emitter), "spectator": self.spectator, "splitting": self.splitting}


def _product(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    return (p[..., :1] * q[..., :1]) - (p[..., 1:] * q[..., 1:]).sum(dim=-1, keepdim=True)


def dipole_features(dipoles: Sequence[Dipole], s: torch.Tensor) -> torch.Tensor:
    """``arsinh(s_01 D)`` of all dipoles, then their first and then their second variables, ``(n, 3 dipoles)``."""
    values, first, second = (
        torch.stack(v, dim=1) for v in zip(*(d.evaluate(s) for d in dipoles), strict=True)
    )
    return torch.cat([values.asinh(), first, second], dim=1)


def dipoles_of(pdg_ids: Sequence[int], n_incoming: int) -> list[Dipole]:
    """All dipoles whose emission, undone, leaves a process that exists at tree level.

    Raises
    ------
    PyampError
        There is none, or more than 64.
    """
    outgoing = [-p if leg < n_incoming and abs(p) in QUARKS else p for leg, p in enumerate(pdg_ids)]
    partons = [leg for leg, p in enumerate(pdg_ids) if p == GLUON or abs(p) in QUARKS]
    found = []
    for i, j in combinations(partons, 2):
        if j < n_incoming:
            continue
        splitting = _splitting(outgoing[i], outgoing[j], i < n_incoming)
        if splitting is None or not _exists(outgoing, i, j):
            continue
        emitter = (i, j)
        if i >= n_incoming and splitting == "qg" and outgoing[i] == GLUON:
            emitter = (j, i)
        found += [Dipole(emitter, k, splitting, n_incoming) for k in partons if k not in (i, j)]
    if not found or len(found) > MOST_DIPOLES:
        raise PyampError(
            f"representation: {len(found)} dipoles found for PDG ids {list(pdg_ids)}, 1 to {MOST_DIPOLES} expected; "
            "take another representation"
        )
    return found


def _splitting(a: int, b: int, is_initial: bool) -> Splitting | None:
    """Of species a and b, both counted as outgoing; the first may be an incoming one."""
    if a == GLUON and b == GLUON:
        return "gg"
    if GLUON in (a, b):
        return "gq" if is_initial and a == GLUON else "qg"
    return "qq" if a == -b else None


def _exists(outgoing: Sequence[int], i: int, j: int) -> bool:
    """Whether quarks, which other than QCD's bosons couple to, are left where the process has such bosons."""
    left = [p for leg, p in enumerate(outgoing) if leg not in (i, j)]
    merged_is_quark = GLUON in (outgoing[i], outgoing[j]) and outgoing[i] != outgoing[j]
    has_quarks = merged_is_quark or any(abs(p) in QUARKS for p in left)
    has_others = any(p != GLUON and abs(p) not in QUARKS for p in left)
    return has_quarks or not has_others
