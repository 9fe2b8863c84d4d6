"""Rounds as a figure."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pyamp.refinement.run import Round


def plot_rounds(path: str | os.PathLike[str], rounds: Sequence[Round], title: str) -> None:
    """Save what unweighting sees over the evaluations of the truth.

    Parameters
    ----------
    path : path-like
        PNG or PDF.
    rounds : sequence of Round
    title : str
    """
    import matplotlib.style
    import mplhep
    from matplotlib.figure import Figure

    n_truth = [r.n_truth for r in rounds]
    curves = (
        (
            (r"$|A_\mathrm{NN}/A_\mathrm{true} - 1|$, median", [r.measured.median_abs_delta for r in rounds]),
            ("99 % quantile", [r.measured.q99_abs_delta for r in rounds]),
            (r"mean $\sigma_\mathrm{tot}/A$", [r.measured.mean_relative_sigma for r in rounds]),
        ),
        (
            (r"roulette: mean $p$ at $N_\mathrm{eff}/N = 0.99$", [r.measured.mean_p for r in rounds]),
            (
                r"two stages: $1 - \epsilon_\mathrm{2nd}$",
                [max(1.0 - r.measured.epsilon_2nd, 1e-6) for r in rounds],
            ),
        ),
    )
    with matplotlib.style.context([mplhep.style.ATLAS, {"font.size": 13}]):
        figure = Figure(figsize=(13, 5))
        for ax, lines in zip(figure.subplots(1, 2), curves, strict=True):
            for label, values in lines:
                ax.plot(n_truth, values, marker="o", label=label)
            ax.set_yscale("log")
            ax.set_xlabel("evaluations of the truth, test included")
            ax.legend()
        figure.suptitle(title, fontsize="small")
        figure.tight_layout()
        figure.savefig(Path(path), dpi=110)
