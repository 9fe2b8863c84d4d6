"""Calibration of a model file on a dataset, and its recalibration."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pyamp.calibration.held_out import held_out_points
from pyamp.calibration.report import CalibrationReport, calibration_report
from pyamp.calibration.statistics import FloatArray
from pyamp.calibration.variables import kinematic_variables
from pyamp.datasets import Dataset
from pyamp.errors import PyampError
from pyamp.evaluator import Evaluator
from pyamp.model_file import with_recalibration
from pyamp.plotting import plot_calibration
from pyamp.recalibration import Recalibration, RecalibrationKind, fit_recalibration

MINIMUM_POINTS = 100

Reports = dict[str, CalibrationReport]


@dataclass(frozen=True)
class Calibration:
    """What was found; the attributes are the keys of ``calibration.json``.

    Attributes
    ----------
    model, dataset : str
        Files.
    points : str
        Which points of the dataset.
    n_points, n_left_out, n_fitted : int
        Points of the reports; flagged by the evaluator and left out; used for the recalibration and thus not reported.
    reports : dict of str to CalibrationReport
        ``flat`` (all of phase space counts the same) and ``amplitude`` (as amplitude × phase-space weight), with the
        uncertainties of the model file.
    recalibration : dict or None
        The entry of the new model file.
    recalibrated_model : str or None
        That file.
    recalibrated_reports : dict or None
        As ``reports``, after recalibration, on the same points.
    """

    model: str
    dataset: str
    points: str
    n_points: int
    n_left_out: int
    n_fitted: int
    reports: Reports
    recalibration: dict[str, Any] | None = None
    recalibrated_model: str | None = None
    recalibrated_reports: Reports | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and lists, to be written as JSON."""
        plain = dict(vars(self))
        for key in ("reports", "recalibrated_reports"):
            if plain[key] is not None:
                plain[key] = {sample: report.as_dict() for sample, report in plain[key].items()}
        return plain


@dataclass(frozen=True)
class _Sample:
    """Points with predictions ``(n,)``, couplings included."""

    points: Dataset
    amplitude: FloatArray
    sigma_syst: FloatArray
    sigma_stat: FloatArray

    def select(self, chosen: Any) -> _Sample:
        return _Sample(
            self.points.select(chosen),
            self.amplitude[chosen],
            self.sigma_syst[chosen],
            self.sigma_stat[chosen],
        )

    def flat_weights(self) -> FloatArray | None:
        return None if self.points.info.is_flat else self.points.sampling_weight

    def recalibrated(self, recalibration: Recalibration) -> _Sample:
        tensors = map(torch.from_numpy, (self.amplitude, self.sigma_syst, self.sigma_stat))
        sigma_syst, sigma_stat = (sigma.numpy() for sigma in recalibration(*tensors))
        return _Sample(self.points, self.amplitude, sigma_syst, sigma_stat)

    def reports(self) -> Reports:
        process = self.points.info.process
        variables = kinematic_variables(self.points.momenta, process.pdg_ids, process.n_incoming)
        samples = {
            "flat": self.flat_weights(),
            "amplitude": self.points.amplitude * self.points.measure,
        }
        predictions = self.amplitude, self.points.me2, self.sigma_syst, self.sigma_stat
        return {
            name: calibration_report(*predictions, variables, weights) for name, weights in samples.items()
        }


def calibrate(
    model: str | os.PathLike[str],
    dataset: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    *,
    recalibrate: RecalibrationKind | None = None,
    fraction: float = 0.5,
    device: str = "cpu",
) -> Calibration:
    """Measure the calibration of a model file on points it was not trained on, and correct it if asked.

    Parameters
    ----------
    model, dataset : path-like
        ``NAME.safetensors`` and HDF5. Of the dataset that the model was trained on, the test split is taken.
    directory : path-like
        Gets ``calibration.json``, ``calibration.png`` and with a recalibration ``NAME.recalibrated.safetensors``.
    recalibrate : {"scale", "isotonic"}, optional
        Fit this recalibration on the first points and report on the others.
    fraction : float
        Share of those first points.
    device : str
        Where the evaluator runs.

    Returns
    -------
    Calibration

    Raises
    ------
    PyampError
        Too few points, points of another process or that were trained on; a model that is recalibrated already.
    """
    model, directory = Path(model), Path(directory)
    points = Dataset.open(os.fspath(dataset))
    couplings = points.info
    evaluate = Evaluator(model, device=device, policy="nan", alpha_s=couplings.alpha_s, alpha=couplings.alpha)
    if recalibrate and "recalibration" in evaluate.header:
        raise PyampError(f"{model}: is recalibrated already; give the model file from before")
    if recalibrate and not 0 < fraction < 1:
        raise PyampError(f"fraction is {fraction:g}; expected more than 0 and less than 1")
    points, which = held_out_points(points, evaluate.header, os.fspath(dataset))
    sample, n_left_out = _evaluated(evaluate, points, os.fspath(dataset))
    n_fitted = round(fraction * len(sample.points)) if recalibrate else 0
    reported = sample.select(slice(n_fitted, None))
    n_points = len(reported.points)
    if n_points < MINIMUM_POINTS:
        raise PyampError(
            f"{dataset}: {n_points} points to report on, at least {MINIMUM_POINTS} expected; generate more"
        )
    found: dict[str, Any] = {
        "model": str(model),
        "dataset": os.fspath(dataset),
        "points": which,
        "n_points": n_points,
        "n_left_out": n_left_out,
        "n_fitted": n_fitted,
        "reports": reported.reports(),
    }
    shown = {"flat": found["reports"]["flat"], "as the amplitude": found["reports"]["amplitude"]}
    directory.mkdir(parents=True, exist_ok=True)
    if recalibrate:
        fitted = sample.select(slice(n_fitted))
        recalibration = fit_recalibration(
            recalibrate,
            fitted.amplitude,
            fitted.points.me2,
            fitted.sigma_syst,
            fitted.sigma_stat,
            fitted.flat_weights(),
        )
        output = directory / f"{model.stem}.recalibrated.safetensors"
        with_recalibration(model, output, recalibration)
        after = reported.recalibrated(recalibration).reports()
        found |= {
            "recalibration": recalibration.header(),
            "recalibrated_model": str(output),
            "recalibrated_reports": after,
        }
        shown = {"before": found["reports"]["flat"], "after": after["flat"]}
    result = Calibration(**found)
    (directory / "calibration.json").write_text(
        json.dumps(result.as_dict(), indent=1, allow_nan=False) + "\n"
    )
    title = f"{evaluate.process['name']}: {n_points} points ({which})"
    plot_calibration(directory / "calibration.png", shown, title)
    return result


def _evaluated(evaluate: Evaluator, points: Dataset, name: str) -> tuple[_Sample, int]:
    """Predictions for all points that the evaluator accepts, and how many it does not."""
    prediction = evaluate(points.momenta)
    flags = np.asarray(prediction.flags)
    sound = flags == 0
    if not sound.any():
        low, high = evaluate.domain["sqrt_s_hat"]
        raise PyampError(
            f"{name}: no sound point in the domain of the model, √ŝ from {low:g} to {high:g} GeV and cuts; "
            "give points of its process card"
        )
    sample = _Sample(
        points,
        np.asarray(prediction.amplitude),
        np.asarray(prediction.sigma_syst),
        np.asarray(prediction.sigma_stat),
    )
    return sample.select(sound), int((~sound).sum())
