"""Figures: pulls and relative deviations of a surrogate."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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
