"""How much faster unweighted diphoton events come with a surrogate: the f_eff table of arXiv:2301.13562.

python benchmarks/f_eff.py MODEL.safetensors [--process CARD] [--dataset FILE.h5] [--quick] [--json PATH [--add]]
python benchmarks/f_eff.py --sherpa-truth truth.yaml --sherpa-two-stage two_stage.yaml

A row from Python needs a model file, a row from Sherpa the summaries of two runs; both together give both. Without a
process or dataset, phase space is that of the cards gg_to_aag_1tev, and of the same at 230 GeV, where an LHC run has
its median. With a dataset, which no training should have seen, amplitudes are not evaluated again; its points count as
flat ones whatever their sampling, and importance sampling makes few of them say more: take this for gg -> gamma gamma
g g. Everything runs on one core; a time is that of one point within the cuts, from batches of 1000 in Python and from
single points in Sherpa.
"""

import argparse
import json
import os
from pathlib import Path

import _common
import torch

import pyamp
from pyamp.datasets import Dataset
from pyamp.processes import Energy, Process, load_process
from pyamp.report.table import with_error
from pyamp.unweighting.measurement import measure_speed_factors, speed_factors_of_dataset
from pyamp.unweighting.sherpa_summary import read_summary, sherpa_speed_factors
from pyamp.unweighting.speed_factors import SpeedFactors

COLUMNS = {
    "process": "process",
    "where": "where",
    "t_me": "t_ME/µs",
    "t_ps": "t_PS/µs",
    "epsilon_full": "ε_full/%",
    "t_surr": "t_surr/µs",
    "x_max": "x_max",
    "epsilon_1st": "ε_1st/%",
    "epsilon_2nd": "ε_2nd/%",
    "n_eff_over_n": "N_eff/N",
    "f_eff": "f_eff",
    "f_eff_limit": "limit",
}


def default_processes() -> list[Process]:
    """Partonic collisions at 1 TeV and at 230 GeV."""
    card = load_process("gg_to_aag_1tev")
    lower = {"name": "gg_to_aag_230gev", "energy": Energy(sqrt_s_hat=230)}
    return [card, card.model_copy(update=lower)]


def python_rows(options: argparse.Namespace) -> list[dict[str, object]]:
    """One row for each process or for the dataset, measured here."""
    evaluator = pyamp.Evaluator(options.model, policy="truth")
    settings = {
        "budget": options.budget,
        "n_bootstrap": 20 if options.quick else 200,
        "repeats": options.repeats,
        "seed": options.seed,
    }
    if options.dataset:
        dataset = Dataset.open(options.dataset)
        measured = [
            (dataset.info.process, len(dataset), speed_factors_of_dataset(evaluator, dataset, **settings))
        ]
    else:
        processes = [load_process(name) for name in options.process or []] or default_processes()
        measured = [
            (process, options.points, measure_speed_factors(evaluator, process, options.points, **settings))
            for process in processes
        ]
    rows: list[dict[str, object]] = []
    for process, n_points, factors in measured:
        names = {
            "process": process.name,
            "truth": pyamp.truth(process.amplitude).version,
            "surrogate": options.model.name,
            "where": "python",
            "mode": "two_stage",
        }
        circumstances = {
            "n_points": n_points,
            "overweight_budget": options.budget,
            "backend": evaluator.backend,
        }
        rows.append(names | factors.as_row() | circumstances)
    return rows


def sherpa_row(truth_path: Path, two_stage_path: Path) -> dict[str, object]:
    """The row of two Sherpa runs."""
    truth_run, two_stage_run = read_summary(truth_path, "truth"), read_summary(two_stage_path, "two_stage")
    factors: SpeedFactors = sherpa_speed_factors(truth_run, two_stage_run)
    return {
        "process": two_stage_run["process"],
        "truth": truth_run["truth"],
        "surrogate": Path(str(two_stage_run["surrogate"])).name,
        "where": "sherpa",
        "mode": "two_stage",
        **factors.as_row(),
    }


def others(path: Path, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Rows of a record that the new ones do not replace, with its date and commit where they have none."""
    record = json.loads(path.read_text()) if path.exists() else {"rows": []}
    new = {(row["process"], row["where"]) for row in rows}
    origin = {key: record.get(key) for key in ("date", "git")}
    return [origin | row for row in record["rows"] if (row["process"], row["where"]) not in new]


def shown(row: dict[str, object]) -> dict[str, object]:
    """The row as it is printed: each number with its error."""

    def cell(key: str, scale: float = 1.0) -> str:
        return with_error(float(row[key]) * scale, float(row.get(f"{key}_err") or 0.0) * scale)

    cells = {name: cell(f"{name}_ms", 1e3) for name in ("t_me", "t_ps", "t_surr")}
    cells |= {name: cell(name, 100) for name in ("epsilon_full", "epsilon_1st", "epsilon_2nd")}
    cells |= {name: cell(name) for name in ("x_max", "n_eff_over_n", "f_eff", "f_eff_limit")}
    return {"process": row["process"], "where": row["where"], **cells}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = _common.parser(__doc__)
    parser.add_argument("model", type=Path, nargs="?", help="model file of the surrogate")
    parser.add_argument("--process", action="append", metavar="CARD", help="process card; may be repeated")
    parser.add_argument("--dataset", type=Path, metavar="FILE", help="points and their amplitudes")
    parser.add_argument("--points", type=int, metavar="N", help="phase-space points (1000000; quick: 50000)")
    parser.add_argument("--repeats", type=int, metavar="N", help="batches that are timed (51; quick: 5)")
    parser.add_argument(
        "--budget", type=float, default=1e-3, help="share of the cross section left to overweights"
    )
    parser.add_argument("--sherpa-truth", type=Path, metavar="YAML", help="summary of a run with MODE: truth")
    parser.add_argument("--sherpa-two-stage", type=Path, metavar="YAML", help="... and with MODE: two_stage")
    parser.add_argument("--add", action="store_true", help="keep other rows that the file of --json has")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if (options.sherpa_truth is None) != (options.sherpa_two_stage is None):
        parser.error("a Sherpa row needs both --sherpa-truth and --sherpa-two-stage")
    if options.model is None and options.sherpa_truth is None:
        parser.error("give a model file, or the summaries of two Sherpa runs")
    if options.dataset and options.process:
        parser.error("give --process or --dataset, not both")
    options.points = options.points or (50_000 if options.quick else 1_000_000)
    options.repeats = options.repeats or (5 if options.quick else 51)
    return options


def main() -> None:
    """Measure, print, and write on request."""
    options = parse()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    rows = python_rows(options) if options.model else []
    if options.sherpa_truth:
        rows.append(sherpa_row(options.sherpa_truth, options.sherpa_two_stage))
    _common.print_table("Two-stage unweighting: speed factors", [shown(row) for row in rows], COLUMNS)
    print(
        "In brackets: statistical error of the last digits. limit: f_eff of a perfect surrogate at no cost."
    )
    if options.json:
        kept = others(options.json, rows) if options.add else []
        _common.write(options.json, "f_eff", options.seed, options.quick, [*kept, *rows])


if __name__ == "__main__":
    main()
