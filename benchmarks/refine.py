"""How many evaluations of the truth does unweighting need: with flat points, important ones, those of pyamp refine?

python benchmarks/refine.py [--quick] [--json PATH] [--directory DIR] [--only NAME …]

The recipe `fast` for every training. "flat", "gluons" and "all": points as `pyamp generate` draws them, without and
with --importance 0.5 (and --importance-legs all); "refine": `pyamp refine` from as many flat points as the smallest
set, each round with the weights of the best one before, or "anew" from random ones. Measured on other points, which
are distributed as events of the exact amplitude and counted nowhere: ε_2nd of two stages and the mean p of the roulette
that keeps N_eff/N = 0.99. Hadrons are without parton densities.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import _studies
import numpy as np
import torch

from pyamp import Evaluator, truth
from pyamp.datasets import Dataset, generate
from pyamp.model_file import SELF_TEST_POINTS, write_model
from pyamp.phase_space import PhaseSpace
from pyamp.recalibration import least_points
from pyamp.refinement import RefineSettings, Targets, event_accuracy, refine, select
from pyamp.refinement.evaluation import evaluated
from pyamp.training import TrainingConfig, load_config
from pyamp.unweighting import Times

CARDS = ("gg_to_aag_1tev", "gg_to_aag_lhc13")
SEEDS = (1, 2)
START, ONE_SIZE = 4000, 16_000
FLAT_SIZES = {CARDS[0]: (START, ONE_SIZE, 64_000), CARDS[1]: (START, ONE_SIZE)}
ROUND = 3000
N_ROUNDS = {CARDS[0]: 3, CARDS[1]: 2}
CANDIDATES = 400_000  # trials of a round
N_TEST, TEST_TRIALS = 4000, 3_000_000
IMPORTANCE = {"flat": {}, "gluons": {"importance": 0.5}, "all": {"importance": 0.5, "importance_legs": "all"}}
LABELS = {"1tev": "gg → γγg, 1 TeV", "lhc13": "gg → γγg, 13 TeV beams"}
THRESHOLDS = (
    ("epsilon_2nd", 0.99),
    ("epsilon_2nd", 0.999),
    ("mean_p", 0.1),
    ("mean_p", 0.03),
    ("mean_p", 0.01),
)


@dataclass(frozen=True)
class Setting:
    """One configuration: ``1tev/flat/1``."""

    name: str
    card: str
    method: str
    seed: int


SETTINGS = {
    setting.name: setting
    for card in CARDS
    for seed in SEEDS
    for method in ("flat", "refine", "gluons", "all", *(["refine_anew"] if card == CARDS[0] else []))
    for setting in [Setting(f"{card.rsplit('_', 1)[1]}/{method}/{seed}", card, method, seed)]
}


def measure(study: _studies.Study) -> _studies.Rows:
    """Rows of all methods."""
    names = [name for name, setting in SETTINGS.items() if not study.quick or setting.seed == SEEDS[0]]

    def make(name: str) -> _studies.Rows:
        setting = SETTINGS[name]
        common = {
            "name": name,
            "sample": "events",
            "process": setting.card,
            "method": setting.method,
            "seed": setting.seed,
        }
        directory = study.directory / name.replace("/", "_")
        directory.mkdir(exist_ok=True)
        values = {
            "seed": setting.seed,
            "validation_fraction": max(0.05, 1.1 * least_points("scale") / count(study, START)),
        }
        config = _studies.scaled(
            TrainingConfig.model_validate({**load_config("fast").model_dump(), **values}),
            study.scale,
        )
        test = test_points(study, setting.card)
        if setting.method.startswith("refine"):
            found = refined(study, setting, config, test, directory)
        else:
            sizes = FLAT_SIZES[setting.card] if setting.method == "flat" else [ONE_SIZE]
            found = [drawn(study, setting, n, config, test, directory) for n in sizes]
        return [{**common, **row} for row in found]

    return study.rows(names, make)


def count(study: _studies.Study, n: int) -> int:
    """That many, or less of everything."""
    return max(400, round(n / study.scale))


def test_points(study: _studies.Study, card: str) -> Dataset:
    """Points in proportion to the exact event weight, a tenth of them evenly."""
    path = study.directory / f"test_{card}.h5"
    if path.exists():
        return Dataset.open(path)
    exact = truth("gg_to_aag", alpha_s=1.0, alpha=1.0)
    selection = select(
        PhaseSpace(card),
        lambda sample: exact.me2(sample.momenta) * sample.weights,
        count(study, N_TEST),
        count(study, TEST_TRIALS),
        seed=_studies.TEST_SEED,
    )
    some = points(study, card, "flat", count(study, START), SEEDS[0])
    return evaluated(selection, some.info, path, _studies.TEST_SEED, {"of": "events"})


def points(study: _studies.Study, card: str, method: str, n: int, seed: int) -> Dataset:
    """As `pyamp generate` draws them; the first ones of a larger set of flat points are those of a smaller one."""
    path = study.directory / f"{card}_{method}_{n}_{seed}.h5"
    return generate(card, n, path, seed, points_per_shard=min(n, 5000), **IMPORTANCE[method])


def trained(dataset: Dataset, config: TrainingConfig, test: Dataset, path: Path) -> dict[str, object]:
    """Train on all points but a twentieth and write the model file, unless it is there; what events see of it."""
    cpu_s = None
    if not path.exists():
        n_validation = max(1, round(config.validation_fraction * len(dataset)))
        training, validation = dataset.split(len(dataset) - n_validation, n_validation)
        done = _studies.train_surrogate(config, training, validation)
        momenta = torch.from_numpy(test.momenta[:SELF_TEST_POINTS])
        write_model(path, done.surrogate, _studies.model_info(training), momenta)
        cpu_s = done.train_cpu_s
    unknown = Times(np.nan, np.nan, np.nan)
    measured = event_accuracy(Evaluator(path, policy="nan"), test, unknown).as_dict()
    return {"train_cpu_s": cpu_s, **measured}


def drawn(
    study: _studies.Study,
    setting: Setting,
    n: int,
    config: TrainingConfig,
    test: Dataset,
    directory: Path,
) -> dict[str, object]:
    begin = time.process_time()
    dataset = points(study, setting.card, setting.method, count(study, n), setting.seed)
    made = time.process_time() - begin
    row = trained(dataset, config, test, directory / f"{len(dataset)}.safetensors")
    return {"n_truth": len(dataset), "round": None, "choice_cpu_s": made, **row}


def refined(
    study: _studies.Study,
    setting: Setting,
    config: TrainingConfig,
    test: Dataset,
    directory: Path,
) -> _studies.Rows:
    start = points(study, setting.card, "flat", count(study, START), setting.seed)
    data = study.directory / f"{setting.card}_flat_{len(start)}_{setting.seed}.h5"
    model = (
        study.directory
        / setting.name.replace("/", "_").replace(setting.method, "flat")
        / f"{len(start)}.safetensors"
    )
    rows = []
    if not model.exists():
        model = directory / "start.safetensors"
        rows = [{"n_truth": len(start), "round": 0, **trained(start, config, test, model)}]
    settings = RefineSettings(
        points_per_round=count(study, ROUND),
        candidates=count(study, CANDIDATES),
        warm_start=setting.method == "refine",
    )
    result = refine(
        model,
        data,
        directory / "rounds",
        Targets(rounds=2 if study.quick else N_ROUNDS[setting.card]),
        settings,
        config=config,
        test=study.directory / f"test_{setting.card}.h5",
    )
    for done in result.rounds[1:]:
        n_truth = len(start) + done.n_truth
        measured = done.measured.as_dict()
        rows.append({"n_truth": n_truth, "round": done.number, "train_cpu_s": done.seconds, **measured})
    return rows


def needed(rows: _studies.Rows) -> list[str]:
    """Smallest number of evaluations that was seen to reach each threshold, for every seed."""
    lines = []
    for process in dict.fromkeys(row["process"] for row in rows):
        for key, threshold in THRESHOLDS:
            found = []
            for method in dict.fromkeys(row["method"] for row in rows):
                chosen = [row for row in rows if row["process"] == process and row["method"] == method]
                numbers = []
                for seed in dict.fromkeys(row["seed"] for row in chosen):
                    one = [row for row in chosen if row["seed"] == seed]
                    good = [
                        r["n_truth"]
                        for r in one
                        if (r[key] - threshold) * (1 if key != "mean_p" else -1) >= 0
                    ]
                    numbers.append(str(min(good)) if good else f">{max(r['n_truth'] for r in one)}")
                found.append(f"{method} {', '.join(numbers)}")
            sign = "≤" if key == "mean_p" else "≥"
            lines.append(f"{process}, {key} {sign} {threshold}: " + "; ".join(found))
    return lines


def draw(path: Path, rows: _studies.Rows) -> None:
    """Mean p, 1 − ε_2nd and median |Δ| over the evaluations of the truth."""
    processes = list(dict.fromkeys(row["process"] for row in rows))
    quantities = (
        ("mean_p", r"roulette: mean $p$ at $N_\mathrm{eff}/N = 0.99$"),
        ("rejected", r"two stages: $1 - \epsilon_\mathrm{2nd}$"),
        ("median_abs_delta", r"median $|A/A_\mathrm{true} - 1|$ of events"),
    )
    methods = ("flat", "gluons", "all", "refine", "refine_anew")
    with _studies.figure(path, len(processes), len(quantities)) as axes:
        for line, process in zip(axes, processes, strict=True):
            for ax, (key, label) in zip(line, quantities, strict=True):
                for number, method in enumerate(methods):
                    for seed in dict.fromkeys(row["seed"] for row in rows):
                        chosen = [
                            {**row, "rejected": max(1.0 - row["epsilon_2nd"], 1e-5)}
                            for row in rows
                            if (row["process"], row["method"], row["seed"]) == (process, method, seed)
                        ]
                        ax.plot(
                            [row["n_truth"] for row in chosen],
                            [row[key] for row in chosen],
                            marker="o",
                            color=f"C{number}",
                            label=method.replace("_", ", ") if seed == SEEDS[0] else None,
                        )
                ax.set_xscale("log")
                ax.set_yscale("log")
                ax.set_xlabel("evaluations of the truth")
                ax.set_ylabel(label)
                ax.set_title(LABELS[process.rsplit("_", 1)[1]].replace("→ γγ", r"$\to\gamma\gamma$"))
                ax.legend()
    print("\n".join(needed(rows)))


COLUMNS = {
    "name": "points",
    "n_truth": "truth",
    "n_eff": "N_eff",
    "median_abs_delta": "median |Δ|",
    "q99_abs_delta": "99 %",
    "mean_relative_sigma": "σ/A",
    "pull_rms": "pull",
    "x_max": "x_max",
    "epsilon_2nd": "ε_2nd",
    "mean_p": "mean p",
    "train_cpu_s": "CPU s",
}

if __name__ == "__main__":
    _studies.main("refine", __doc__, measure, COLUMNS, draw)
