"""Files of unweighted events: HDF5 with the events, how they were made, and the pilot's sample."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np
import numpy.typing as npt

from pyamp.configuration import validated
from pyamp.errors import PyampError
from pyamp.processes import Process
from pyamp.unweighting.events import Totals
from pyamp.unweighting.speed_factors import Times

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FORMAT = "pyamp events"
FORMAT_VERSION = 1
COLUMNS = ("momenta", "weight", "index")
PILOT = "pilot"
PILOT_COLUMNS = ("truth", "surrogate", "relative_sigma", "counts", "bounds")
_IN_PB = ("truth", "surrogate", "bounds")


@dataclass(frozen=True)
class EventInfo:
    """How events were made, and what came of it; NaN stands for what is not known.

    Attributes
    ----------
    process : Process
        The process card.
    model, model_sha256 : str
        Path of the model file, and the hash of its bytes.
    truth : str
        Name and version of the true amplitude.
    request : str
        JSON of all that the events depend on: settings, rules of the maxima, hashes of model and points.
    pyamp_version : str
    mode : str
        ``two_stage``, ``roulette`` or ``direct``.
    seed : int
    unit : float
        What weight 1 stands for, in pb: the sum of unit · weight over `n_trials` is the cross section.
    s_max, s_max_error, x_max, x_max_error, w_max, w_max_error : float
        Maxima from the pilot and their bootstrap errors; those of weights in pb.
    kappa, p_min : float
        Of a roulette; else NaN.
    n_points, n_trials : int
        Points that were unweighted and trials of the phase space for them, without the pilot's.
    n_truth, n_asked : int
        Points whose truth unweighting asked for; all evaluations, those of points outside the model's domain included.
    n_outside, n_failed : int
        Points outside the domain, where the truth is the surrogate (behind a screen those that pass it); points where
        the truth has no value, whose weight is 0.
    n_events, weight_sum, weight_square_sum, absolute_sum, overweight_sum, n_negative
        See :class:`Totals`.
    direct_sum, direct_square_sum : float
        Σ w and Σ w² of the same points, in pb and pb², where the truth is stored with them.
    n_pilot_points, n_pilot_truth, n_pilot_outside, n_pilot_failed : int
        Of the pilot: points, evaluations of the truth, points outside the domain and without a value.
    t_me, t_ps, t_surr, t_me_error, t_ps_error, t_surr_error : float
        Times of one point in ms, and standard errors. `t_surr` is that of all surrogates: behind a screen, of
        the screen and, for the share of the points that pass it, of the model.
    screen, screen_sha256 : str or None
        Path and hash of the screen; None, as all that follows, without one.
    y_max, y_max_error : float or None
        Maximum of the surrogate's weights over the screen's, and its bootstrap error.
    n_surrogate : int or None
        Points whose surrogate was evaluated, without the pilot's.
    """

    process: Process
    model: str
    model_sha256: str
    truth: str
    request: str
    pyamp_version: str
    mode: str
    seed: int
    unit: float
    s_max: float
    s_max_error: float
    x_max: float
    x_max_error: float
    w_max: float
    w_max_error: float
    kappa: float
    p_min: float
    n_points: int
    n_trials: int
    n_truth: int
    n_asked: int
    n_outside: int
    n_failed: int
    n_events: int
    weight_sum: float
    weight_square_sum: float
    absolute_sum: float
    overweight_sum: float
    n_negative: int
    direct_sum: float
    direct_square_sum: float
    n_pilot_points: int
    n_pilot_truth: int
    n_pilot_outside: int
    n_pilot_failed: int
    t_me: float
    t_ps: float
    t_surr: float
    t_me_error: float
    t_ps_error: float
    t_surr_error: float
    screen: str | None = None
    screen_sha256: str | None = None
    y_max: float | None = None
    y_max_error: float | None = None
    n_surrogate: int | None = None

    @property
    def totals(self) -> Totals:
        """Sums over the events."""
        names = [field.name for field in fields(Totals)]
        return Totals(**{name: getattr(self, name) for name in names})

    @property
    def times(self) -> Times:
        """Of one point, in ms."""
        return Times(self.t_me, self.t_ps, self.t_surr)

    @property
    def time_errors(self) -> Times:
        """Standard errors of the times, 0 where they are not known."""
        errors = (self.t_me_error, self.t_ps_error, self.t_surr_error)
        return Times(*(error if np.isfinite(error) else 0.0 for error in errors))

    def cross_section(self) -> tuple[float, float]:
        """Estimate by the events in pb, with its standard error."""
        return replace(self.totals, n_points=self.n_trials).mean_weight()

    def direct_cross_section(self) -> tuple[float, float] | None:
        """That by the true weights of the same points, where they are stored."""
        if not np.isfinite(self.direct_sum):
            return None
        mean = self.direct_sum / self.n_trials
        variance = self.direct_square_sum / self.n_trials - mean**2
        return mean, float(np.sqrt(max(variance, 0.0) / self.n_trials))

    @property
    def epsilon_1st(self) -> float:
        """Share of the points that the first stage, or the only one, accepted."""
        accepted = self.n_truth if self.mode == "two_stage" else self.n_events
        return accepted / self.n_points

    @property
    def epsilon_2nd(self) -> float:
        """Share of these that the second stage accepted; 1 where it rejects nothing."""
        if self.mode != "two_stage":
            return 1.0
        return self.n_events / self.n_truth if self.n_truth else float("nan")

    @property
    def mean_p(self) -> float:
        """Share of the events of the first stage whose truth was asked."""
        if self.mode != "roulette":
            return 1.0
        return self.n_truth / self.n_events if self.n_events else float("nan")

    @property
    def surrogate_share(self) -> float:
        """Share of the points whose surrogate was evaluated: those that pass the screen, all without one."""
        return 1.0 if self.n_surrogate is None else self.n_surrogate / self.n_points

    @property
    def n_eff_over_n(self) -> float:
        """Kish's effective sample size over the number of events; NaN without events."""
        return self.totals.n_eff / self.n_events if self.n_events else float("nan")

    def attributes(self) -> dict[str, Any]:
        """What the file stores, and for other readers what follows from it."""
        stored = {field.name: getattr(self, field.name) for field in fields(self)}
        stored = {name: value for name, value in stored.items() if value is not None}
        cross_section, error = self.cross_section()
        direct = self.direct_cross_section() or (np.nan, np.nan)
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            **stored,
            "process": self.process.to_json(),
            "cross_section": cross_section,
            "cross_section_error": error,
            "direct_cross_section": direct[0],
            "direct_cross_section_error": direct[1],
            "epsilon_1st": self.epsilon_1st,
            "epsilon_2nd": self.epsilon_2nd,
            "mean_p": self.mean_p,
            "n_eff_over_n": self.n_eff_over_n,
            "overweight_share": self.totals.overweight_share,
        }


