"""Samples of events compared with each other: cross sections, and differential ones by their χ²."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boost_histogram as bh
import numpy as np
import numpy.typing as npt
import pyhepmc
from scipy.stats import chi2, norm

from pyamp.events import read_events
from pyamp.histograms import delta_r, mass, transverse_momentum

FloatArray = npt.NDArray[np.float64]
Observable = Callable[[FloatArray], FloatArray]

N_BINS = 10

# e- e+ -> d dbar g on the Z resonance, for which Sherpa needs no matrix element of pyamp.
TREE = "11 -11 -> 1 -1 21"
TREE_CARD: dict[str, Any] = {
    "name": "ee_to_ddg_z",
    "description": "e- e+ -> d dbar g with photon and Z, sqrt(s) = 91.2 GeV",
    "amplitude": f"sherpa:{TREE}",
    "pdg_ids": [11, -11, 1, -1, 21],
    "n_incoming": 2,
    "energy": {"sqrt_s_hat": 91.2},
    "cuts": {"pt_min": {1: 8, 21: 8}, "delta_r_min": {"1,1": 0.4, "1,21": 0.4}},
}
TREE_RUN: dict[str, Any] = {
    "BEAMS": [11, -11],
    "BEAM_ENERGIES": 45.6,
    "SELECTORS": [["PT", 93, 8, "E_CMS"], ["DR", 1, -1, 0.4, 1000], ["DR", 93, 21, 0.4, 1000]],
}
TREE_ORDERS = {"QCD": 1, "EW": 2}


def pseudorapidity(momenta: FloatArray, leg: int) -> FloatArray:
    """Of one leg of momenta ``(n, n_legs, 4)``."""
    p = momenta[:, leg]
    return np.asarray(np.arcsinh(p[:, 3] / np.hypot(p[:, 1], p[:, 2])))


def rapidity(momenta: FloatArray, legs: Sequence[int]) -> FloatArray:
    """Of the sum of some legs."""
    total = momenta[:, list(legs)].sum(axis=1)
    return np.asarray(np.arctanh(total[:, 3] / total[:, 0]))


def energy(momenta: FloatArray, leg: int) -> FloatArray:
    """GeV."""
    return momenta[:, leg, 0]


def cosine(momenta: FloatArray, leg: int) -> FloatArray:
    """Of the angle to the first beam."""
    return np.asarray(momenta[:, leg, 3] / momenta[:, leg, 0])


DIPHOTON_JET: Mapping[str, Observable] = {
    "harder photon pT": lambda p: transverse_momentum(p, [2, 3]),
    "softer photon pT": lambda p: transverse_momentum(p, [2, 3], 1),
    "gluon pT": lambda p: transverse_momentum(p, [4]),
    "photon pair mass": lambda p: mass(p, [2, 3]),
    "energy of all": lambda p: mass(p, [2, 3, 4]),
    "photon distance": lambda p: delta_r(p, 2, 3),
    "smaller photon gluon distance": lambda p: np.minimum(delta_r(p, 2, 4), delta_r(p, 3, 4)),
    "photon pair rapidity": lambda p: rapidity(p, [2, 3]),
    "|eta| of the gluon": lambda p: np.abs(pseudorapidity(p, 4)),
    "|delta eta| of the photons": lambda p: np.abs(pseudorapidity(p, 2) - pseudorapidity(p, 3)),
}
DIPHOTON_TWO_JETS: Mapping[str, Observable] = {
    "harder photon pT": lambda p: transverse_momentum(p, [2, 3]),
    "softer photon pT": lambda p: transverse_momentum(p, [2, 3], 1),
    "harder gluon pT": lambda p: transverse_momentum(p, [4, 5]),
    "softer gluon pT": lambda p: transverse_momentum(p, [4, 5], 1),
    "photon pair mass": lambda p: mass(p, [2, 3]),
    "gluon pair mass": lambda p: mass(p, [4, 5]),
    "energy of all": lambda p: mass(p, [2, 3, 4, 5]),
    "photon distance": lambda p: delta_r(p, 2, 3),
    "gluon distance": lambda p: delta_r(p, 4, 5),
    "photon pair rapidity": lambda p: rapidity(p, [2, 3]),
}
QUARK_PAIR_GLUON: Mapping[str, Observable] = {
    "quark energy": lambda p: energy(p, 2),
    "antiquark energy": lambda p: energy(p, 3),
    "gluon energy": lambda p: energy(p, 4),
    "largest energy": lambda p: p[:, 2:, 0].max(axis=1),
    "cosine of the quark": lambda p: cosine(p, 2),
    "cosine of the antiquark": lambda p: cosine(p, 3),
    "cosine of the gluon": lambda p: cosine(p, 4),
    "quark distance": lambda p: delta_r(p, 2, 3),
    "quark pT": lambda p: transverse_momentum(p, [2]),
    "gluon pT": lambda p: transverse_momentum(p, [4]),
}
LEPTON_PAIR_THREE_JETS: Mapping[str, Observable] = {
    "lepton pair mass": lambda p: mass(p, [2, 3]),
    "lepton pair pT": lambda p: np.hypot(*p[:, 2:4, 1:3].sum(axis=1).T),
    "lepton pair rapidity": lambda p: rapidity(p, [2, 3]),
    "electron pT": lambda p: transverse_momentum(p, [2]),
    "lepton distance": lambda p: delta_r(p, 2, 3),
    "hardest jet pT": lambda p: transverse_momentum(p, [4, 5, 6]),
    "softest jet pT": lambda p: transverse_momentum(p, [4, 5, 6], 2),
    "quark pair mass": lambda p: mass(p, [5, 6]),
    "energy of all": lambda p: mass(p, [2, 3, 4, 5, 6]),
    "|eta| of the gluon": lambda p: np.abs(pseudorapidity(p, 4)),
}


@dataclass(frozen=True)
class Sample:
    """Events of one run.

    Attributes
    ----------
    name : str
    cross_section, error : float
        Of Sherpa, pb.
    values : dict of ndarray, (n_events,)
        Observables.
    weights : ndarray, (n_events,)
        In any unit.
    """

    name: str
    cross_section: float
    error: float
    values: Mapping[str, FloatArray]
    weights: FloatArray


def hard_process_sample(
    name: str,
    cross_section: tuple[float, float],
    path: Path,
    legs: Sequence[int],
    observables: Mapping[str, Observable],
) -> Sample:
    """Events of a Les Houches file."""
    events = read_events(path, legs)
    values = {key: observable(events.momenta) for key, observable in observables.items()}
    return Sample(name, *cross_section, values, events.weights)


def showered_sample(name: str, cross_section: tuple[float, float], path: Path) -> Sample:
    """Particles of the userhook PyAmpParticles: the two hardest photons, and all with |eta| < 5 but these."""
    rows, weights = [], []
    with pyhepmc.open(str(path)) as file:
        for event in file:
            numbers = event.numpy
            particles = numbers.particles
            final = particles.status == 1
            p = np.stack([particles.e, particles.px, particles.py, particles.pz], axis=-1)[final]
            rows.append(_showered_values(p, particles.pid[final] == 22))
            weights.append(event.weights[0])
    columns = np.array(rows).T
    return Sample(name, *cross_section, dict(zip(SHOWERED, columns, strict=True)), np.array(weights))


SHOWERED = (
    "harder photon pT",
    "softer photon pT",
    "photon pair mass",
    "photon pair pT",
    "photon pair rapidity",
    "azimuth between photons",
    "other particles",
    "hardest other particle pT",
    "sum of other pT",
    "others above 5 GeV",
)


def _showered_values(p: FloatArray, is_photon: npt.NDArray[np.bool_]) -> list[float]:
    pt = np.hypot(p[:, 1], p[:, 2])
    photons = np.flatnonzero(is_photon)
    photons = photons[np.argsort(-pt[photons])[:2]]
    pair = p[photons].sum(axis=0)
    central = np.abs(p[:, 3]) < np.sinh(5.0) * pt
    central[photons] = False
    others = pt[central]
    turn = np.arctan2(*p[photons[0], [2, 1]]) - np.arctan2(*p[photons[1], [2, 1]])
    return [
        *pt[photons],
        np.sqrt(max(0.0, pair[0] ** 2 - (pair[1:] ** 2).sum())),
        np.hypot(pair[1], pair[2]),
        np.arctanh(pair[3] / pair[0]),
        np.pi - abs(np.pi - abs(turn) % (2 * np.pi)),
        float(len(others)),
        others.max(initial=0.0),
        others.sum(),
        float((others > 5).sum()),
    ]


@dataclass(frozen=True)
class Comparison:
    """One quantity of a sample against that of the reference.

    Attributes
    ----------
    quantity : str
        "cross section", or the observable of a differential one, normalisation included.
    statistic : float
        χ², of the cross section the squared number of standard errors.
    degrees : int
    p_value : float
    """

    quantity: str
    statistic: float
    degrees: int
    p_value: float


def compare(reference: Sample, sample: Sample) -> list[Comparison]:
    """The cross section, and every observable in 10 bins with as many events of both samples together.

    A bin has Σw of one run and Σw² as its variance, both in pb; bins are independent, since the trials of a run, not
    its events, are what is given.
    """
    pull = (sample.cross_section - reference.cross_section) / np.hypot(sample.error, reference.error)
    found = [Comparison("cross section", float(pull**2), 1, float(2 * norm.sf(abs(pull))))]
    for name in reference.values:
        edges = pooled_edges(reference, sample, name)
        (a, a_variance), (b, b_variance) = (filled(s, name, edges) for s in (reference, sample))
        filled_bins = (
            a_variance + b_variance > 0
        )  # between two values of a number that is counted lies nothing
        statistic = float(((a - b)[filled_bins] ** 2 / (a_variance + b_variance)[filled_bins]).sum())
        degrees = int(filled_bins.sum())
        found.append(Comparison(name, statistic, degrees, float(chi2.sf(statistic, degrees))))
    return found


def pooled_edges(reference: Sample, sample: Sample, name: str) -> FloatArray:
    """Edges of bins with as many events of both samples together, fewer where values repeat."""
    pooled = np.concatenate([reference.values[name], sample.values[name]])
    inner = np.unique(np.quantile(pooled, np.linspace(0, 1, N_BINS + 1)[1:-1]))
    return np.array([pooled.min() - 1, *inner[inner > pooled.min()], pooled.max() + 1])


def filled(sample: Sample, name: str, edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Cross section of every bin and its variance, pb and pb²."""
    result = bh.Histogram(bh.axis.Variable(edges), storage=bh.storage.Weight())
    scale = sample.cross_section / sample.weights.sum()
    result.fill(sample.values[name], weight=scale * sample.weights)
    return np.asarray(result.values()), np.asarray(result.variances())
