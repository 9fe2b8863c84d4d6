"""Figures: pulls, relative deviations and calibration of a surrogate."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pyamp.calibration import CalibrationReport, Reliability
from pyamp.calibration.pull_summary import HISTOGRAM_EDGES
from pyamp.calibration.variables import variable_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = NDArray[np.float64]

PULL_RANGE = 5.0


def plot_pulls(path: str | os.PathLike[str], t: FloatArray, delta: FloatArray, title: str) -> None:
    """Save the distribution of the pulls beside a standard normal, and that of log10 |Δ|.

    Parameters
    ----------
    path : path-like
        PNG or PDF.
    t : ndarray
        Pulls ``(n,)``; those beyond ±5 are counted in the outermost bins.
    delta : ndarray
        Relative deviations ``(n,)``.
    title : str
    """
    import matplotlib.style
    import mplhep
    from matplotlib.figure import Figure

    with matplotlib.style.context(mplhep.style.ATLAS):
        figure = Figure(figsize=(13, 5))  # not by pyplot: the caller's backend and figures are left alone
        left, right = figure.subplots(1, 2)
        edges = np.linspace(-PULL_RANGE, PULL_RANGE, 61)
        counts, _ = np.histogram(np.clip(t, -PULL_RANGE, PULL_RANGE), edges)
        width = edges[1] - edges[0]
        mplhep.histplot(
            counts / (len(t) * width),
            edges,
            yerr=np.sqrt(counts) / (len(t) * width),
            ax=left,
            label="surrogate",
            color="tab:blue",
        )
        x = np.linspace(-PULL_RANGE, PULL_RANGE, 400)
        left.plot(x, np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi), color="black", label="N(0, 1)")
        left.set_yscale("log")
        left.set_ylim(0.3 / (len(t) * width), 2)
        left.set_xlabel(r"$t_\mathrm{syst} = (A_\mathrm{NN} - A_\mathrm{true})/\sigma_\mathrm{syst}$")
        left.set_ylabel("normalised")
        left.legend()
        log_delta = np.log10(np.maximum(np.abs(delta), 1e-9))
        mplhep.histplot(*np.histogram(log_delta, 60), ax=right, color="tab:blue")
        right.axvline(np.median(log_delta), color="black", linestyle="--")
        right.set_xlabel(r"$\log_{10} |A_\mathrm{NN}/A_\mathrm{true} - 1|$ (dashed: median)")
        right.set_ylabel("points")
        figure.suptitle(title, fontsize="small")
        figure.tight_layout()
        figure.savefig(Path(path), dpi=120)


def plot_calibration(
    path: str | os.PathLike[str], reports: Mapping[str, CalibrationReport], title: str
) -> None:
    """Save pull histograms of the three uncertainties, and the width of the pulls over every variable.

    Parameters
    ----------
    path : path-like
        PNG or PDF.
    reports : mapping of str to CalibrationReport
        What to compare, such as before and after a recalibration, by its name in the legend.
    title : str
    """
    import matplotlib.style
    import mplhep
    from matplotlib.figure import Figure

    variables = list(dict.fromkeys(name for report in reports.values() for name in report.reliability))
    n_columns = 3
    n_rows = 1 + -(-len(variables) // n_columns)
    with matplotlib.style.context([mplhep.style.ATLAS, {"font.size": 13}]):
        figure = Figure(figsize=(6.5 * n_columns, 4.5 * n_rows))
        axes = figure.subplots(n_rows, n_columns, squeeze=False)
        for ax, name in zip(axes[0], ("syst", "stat", "tot"), strict=True):
            _draw_pulls(ax, name, reports)
        panels = axes[1:].flatten()
        for ax, name in zip(panels, variables, strict=False):
            curves = {label: report.reliability.get(name) for label, report in reports.items()}
            _draw_reliability(ax, name, curves)
        for ax in panels[len(variables) :]:
            ax.set_axis_off()
        figure.suptitle(title, fontsize="small")
        figure.tight_layout()
        figure.savefig(Path(path), dpi=100)


def _draw_pulls(ax: Axes, name: str, reports: Mapping[str, CalibrationReport]) -> None:
    import mplhep

    width = HISTOGRAM_EDGES[1] - HISTOGRAM_EDGES[0]
    smallest = 1.0
    for label, report in reports.items():
        summary = report.pulls[name]
        if summary is not None:
            density = np.asarray(summary.density)
            one_point = 1.0 / (report.n_eff * width)
            smallest = min(smallest, one_point)
            mplhep.histplot(density, HISTOGRAM_EDGES, yerr=np.sqrt(density * one_point), ax=ax, label=label)
    symbol = rf"\sigma_\mathrm{{{name}}}"
    ax.set_xlabel(rf"$t_\mathrm{{{name}}} = (A - A_\mathrm{{true}})/{symbol}$")
    if smallest == 1.0:
        ax.text(0.5, 0.5, f"no ${symbol}$", transform=ax.transAxes, ha="center")
        return
    x = np.linspace(HISTOGRAM_EDGES[0], HISTOGRAM_EDGES[-1], 400)
    ax.plot(x, np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi), color="black", label="N(0, 1)")
    ax.set_yscale("log")
    ax.set_ylim(0.3 * smallest, 3)
    ax.set_ylabel("normalised")
    ax.legend()


def _draw_reliability(ax: Axes, name: str, curves: Mapping[str, Reliability | None]) -> None:
    for label, curve in curves.items():
        if curve is None:
            continue
        edges = np.asarray(curve.edges)
        logarithmic = edges[0] > 0 and edges[-1] > 100 * edges[0]
        centres = np.sqrt(edges[:-1] * edges[1:]) if logarithmic else 0.5 * (edges[:-1] + edges[1:])
        if logarithmic:
            ax.set_xscale("log")
        ax.errorbar(
            centres,
            curve.core_width,
            xerr=[centres - edges[:-1], edges[1:] - centres],
            yerr=curve.core_width_error,
            fmt="o",
            markersize=4,
            label=label,
        )
    ax.axhline(1.0, color="black", linewidth=1)
    ax.set_xlabel(variable_label(name))
    ax.set_ylabel(r"width of $t_\mathrm{tot}$")
    ax.legend()
