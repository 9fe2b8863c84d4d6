"""Figures of a report, as PNG."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence

import matplotlib.style
import mplhep
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pyamp.report.comparison import Distribution
from pyamp.report.factors import Curve, pilot_ratio
from pyamp.unweighting import EventFile, SpeedFactors, Times
from pyamp.unweighting.speed_factors import t_standard

FloatArray = npt.NDArray[np.float64]

_BINS = 60


def drawn(draw: Callable[[Figure], None], size: tuple[float, float]) -> bytes:
    """A PNG of what is drawn into a figure of that size."""
    with matplotlib.style.context([mplhep.style.ATLAS, {"font.size": 13}]):
        figure = Figure(figsize=size)  # not by pyplot: the caller's backend and figures are left alone
        # Fixed, in inches: to find them out from the texts takes as long as all the rest.
        width, height = size
        figure.subplots_adjust(
            left=1.1 / width, right=1 - 0.25 / width, bottom=0.8 / height, top=1 - 0.3 / height, wspace=0.25
        )
        draw(figure)
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=100)
    return stream.getvalue()


def ratio_figure(events: EventFile) -> bytes:
    """x = w/s of the pilot as the first stage accepts it, with x_max."""
    x, share = pilot_ratio(events), events.pilot["counts"] * events.pilot["surrogate"]
    x_max = events.info.x_max
    low, high = min(float(x[share > 0].min()), 1.0), max(float(x.max()), 1.05 * x_max)

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        _weighted(ax, x, share, np.linspace(low, high, _BINS + 1), "pilot, as the first stage accepts")
        ax.axvline(1.0, color="black", linewidth=1)
        ax.axvline(x_max, color="tab:red", linestyle="--", label=rf"$x_\mathrm{{max}} = {x_max:.4g}$")
        ax.set_yscale("log")
        ax.set_xlabel("$x = w/s$")
        ax.set_ylabel("share of the events")
        ax.legend()

    return drawn(draw, (7, 5))


def weight_figure(events: EventFile) -> bytes:
    """Weights w and s of the points before unweighting, and those of the events."""
    pilot, info = events.pilot, events.info
    positive = [pilot[name][pilot[name] > 0] for name in ("truth", "surrogate")]
    low, high = min(v.min() for v in positive), max(v.max() for v in positive)
    edges = np.geomspace(low, 1.01 * high, _BINS + 1)

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        for name, label in (("truth", "$w$, truth"), ("surrogate", "$s$, surrogate")):
            _weighted(left, pilot[name], pilot["counts"], edges, label)
        lines = {"w": info.w_max} if info.mode == "direct" else {"s": info.s_max, "w": info.w_max}
        for (symbol, maximum), style in zip(lines.items(), ("--", ":"), strict=False):
            label = rf"${symbol}_\mathrm{{max}}$"
            left.axvline(maximum, color="tab:red", linestyle=style, label=label)
        left.set_xscale("log")
        left.set_yscale("log")
        left.set_xlabel("weight before [pb]")
        left.set_ylabel("share of the points")
        left.legend()
        weight = events.weight if len(events) else np.ones(1)
        after = np.linspace(min(0.5, float(weight.min())), max(1.5, 1.01 * float(weight.max())), _BINS + 1)
        _weighted(right, weight, np.ones_like(weight), after, f"{len(events)} events")
        right.set_yscale("log")
        right.set_xlabel("weight after")
        right.set_ylabel("share of the events")
        right.legend()

    return drawn(draw, (13, 5))


def distribution_figure(distribution: Distribution, name: str, reference: str) -> bytes:
    """A distribution and its ratio to the reference, with the errors of both as bands."""
    d = distribution
    width = np.diff(d.edges)

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
        safe = np.where(d.reference > 0, d.reference, np.nan)
        for ax, scale in ((upper, width), (lower, safe)):
            for value, error, colour, label in (
                (d.reference, d.reference_error, "tab:gray", reference),
                (d.value, d.error, "tab:blue", name),
            ):
                centre, half = value / scale, error / scale
                ax.stairs(centre, d.edges, baseline=None, color=colour, label=label)
                ax.stairs(centre + half, d.edges, baseline=centre - half, fill=True, alpha=0.35, color=colour)
        if d.edges[0] > 0 and d.edges[-1] > 30 * d.edges[0]:
            upper.set_xscale("log")
        upper.set_yscale("log")
        upper.set_ylabel("pb per unit")
        upper.legend(title=rf"$\chi^2/n = {d.chi2:.1f}/{d.n_bins}$, $p = {d.p_value:.2g}$")
        largest = float(np.nanmax(np.abs((d.value + d.error) / safe - 1.0)))
        lower.set_ylim(1 - min(1.2 * largest, 0.95), 1 + min(1.2 * largest, 2.0))
        lower.set_ylabel("ratio")
        lower.set_xlabel(d.observable.label)

    return drawn(draw, (6.5, 6))


def curve_figure(curve: Curve, label: str, chosen: float, limit: float) -> bytes:
    """f_eff, and N_eff/N below it."""

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
        upper.errorbar(curve.at, curve.f_eff, yerr=curve.f_eff_err, fmt="o-", markersize=4)
        upper.axhline(limit, color="black", linestyle=":", label=f"limit {limit:.4g}")
        upper.set_ylabel(r"$f_\mathrm{eff}$")
        lower.plot(curve.at, curve.n_eff_over_n, "o-", markersize=4, color="tab:green")
        lower.set_ylabel(r"$N_\mathrm{eff}/N$")
        lower.set_xlabel(label)
        if curve.at[-1] > 10 * curve.at[0]:
            lower.set_xscale("log")
        if np.isfinite(chosen):
            for ax in (upper, lower):
                ax.axvline(chosen, color="tab:red", linestyle="--", label="these events")
        upper.legend()

    return drawn(draw, (6.5, 6))


def timing_figure(factors: Mapping[str, SpeedFactors], times: Times) -> bytes:
    """Time of one effective event in shares of that with the truth alone, by what it is spent on."""
    any_one = next(iter(factors.values()))
    standard = t_standard(times, any_one.value.epsilon_full) / any_one.value.n_eff_over_n_standard
    rows = {"standard": _standard_shares(any_one, times, standard)}
    rows |= {name.replace("_", " "): _shares(f, times, standard) for name, f in factors.items()}

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        left = np.zeros(len(rows))
        parts = (r"$t_\mathrm{PS}$", r"$t_\mathrm{surr}$", r"$t_\mathrm{ME}$")
        for k, (part, colour) in enumerate(zip(parts, ("tab:gray", "tab:orange", "tab:blue"), strict=True)):
            share = np.array([row[k] for row in rows.values()])
            ax.barh(list(rows), share, left=left, color=colour, label=part)
            left += share
        for y, total in enumerate(left):
            ax.text(total, y, f" {total:.3g}", va="center")
        ax.set_xlim(0, 1.15 * left.max())
        ax.set_xlabel(r"time of one effective event over $T_\mathrm{standard}$")
        ax.invert_yaxis()
        ax.legend(loc="lower right")

    return drawn(draw, (9, 3.6))


def _standard_shares(factors: SpeedFactors, times: Times, standard: float) -> Sequence[float]:
    per_event = factors.value.epsilon_full * factors.value.n_eff_over_n_standard * standard
    return times.t_ps / per_event, 0.0, times.t_me / per_event


def _shares(factors: SpeedFactors, times: Times, standard: float) -> Sequence[float]:
    value = factors.value
    second = value.epsilon_2nd * value.n_eff_over_n * standard
    first = value.epsilon_1st * second
    return times.t_ps / first, times.t_surr / first, value.mean_p * times.t_me / second


def _weighted(ax: Axes, values: FloatArray, weights: FloatArray, edges: FloatArray, label: str) -> None:
    counts, _ = np.histogram(values, edges, weights=weights)
    mplhep.histplot(counts / weights.sum(), edges, ax=ax, label=label)
