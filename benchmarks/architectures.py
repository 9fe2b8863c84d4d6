"""Activations, depth, and networks with learnable activations for gg → γγg (compare arXiv:2412.12069).

python benchmarks/architectures.py [--quick] [--only NAME …] [--directory DIR] [--json PATH]

MLPs of width 128 with every activation, KANs of width 32 and GroupKANs of width 64, each with 2 to 4 hidden layers, on
ordered invariants, all with the same number of Adam steps. Names are NETWORK_DEPTH.
"""

from pathlib import Path

import _studies
from _studies import Rows, Study

from pyamp.networks import ACTIVATIONS
from pyamp.training import TrainingConfig

STEPS = 2_000
DEPTHS = (2, 3, 4)
WIDTHS = {"mlp": 128, "group_kan": 64, "kan": 32}

MLPS = {activation: {"type": "mlp", "activation": activation} for activation in ACTIVATIONS}
NETWORKS = {**MLPS, "group_kan": {"type": "group_kan"}, "kan": {"type": "kan"}}
CASES = {f"{network}_{depth}": (network, depth) for depth in DEPTHS for network in NETWORKS}
QUICK = ("gelu_2", "tanh_2", "relu_2", "group_kan_2", "kan_2")


def measure(study: Study) -> Rows:
    """Rows of all networks, or of those of --only or of --quick."""
    if study.quick and not study.options.only:
        study.options.only = list(QUICK)

    def config(name: str) -> TrainingConfig:
        kind, depth = CASES[name]
        network = {**NETWORKS[kind], "hidden": [WIDTHS[NETWORKS[kind]["type"]]] * depth}
        found = TrainingConfig.model_validate({"network": network, "steps": STEPS, "seed": study.data.seed})
        return _studies.scaled(found, study.scale)

    def make(name: str) -> Rows:
        kind, depth = CASES[name]
        training, validation = study.data.training()
        rows = _studies.run_configuration(
            name, config(name), training, validation, study.data.tests(), study.directory / "runs" / name
        )
        return [{**row, "kind": kind, "depth": depth} for row in rows]

    return study.rows(list(CASES), make, lambda name: config(name).model_dump(exclude_defaults=True))


def draw(path: Path, rows: Rows) -> None:
    """Accuracy against depth, and against the time of a training."""
    with _studies.figure(path, 1, 3, "gg → γγg at 1 TeV, Adam, the same number of steps") as axes:
        for ax, (key, sample) in zip(
            axes[0],
            (("median_abs_delta", "flat"), ("median_abs_delta", "amplitude"), ("train_cpu_s", "flat")),
            strict=True,
        ):
            for kind in NETWORKS:
                chosen = [row for row in rows if row["kind"] == kind and row["sample"] == sample]
                chosen.sort(key=lambda row: row["depth"])
                style = "s--" if "kan" in kind else "o-"
                ax.plot([row["depth"] for row in chosen], [row[key] for row in chosen], style, label=kind)
            ax.set_xticks(DEPTHS)
            ax.set_xlim(DEPTHS[0] - 0.2, DEPTHS[-1] + 0.2)
            ax.set_yscale("log")
            ax.set_xlabel("hidden layers")
        axes[0, 0].set_ylabel(r"median $|\Delta|$, flat points")
        axes[0, 1].set_ylabel(r"median $|\Delta|$, points as the amplitude")
        axes[0, 2].set_ylabel("processor time of training in s")
        axes[0, 0].set_ylim(top=0.2)
        axes[0, 0].legend(ncols=3, loc="upper right")


if __name__ == "__main__":
    _studies.main("architectures", __doc__, measure, _studies.ACCURACY_COLUMNS, draw)