@dataclass(frozen=True)
class EventFile:
    """Unweighted events; written by ``pyamp unweight``, read by :meth:`open`.

    Attributes
    ----------
    momenta : ndarray, shape (n_events, n_legs, 4)
        In GeV, ``[E, px, py, pz]``, incoming legs first.
    weight : ndarray, shape (n_events,)
        1 but for overweights and what a roulette has corrected.
    index : ndarray of int64, shape (n_events,)
        Number of each event among the points, the pilot's included.
    pilot : dict of str to ndarray
        ``truth`` w, ``surrogate`` s (in pb), ``relative_sigma`` σ_tot/A and ``counts``, how many points of phase space
        each stands for, of the pilot's points; with a screen ``bounds``, what it allows s to be (in pb).
    info : EventInfo
    """

    momenta: FloatArray
    weight: FloatArray
    index: IntArray
    pilot: dict[str, FloatArray]
    info: EventInfo

    def __len__(self) -> int:
        return len(self.weight)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Read events.

        Raises
        ------
        PyampError
            If the file is missing, holds no events, or is of a newer format or incomplete.
        """
        path = Path(path)
        if not path.is_file():
            hint = ""
            if path.with_name(path.name + ".part").is_dir():
                hint = f" (it was interrupted: {path.name}.part holds what is done; the same command resumes)"
            raise PyampError(f"{path}: no such file{hint}; make it with `pyamp unweight`")
        try:
            with h5py.File(path, "r") as file:
                attributes = {key: _plain(value) for key, value in file.attrs.items()}
                info = read_info(attributes, path)
                return cls(
                    file["momenta"][...],
                    file["weight"][...],
                    file["index"][...],
                    pilot=read_pilot(file),
                    info=info,
                )
        except (OSError, KeyError) as error:
            raise PyampError(
                f"{path}: no readable file of events ({str(error).splitlines()[0]}); make it again"
            ) from None


def read_info(attributes: Mapping[str, Any], path: Path) -> EventInfo:
    """What the attributes of a file of events say."""
    if attributes.get("format") != FORMAT:
        raise PyampError(f"{path}: format is {attributes.get('format')!r}; expected '{FORMAT}'")
    if not 1 <= attributes.get("format_version", 0) <= FORMAT_VERSION:
        raise PyampError(
            f"{path}: format version {attributes.get('format_version')}, this pyamp reads up to {FORMAT_VERSION}; "
            "update pyamp"
        )
    values = {
        field.name: attributes[field.name]
        for field in fields(EventInfo)
        if field.default is MISSING or field.name in attributes
    }
    values["process"] = validated(json.loads(values["process"]), Process, f"{path}: attribute process")
    return EventInfo(**values)


def create_events(file: h5py.File, n_events: int | None, n_legs: int) -> None:
    """Make the columns of events, empty, each with its unit."""
    shapes = {"momenta": (n_legs, 4), "weight": (), "index": ()}
    for name, shape in shapes.items():
        dtype = np.int64 if name == "index" else np.float64
        file.create_dataset(name, (n_events, *shape), dtype).attrs["units"] = (
            "GeV" if name == "momenta" else "1"
        )


def write_pilot(file: h5py.File, pilot: Mapping[str, FloatArray]) -> None:
    """Store the pilot's sample."""
    group = file.create_group(PILOT)
    for name, column in pilot.items():
        group.create_dataset(name, data=column).attrs["units"] = "pb" if name in _IN_PB else "1"


def read_pilot(file: h5py.File) -> dict[str, FloatArray]:
    """The pilot's sample; without a screen it has no bounds."""
    group = file[PILOT]
    return {name: group[name][...] for name in PILOT_COLUMNS if name != "bounds" or name in group}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
