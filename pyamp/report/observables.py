"""Which distributions of a process are looked at: transverse momenta, pseudorapidities, masses and distances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from pyamp.histograms import delta_r, mass, transverse_momentum
from pyamp.processes import Process

FloatArray = npt.NDArray[np.float64]

_SYMBOLS = {
    1: "d", 2: "u", 3: "s", 4: "c", 5: "b", 6: "t", 11: "e", 12: r"\nu_e", 13: r"\mu", 14: r"\nu_\mu", 15: r"\tau",
    16: r"\nu_\tau", 21: "g", 22: r"\gamma", 23: "Z", 24: "W", 25: "H",
}  # fmt: skip


@dataclass(frozen=True)
class Observable:
    """A number of every event.

    Attributes
    ----------
    name : str
        For files, such as ``pt_22_1``.
    label : str
        Of the axis.
    values : callable
        Of momenta ``(n, n_legs, 4)``: ``(n,)``.
    """

    name: str
    label: str
    values: Callable[[FloatArray], FloatArray]


def observables_of(process: Process, most: int = 10) -> list[Observable]:
    """Up to `most` observables of the outgoing legs, of all kinds.

    Legs of one species are told apart by their transverse momentum, the hardest first.
    """
    kinds = [
        list(kind) for kind in (_transverse(process), _masses(process), _etas(process), _distances(process))
    ]
    chosen: list[Observable] = []
    while len(chosen) < most and any(kinds):
        chosen += [kind.pop(0) for kind in kinds if kind]
    return chosen[:most]


def _species(process: Process) -> dict[int, list[int]]:
    """Outgoing legs by absolute PDG id."""
    legs: dict[int, list[int]] = {}
    for leg in range(process.n_incoming, process.n_legs):
        legs.setdefault(abs(process.pdg_ids[leg]), []).append(leg)
    return legs


def _symbol(pdg_id: int, rank: int | None = None) -> str:
    symbol = _SYMBOLS.get(pdg_id, str(pdg_id))
    return symbol if rank is None else f"{symbol}_{{{rank + 1}}}"


def _transverse(process: Process) -> Iterator[Observable]:
    for rank in range(process.n_legs):
        for pdg_id, legs in _species(process).items():
            if rank < len(legs):
                label = _symbol(pdg_id, rank if len(legs) > 1 else None)
                yield Observable(
                    f"pt_{pdg_id}_{rank + 1}",
                    rf"$p_T({label})$ [GeV]",
                    lambda p, legs=legs, rank=rank: transverse_momentum(p, legs, rank),  # type: ignore[misc]
                )


def _etas(process: Process) -> Iterator[Observable]:
    for pdg_id, legs in _species(process).items():
        label = _symbol(pdg_id, 0 if len(legs) > 1 else None)
        yield Observable(
            f"eta_{pdg_id}_1",
            rf"$\eta({label})$",
            lambda p, legs=legs: _eta_of_hardest(p, legs),  # type: ignore[misc]
        )


def _eta_of_hardest(momenta: FloatArray, legs: list[int]) -> FloatArray:
    p = momenta[:, legs]
    pt = np.hypot(p[..., 1], p[..., 2])
    hardest = (np.arange(len(p)), pt.argmax(axis=1))
    return np.asarray(np.arcsinh(p[(*hardest, 3)] / pt[hardest]))


def _pairs(process: Process) -> Iterator[tuple[str, str, list[tuple[int, int]]]]:
    """Name, label and pairs of legs of every pair of species."""
    species = _species(process)
    for a, b in [(a, a) for a in species] + list(combinations(species, 2)):
        pairs = (
            list(combinations(species[a], 2)) if a == b else [(i, j) for i in species[a] for j in species[b]]
        )
        if pairs:
            yield f"{a}_{b}", f"{_symbol(a)} {_symbol(b)}", pairs


def _masses(process: Process) -> Iterator[Observable]:
    everything = list(range(process.n_incoming, process.n_legs))
    for name, label, pairs in _pairs(process):
        smallest = ", smallest" if len(pairs) > 1 else ""
        yield Observable(
            f"m_{name}",
            rf"$m({label})${smallest} [GeV]",
            lambda p, pairs=pairs: np.min([mass(p, pair) for pair in pairs], axis=0),  # type: ignore[misc]
        )
    if process.energy.sqrt_s_hat is None:
        yield Observable("m_all", "$m$ of all [GeV]", lambda p: mass(p, everything))


def _distances(process: Process) -> Iterator[Observable]:
    for name, label, pairs in _pairs(process):
        smallest = ", smallest" if len(pairs) > 1 else ""
        yield Observable(
            f"delta_r_{name}",
            rf"$\Delta R({label})${smallest}",
            lambda p, pairs=pairs: np.min([delta_r(p, i, j) for i, j in pairs], axis=0),  # type: ignore[misc]
        )
