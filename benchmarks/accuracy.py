"""Accuracy and calibration of surrogates for gg → γγg and gg → γγgg: representations, networks and optimisers.

python benchmarks/accuracy.py [--process gg_to_aagg] [--quick] [--only NAME …] [--directory DIR] [--json PATH]

Every configuration is measured twice: on points flat in phase space, and on points weighted with the amplitude, which
is what unweighting and cross sections see; both samples are independent of the training points. N_eff says how many
points of equal weight a sample is worth, x_max is the maximum of the second unweighting stage, whose overweights carry
1e-3 of the cross section. Half of the training points follow the soft and collinear singularities, except where the
name says flat and in ``adam`` and ``adam_floor`` of gg → γγg.

gg → γγg: ``accurate`` and ``fast`` are the recipes with natural gradient, ``short`` is the first with a quarter of its
steps, ``adam`` is the default configuration, ``adam_floor`` the one to beat; others have the same small budget within
their group, and say what is changed. ``…_plain`` leaves out the last layer by least squares, ``accurate_plain`` the
recalibration too. "s to floor" is the processor time until the median |Δ| on validation points, counted as flat, is as
good as 9.4e-5, that of ``adam_floor`` at its end. ``adam_lgatr`` is a small one, on 6000 batches of 128.

gg → γγgg: ``paper`` has the widths of arXiv:2206.14831, App. A, on standardised momenta, with GELU and the target log,
and ``paper_ordered`` the same network on ordered invariants, both with 5,000 Adam steps, all others but ``adam_long``
with 10,000.
``natural`` is the recipe ``fast`` with a hundred times its damping, a tenth of its learning rate and five times its
steps; ``natural_five_legs`` is the recipe as it is.
"""

from pathlib import Path

import _studies
from _configurations import COMPARISONS
from _studies import Rows, Study

COMPARISON_OF_CARD = {comparison.standard.card: comparison for comparison in COMPARISONS.values()}


def measure(study: Study) -> Rows:
    """Rows of all configurations, those of --only or of --quick."""
    comparison = COMPARISON_OF_CARD[study.data.standard.card]
    if study.quick and not study.options.only:
        study.options.only = list(comparison.quick)

    entries = comparison.configurations
    configs = {name: entry.config(study.data.seed) for name, entry in entries.items()}
    floor = comparison.floor.median if comparison.floor else None

    def n_train(name: str) -> int:
        return entries[name].n_train or comparison.standard.n_train

    def make(name: str) -> Rows:
        config = _studies.scaled(configs[name], study.scale)
        training, validation = study.data.training(n_train(name), entries[name].importance)
        directory = study.directory / "runs" / comparison.standard.card / name
        return _studies.run_configuration(
            name, config, training, validation, study.data.tests(), directory, history=True, floor=floor
        )

    def identity(name: str) -> object:
        return [configs[name].model_dump(exclude_defaults=True), n_train(name), entries[name].importance]

    return study.rows(list(entries), make, identity)


def draw(path: Path, rows: Rows) -> None:
    """Accuracy in the course of training, and at the end of it on both samples."""
    names = list(dict.fromkeys(row["name"] for row in rows))
    card = next(row["process"] for row in rows if row["sample"] == "flat")
    comparison = COMPARISON_OF_CARD[card]
    with _studies.figure(path, 1, 2, f"{comparison.standard.title} at 1 TeV, one core") as axes:
        left, right = axes[0]
        for name in names:
            history = [row for row in rows if row["name"] == name and row["sample"] == "validation"]
            if not history:
                continue
            compared = name not in comparison.in_colour
            left.plot(
                [row["cpu_s"] for row in history],
                [row["median_abs_delta"] for row in history],
                linewidth=0.8 if compared else 2,
                color="0.7" if compared else None,
                label=None if compared else name,
            )
        left.set(
            xscale="log", yscale="log", xlabel="processor time of training in s", ylabel=r"median $|\Delta|$"
        )
        left.plot([], [], color="0.7", linewidth=0.8, label="others")
        for sample, style in (("flat", "o"), ("amplitude", "s")):
            for row in rows:
                if row["sample"] == sample:
                    colour = "tab:blue" if row["optimizer"] == "adam" else "tab:red"
                    fill = colour if sample == "flat" else "none"
                    place = row["median_abs_delta"], names.index(row["name"])
                    right.plot(*place, style, color=colour, markerfacecolor=fill, markersize=7)
            fill = "0.3" if sample == "flat" else "none"
            label = "flat points" if sample == "flat" else "points as the amplitude"
            right.plot([], [], style, color="0.3", markerfacecolor=fill, markersize=7, label=label)
        seconds = {row["name"]: row.get("train_cpu_s") for row in rows if row["sample"] == "flat"}
        labels = [name if seconds[name] is None else f"{name}, {seconds[name]:.0f} s" for name in names]
        right.set_yticks(range(len(names)), labels, fontsize=9)
        right.tick_params(axis="y", which="minor", left=False, right=False)
        right.set_ylim(len(names), -1)
        right.set(xscale="log", xlabel=r"median $|\Delta|$ on test points")
        if comparison.floor:
            floor = comparison.floor
            left.plot(floor.seconds, floor.median, "k*", markersize=14, label=floor.label)
            right.axvline(floor.median, color="black", linewidth=1, label=floor.label)
        for label, style, value in comparison.goals:
            right.axvline(value, color="black", linestyle=style, linewidth=1, label=label)
        left.legend(loc="lower left", title="validation points", title_fontsize=10, fontsize=9)
        right.legend(
            loc="lower left", fontsize=9, frameon=True, facecolor="white", framealpha=1, edgecolor="none"
        )


if __name__ == "__main__":
    columns = {**_studies.ACCURACY_COLUMNS, "floor_cpu_s": "s to floor"}
    standards = {name: comparison.standard for name, comparison in COMPARISONS.items()}
    _studies.main("accuracy", __doc__, measure, columns, draw, standards=standards)
