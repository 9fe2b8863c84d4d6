"""Accuracy of a surrogate and calibration of its uncertainty, on points that it was not trained on."""

from pyamp.calibration.pull_summary import PullSummary, summarise_pulls
from pyamp.calibration.reliability_curves import Reliability, reliability
from pyamp.calibration.report import CalibrationReport, calibration_report
from pyamp.calibration.statistics import (
    SIGMA_68,
    SIGMA_95,
    core_width,
    effective_number,
    pulls,
    relative_deviation,
    weighted_quantile,
)
from pyamp.calibration.summary import Accuracy, accuracy
from pyamp.calibration.variables import kinematic_variables

__all__ = [
    "SIGMA_68",
    "SIGMA_95",
    "Accuracy",
    "CalibrationReport",
    "PullSummary",
    "Reliability",
    "accuracy",
    "calibration_report",
    "core_width",
    "effective_number",
    "kinematic_variables",
    "pulls",
    "relative_deviation",
    "reliability",
    "summarise_pulls",
    "weighted_quantile",
]
