"""Kinematic variables of any process, over which the calibration is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from pyamp.calibration.statistics import FloatArray

# As in the names of processes; a particle and its antiparticle share one.
_LETTERS = {
    1: "d", 2: "u", 3: "s", 4: "c", 5: "b", 6: "t", 11: "e", 12: "ve", 13: "mu", 14: "vm", 15: "ta", 16: "vt",
    21: "g", 22: "a", 23: "z", 24: "w", 25: "h",
}  # fmt: skip


def kinematic_variables(
    momenta: FloatArray, pdg_ids: Sequence[int], n_incoming: int = 2
) -> dict[str, FloatArray]:
    """Transverse momenta and invariant masses of the outgoing legs.

    Parameters
    ----------
    momenta : ndarray
        ``(n, legs, 4)``, GeV, ``[E, px, py, pz]``, massless, incoming legs first.
    pdg_ids : sequence of int
        Species of the legs.
    n_incoming : int

    Returns
    -------
    dict of str to ndarray
        ``(n,)`` each, in GeV. For g g → γ γ g: ``pt_a1``, ``pt_g1`` (hardest photon, gluon), ``m_aa``, ``m_ag_min``
        (smallest of the two), ``m_aag`` (all outgoing legs) and ``sqrt_s_min`` = √min |s_ij| over all pairs of legs.
    """
    import torch

    from pyamp.kinematics import invariant_mass, invariants

    points = torch.from_numpy(np.ascontiguousarray(momenta, dtype=np.float64))
    letters = [_LETTERS.get(abs(i), str(abs(i))) for i in pdg_ids]
    outgoing = range(n_incoming, len(pdg_ids))
    species = list(dict.fromkeys(letters[i] for i in outgoing))
    transverse = np.hypot(momenta[..., 1], momenta[..., 2])
    variables: dict[str, FloatArray] = {}
    for one in species:
        variables[f"pt_{one}1"] = transverse[:, [i for i in outgoing if letters[i] == one]].max(axis=1)
    pairs: dict[str, list[FloatArray]] = {}
    for i, j in combinations(outgoing, 2):
        both = "".join(sorted((letters[i], letters[j]), key=species.index))
        pairs.setdefault(both, []).append(invariant_mass(points, [i, j], n_incoming).numpy())
    for both, masses in pairs.items():
        variables[f"m_{both}" if len(masses) == 1 else f"m_{both}_min"] = np.min(masses, axis=0)
    everything = "".join(letters[i] for i in outgoing)
    variables[f"m_{everything}"] = invariant_mass(points, outgoing, n_incoming).numpy()
    variables["sqrt_s_min"] = invariants(points, n_incoming).abs().amin(dim=1).sqrt().numpy()
    return variables


def variable_label(name: str) -> str:
    """Axis label of a variable."""
    known = {
        "amplitude": r"$A_\mathrm{true}$",
        "relative_sigma": r"$\sigma_\mathrm{tot}/A$",
        "sqrt_s_min": r"$\min |s_{ij}|^{1/2}$ [GeV]",  # no root sign in the font
    }
    if name in known:
        return known[name]
    kind, _, legs = name.partition("_")
    legs, _, smallest = legs.partition("_")
    legs = legs.replace("a", r"\gamma ")
    return rf"${'p_T' if kind == 'pt' else 'm'}({legs})${', smallest' if smallest else ''} [GeV]"
