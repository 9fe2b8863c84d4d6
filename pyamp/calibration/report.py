"""All that is known about the calibration of a surrogate on a sample of points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pyamp.calibration.pull_summary import PullSummary, ks_limit, summarise_pulls
from pyamp.calibration.reliability_curves import Reliability, reliability
from pyamp.calibration.statistics import FloatArray, effective_number, pulls, relative_deviation
from pyamp.calibration.summary import Accuracy, accuracy
from pyamp.errors import PyampError


@dataclass(frozen=True)
class CalibrationReport:
    """Calibration of σ_syst, σ_stat and σ_tot on points that were not trained on.

    Attributes
    ----------
    n_points : int
    n_eff : float
        (Σw)²/Σw² of the weights; n_points if there are none.
    ks_limit : float
        Kolmogorov–Smirnov distance that 5 % of the samples of normal pulls exceed.
    accuracy : Accuracy
        Of the amplitude; its pulls are those with σ_tot.
    pulls : dict of str to PullSummary or None
        For ``syst``, ``stat`` and ``tot``; None where that σ is not positive everywhere.
    reliability : dict of str to Reliability
        Pulls with σ_tot in quantiles of ``amplitude``, ``relative_sigma`` and the variables asked for.
    """

    n_points: int
    n_eff: float
    ks_limit: float
    accuracy: Accuracy
    pulls: dict[str, PullSummary | None]
    reliability: dict[str, Reliability]

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, all finite, to be written as JSON."""
        return asdict(self)


def calibration_report(
    amplitude: FloatArray,
    truth: FloatArray,
    sigma_syst: FloatArray,
    sigma_stat: FloatArray,
    variables: Mapping[str, FloatArray] | None = None,
    weights: FloatArray | None = None,
    n_bins: int = 10,
) -> CalibrationReport:
    """Compare predictions with the truth.

    Parameters
    ----------
    amplitude, truth, sigma_syst, sigma_stat : ndarray
        ``(n,)`` each, the same unit.
    variables : mapping of str to ndarray, optional
        ``(n,)`` each: further variables of the reliability, such as :func:`kinematic_variables`.
    weights : ndarray, optional
        ``(n,)``: how much a point counts; all the same by default.
    n_bins : int
        Bins of the reliability.

    Raises
    ------
    PyampError
        No points, or a σ_tot that is not positive.
    """
    sigma_tot = np.hypot(sigma_syst, sigma_stat)
    if len(truth) == 0:
        raise PyampError("calibration: no points; give some that the surrogate was not trained on")
    wrong = ~(np.isfinite(amplitude) & np.isfinite(sigma_tot) & (sigma_tot > 0))
    if wrong.any():
        raise PyampError(
            f"calibration: amplitude or σ_tot of {wrong.sum()} of {len(truth)} points is not finite or σ_tot is 0; "
            "expected finite amplitudes with positive uncertainties, leave such points out"
        )
    delta = relative_deviation(amplitude, truth)
    looked_at = {"amplitude": truth, "relative_sigma": sigma_tot / np.abs(amplitude), **(variables or {})}
    curves = {
        name: reliability(values, delta, sigma_tot / truth, weights, n_bins)
        for name, values in looked_at.items()
    }
    return CalibrationReport(
        n_points=len(truth),
        n_eff=effective_number(len(truth), weights),
        ks_limit=ks_limit(len(truth), weights),
        accuracy=accuracy(amplitude, truth, sigma_tot, weights),
        pulls={
            name: summarise_pulls(pulls(amplitude, truth, sigma), weights) if (sigma > 0).all() else None
            for name, sigma in (("syst", sigma_syst), ("stat", sigma_stat), ("tot", sigma_tot))
        },
        reliability={name: curve for name, curve in curves.items() if curve is not None},
    )
