"""Distributions of events beside those of a reference, in pb, with χ² and p-values."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import boost_histogram as bh
import numpy as np
import numpy.typing as npt
from scipy import stats

from pyamp.datasets import DatasetFile
from pyamp.datasets.storage import file_sha256
from pyamp.errors import PyampError
from pyamp.processes import Process
from pyamp.report.observables import Observable
from pyamp.unweighting import EventFile, EventInfo

FloatArray = npt.NDArray[np.float64]

_EVENTS_PER_BIN = 50
_MOST_BINS = 25


@dataclass(frozen=True)
class Sample:
    """Weighted events.

    Attributes
    ----------
    name : str
    process : Process
    momenta : ndarray, shape (n, n_legs, 4)
    weight : ndarray, shape (n,)
        In pb: their sum is the cross section.
    n_trials : int
        Trials of the phase space for them.
    sha256 : str
        Of the file of a dataset; empty for events.
    """

    name: str
    process: Process
    momenta: FloatArray
    weight: FloatArray
    n_trials: int
    sha256: str = ""

    @classmethod
    def of_events(cls, events: EventFile, name: str) -> Sample:
        """Unweighted events."""
        scale = events.info.unit / events.info.n_trials
        return cls(name, events.info.process, events.momenta, events.weight * scale, events.info.n_trials)

    @classmethod
    def of_dataset(cls, path: Path) -> Sample:
        """Points of a dataset with the weight of their true amplitude."""
        with DatasetFile(path) as file:
            points = file.read()
        weight = points.me2 * points.measure / points.info.n_trials
        return cls(
            path.name, points.info.process, points.momenta, weight, points.info.n_trials, file_sha256(path)
        )

    def same_points(self, info: EventInfo) -> Sample | None:
        """The points that the events were drawn from, if all, with their truth, are this dataset's; else None."""
        sources = [source.get("sha256") for source in json.loads(info.request)["source"]]
        if not self.sha256 or sources != [self.sha256] or info.direct_cross_section() is None:
            return None
        drawn = slice(info.n_pilot_points, info.n_pilot_points + info.n_points)
        weight = self.weight[drawn] * (self.n_trials / info.n_trials)
        return replace(self, momenta=self.momenta[drawn], weight=weight, n_trials=info.n_trials)


@dataclass(frozen=True)
class Distribution:
    """An observable of events and of the reference, in bins with about the same cross section.

    Attributes
    ----------
    observable : Observable
    edges : ndarray, shape (n_bins + 1,)
    value, error, reference, reference_error : ndarray, shape (n_bins,)
        Cross sections in pb and their standard errors.
    chi2, p_value : float
        Over `n_bins` degrees of freedom.
    """

    observable: Observable
    edges: FloatArray
    value: FloatArray
    error: FloatArray
    reference: FloatArray
    reference_error: FloatArray
    chi2: float
    p_value: float

    @property
    def n_bins(self) -> int:
        """Degrees of freedom: nothing is normalised."""
        return len(self.value)


def compare(
    events: Sample, reference: Sample, observable: Observable, correlated: bool = False
) -> Distribution:
    """Fill both and compare.

    Parameters
    ----------
    events, reference : Sample
    observable : Observable
    correlated : bool
        Whether the events were drawn from the very points of the reference: their difference then has the variance
        of unweighting alone, Var(events) − Var(reference), since one is the expectation of the other.
    """
    if events.process.pdg_ids != reference.process.pdg_ids:
        raise PyampError(
            f"{reference.name}: legs {list(reference.process.pdg_ids)} found, {list(events.process.pdg_ids)} of "
            f"{events.name} expected; give a reference of the same process"
        )
    of_events, of_reference = observable.values(events.momenta), observable.values(reference.momenta)
    edges = _edges(of_reference, reference.weight, len(of_events))
    value, error = _fill(of_events, events.weight, edges)
    expected, expected_error = _fill(of_reference, reference.weight, edges)
    variance = error**2 - expected_error**2 if correlated else error**2 + expected_error**2
    used = (expected > 0) & (variance > 0)
    chi2 = float((((value - expected)[used]) ** 2 / variance[used]).sum())
    return Distribution(
        observable,
        edges,
        value,
        error,
        expected,
        expected_error,
        chi2,
        float(stats.chi2.sf(chi2, max(int(used.sum()), 1))),
    )


def _edges(values: FloatArray, weights: FloatArray, n_events: int) -> FloatArray:
    """Quantiles of the reference, with all of it inside."""
    n_bins = int(np.clip(n_events // _EVENTS_PER_BIN, 3, _MOST_BINS))
    order = np.argsort(values)
    share = np.cumsum(weights[order]) / weights.sum()
    inner = values[order][np.searchsorted(share, np.arange(1, n_bins) / n_bins)]
    return np.unique([values.min(), *inner, values.max()])


def _fill(values: FloatArray, weights: FloatArray, edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sums of weights and their errors; what lies beyond the edges is in the outermost bins."""
    filled = bh.Histogram(bh.axis.Variable(edges), storage=bh.storage.Weight())
    inside = np.clip(values, edges[0], np.nextafter(edges[-1], -np.inf))
    filled.fill(inside, weight=weights)
    return np.asarray(filled.values()), np.sqrt(np.asarray(filled.variances()))
