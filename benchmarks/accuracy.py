"""Accuracy and calibration of surrogates for gg → γγg: representations, networks and optimisers.

python benchmarks/accuracy.py [--quick] [--only NAME …] [--directory DIR] [--json PATH]

Every configuration is measured twice: on points flat in phase space, and on points weighted with the amplitude, which
is what unweighting and cross sections see; both samples are independent of the training points. N_eff says how many
points of equal weight a sample is worth.

The names begin with the optimiser: ``accurate`` and ``fast`` are the recipes with natural gradient, ``short`` is the
first with a quarter of its steps, ``adam`` is the default configuration, ``adam_floor`` the one to beat; others have
the same small budget within their group, and say what is changed. Half of the training points follow the soft and
collinear singularities, except where the name says flat and in ``adam`` and ``adam_floor``; ``…_plain`` leaves out the
last layer by least squares, ``accurate_plain`` the recalibration too.

"s to 9.4e-5" is the processor time until the median |Δ| on validation points, counted as flat, is as good as that of
``adam_floor`` at its end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import _studies
from _studies import FLOOR, N_TRAIN, N_TRAIN_LARGE, Rows, Study

from pyamp.training import TrainingConfig
from pyamp.training.recipes import load_config

GOALS = ((2e-5, "--", "goal, 90k points"), (3e-6, ":", "goal, 770k points"))
FLOOR_SECONDS = 854
COMPARISON_STEPS = 3_000  # of Adam, for each representation and network
LGATR_STEPS = 1_000
SLOWER = {"learning_rate": 1e-3}  # where 4e-3 diverges

ORDERED = {"type": "ordered_invariants"}
ORDERED_LINEAR = {"type": "ordered_invariants", "linear": True}
LOG = {"type": "log_invariants"}
LOG_LINEAR = {"type": "log_invariants", "linear": True}


@dataclass(frozen=True)
class Entry:
    """A configuration: a recipe or the default, what is changed in it, and its training points."""

    recipe: str | None
    changes: Mapping[str, Any]
    n_train: int = N_TRAIN
    importance: float = 0.5
    slow: bool = False

    def config(self, seed: int) -> TrainingConfig:
        base = load_config(self.recipe) if self.recipe else TrainingConfig()
        return TrainingConfig.model_validate({**base.model_dump(), **self.changes, "seed": seed})


def _adam(representation: Mapping[str, Any], network: Mapping[str, Any], **changes: Any) -> Entry:
    return Entry(
        None, {"representation": representation, "network": network, "steps": COMPARISON_STEPS, **changes}
    )


_FINE = {"validation_interval": 10}  # so that the time to an accuracy is known well

_SHORT = {
    "steps": 300,
    "batch_size": 1500,
    "damping": (1e-3, 1e-8),
    "sigma_network": load_config("fast").sigma_network,
}


def _short(importance: float = 0.5, **changes: Any) -> Entry:
    return Entry("accurate", {**_SHORT, **changes}, importance=importance)


_GELU = {"type": "mlp", "hidden": [128] * 3, "activation": "gelu", "initialisation": "variance_preserving"}

CONFIGURATIONS = {
    "accurate": Entry("accurate", {}),
    "accurate_plain": Entry("accurate", {"refit_last_layer": False, "recalibration": None}),
    "accurate_770k": Entry("accurate", {}, n_train=N_TRAIN_LARGE),
    "fast": Entry("fast", _FINE),
    "adam": Entry(None, {}, importance=0.0),
    "accurate_flat": Entry("accurate", {}, importance=0.0),
    "fast_flat": Entry("fast", _FINE, importance=0.0),
    "fast_momenta": Entry("fast", {"representation": {"type": "momenta"}, **_FINE}),
    "fast_log": Entry("fast", {"representation": LOG, **_FINE}),
    "fast_log_linear": Entry("fast", {"representation": LOG_LINEAR, **_FINE}),
    "fast_ordered": Entry("fast", {"representation": ORDERED, **_FINE}),
    "short": _short(),
    "short_flat": _short(importance=0.0),
    "short_ordered": _short(representation=ORDERED),
    "short_gelu": _short(network=_GELU),
    "short_float32": _short(dtype="float32", damping=(1e-3, 1e-5)),
    "short_plain": _short(refit_last_layer=False),
    "adam_momenta": _adam({"type": "momenta"}, {"type": "mlp"}),
    "adam_log": _adam(LOG, {"type": "mlp"}),
    "adam_log_linear": _adam(LOG_LINEAR, {"type": "mlp"}),
    "adam_ordered": _adam(ORDERED, {"type": "mlp"}),
    "adam_ordered_linear": _adam(ORDERED_LINEAR, {"type": "mlp"}),
    "adam_residual": _adam(ORDERED, {"type": "mlp", "residual": True}),
    "adam_dsi": _adam({"type": "deep_sets_invariants"}, {"type": "dsi"}, **SLOWER),
    "adam_fks": _adam(LOG, {"type": "fks"}),
    "adam_group_kan": _adam(ORDERED, {"type": "group_kan"}, **SLOWER),
    "adam_kan": _adam(ORDERED, {"type": "kan"}, **SLOWER),
    "adam_floor": Entry(
        None,
        {"network": {"type": "mlp", "hidden": [256] * 3}, "steps": 60_000, "batch_size": 1024},
        importance=0.0,
        slow=True,
    ),
    "adam_lgatr": Entry(
        None,
        {
            "representation": {"type": "four_vectors"},
            "network": {"type": "lgatr"},
            "dtype": "float64",
            "steps": LGATR_STEPS,
        },
        slow=True,
    ),
}
IN_COLOUR = ("accurate", "accurate_770k", "accurate_flat", "short", "fast", "adam", "adam_floor")
QUICK = ("accurate", "fast", "adam", "adam_momenta", "adam_ordered", "adam_dsi", "adam_fks", "adam_kan")


def measure(study: Study) -> Rows:
    """Rows of all configurations, those of --only or of --quick."""
    if study.quick and not study.options.only:
        study.options.only = list(QUICK)

    configs = {name: entry.config(study.data.seed) for name, entry in CONFIGURATIONS.items()}

    def make(name: str) -> Rows:
        entry = CONFIGURATIONS[name]
        config = _studies.scaled(configs[name], study.scale)
        training, validation = study.data.training(entry.n_train, entry.importance)
        directory = study.directory / "runs" / name
        return _studies.run_configuration(
            name, config, training, validation, study.data.tests(), directory, history=True
        )

    def identity(name: str) -> object:
        entry = CONFIGURATIONS[name]
        return [configs[name].model_dump(exclude_defaults=True), entry.n_train, entry.importance]

    return study.rows(list(CONFIGURATIONS), make, identity)


def draw(path: Path, rows: Rows) -> None:
    """Accuracy in the course of training, and at the end of it on both samples."""
    names = list(dict.fromkeys(row["name"] for row in rows))
    with _studies.figure(path, 1, 2, "gg → γγg at 1 TeV, one core") as axes:
        left, right = axes[0]
        for name in names:
            history = [row for row in rows if row["name"] == name and row["sample"] == "validation"]
            if not history:
                continue
            compared = name not in IN_COLOUR
            left.plot(
                [row["cpu_s"] for row in history],
                [row["median_abs_delta"] for row in history],
                linewidth=0.8 if compared else 2,
                color="0.7" if compared else None,
                label=None if compared else name,
            )
        left.plot(FLOOR_SECONDS, FLOOR, "k*", markersize=14, label="3×256 GELU, 60,000 Adam steps")
        left.set(
            xscale="log", yscale="log", xlabel="processor time of training in s", ylabel=r"median $|\Delta|$"
        )
        left.plot([], [], color="0.7", linewidth=0.8, label="others")
        left.legend(loc="lower left", title="validation points", title_fontsize=10, fontsize=9)
        for sample, style in (("flat", "o"), ("amplitude", "s")):
            for row in rows:
                if row["sample"] == sample:
                    colour = "tab:blue" if row["name"].startswith("adam") else "tab:red"
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
        for value, style, label in ((FLOOR, "-", "3×256 GELU, 60,000 Adam steps"), *GOALS):
            right.axvline(value, color="black", linestyle=style, linewidth=1, label=label)
        right.legend(
            loc="lower left", fontsize=9, frameon=True, facecolor="white", framealpha=1, edgecolor="none"
        )


if __name__ == "__main__":
    columns = dict(_studies.ACCURACY_COLUMNS)
    columns["floor_cpu_s"] = "s to 9.4e-5"
    _studies.main("accuracy", __doc__, measure, columns, draw)
