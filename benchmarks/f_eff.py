"""How much faster unweighted events come with a surrogate: the f_eff table of arXiv:2301.13562, and of a roulette.

python benchmarks/f_eff.py MODEL.safetensors [--process CARD] [--dataset FILE.h5] [--quick] [--json PATH [--add]]
python benchmarks/f_eff.py MODEL.safetensors --screen SMALL.safetensors [...]
python benchmarks/f_eff.py MODEL.safetensors --dataset RECORDED.h5 --phase-space SUMMARY.yaml
python benchmarks/f_eff.py --sherpa-truth truth.yaml --sherpa-two-stage two_stage.yaml [--sherpa-roulette roulette.yaml]

A model file gives rows from Python: two stages, and the roulette that keeps N_eff/N at --n-eff. A row from Sherpa needs
the summaries of two runs; both together give both. Without a process or dataset, phase space is that of the cards
gg_to_aag_1tev, and of the same at 230 GeV, where an LHC run has its median. With a dataset, which no training should
have seen, amplitudes are not evaluated again. Its points count as flat ones whatever their sampling, and
importance sampling makes few of them say more. Those that Sherpa has drawn (`pyamp generate --from-sherpa`) count as
they are; t_PS is that of the Sherpa run whose summary is --phase-space. With a screen t_surr is its time plus that of
the model for the share of the points that pass it, and N_eff/N has the overweights of its leaks. Everything runs on
one core; a time is that of one point within the cuts, from batches in Python and from single points in Sherpa.
"""

import argparse
import json
import os
from pathlib import Path

import _common
import _studies
import numpy as np
import torch
import yaml

import pyamp
from pyamp.datasets import Dataset
from pyamp.errors import PyampError
from pyamp.processes import Energy, Process, load_process
from pyamp.report.table import with_error
from pyamp.unweighting import Roulette
from pyamp.unweighting.measurement import WeightSample, sample_dataset, sample_phase_space
from pyamp.unweighting.sherpa_summary import read_summary, sherpa_speed_factors
from pyamp.unweighting.speed_factors import SpeedFactors

P_MIN = np.geomspace(1e-3, 1.0, 13)
COLUMNS = {
    "process": "process",
    "where": "where",
    "mode": "mode",
    "t_me": "t_ME/µs",
    "t_ps": "t_PS/µs",
    "epsilon_full": "ε_full/%",
    "t_surr": "t_surr/µs",
    "x_max": "x_max",
    "epsilon_1st": "ε_1st/%",
    "epsilon_2nd": "ε_2nd/%",
    "mean_p": "⟨p⟩/%",
    "n_eff_over_n": "N_eff/N",
    "f_eff": "f_eff",
    "f_eff_limit": "limit",
    "f_eff_limit_roulette": "p → 0",
}


def default_processes() -> list[Process]:
    """Partonic collisions at 1 TeV and at 230 GeV."""
    card = load_process("gg_to_aag_1tev")
    lower = {"name": "gg_to_aag_230gev", "energy": Energy(sqrt_s_hat=230)}
    return [card, card.model_copy(update=lower)]


def python_rows(options: argparse.Namespace) -> list[dict[str, object]]:
    """Two rows for each process or for the dataset, measured here."""
    evaluator = pyamp.Evaluator(options.model, policy="nan")
    screen = pyamp.Evaluator(options.screen, policy="nan") if options.screen else None
    if screen and screen.header["process"]["pdg_ids"] != evaluator.header["process"]["pdg_ids"]:
        raise SystemExit(
            f"{options.screen}: legs of another process; give a model of that of {options.model}"
        )
    timed = {"repeats": options.repeats, "seed": options.seed, "screen": screen}
    if options.dataset:
        dataset = Dataset.open(options.dataset)
        t_ps = phase_space_time(options.phase_space) if options.phase_space else None
        if dataset.info.recorded and t_ps is None:
            raise SystemExit(
                f"{options.dataset}: Sherpa has drawn its points; give --phase-space SUMMARY.yaml"
            )
        measured = [(dataset.info.process, sample_dataset(evaluator, dataset, t_ps_ms=t_ps, **timed))]
    else:
        processes = [load_process(name) for name in options.process or []] or default_processes()
        measured = [
            (process, sample_phase_space(evaluator, process, options.points, **timed))
            for process in processes
        ]
    rows: list[dict[str, object]] = []
    scans: dict[str, list[SpeedFactors]] = {}
    for process, weights in measured:
        names = {
            "process": process.name,
            "truth": pyamp.truth(process.amplitude).version,
            "surrogate": options.name or options.model.name,
            "where": "python",
        }
        circumstances = {
            "n_points": len(weights.truth_weights),
            "overweight_budget": options.budget,
            "backend": evaluator.backend,
            "integrator": "sherpa" if options.phase_space else "flat",
        }
        screened = weights.screened(options.budget)
        if weights.screen and screened:
            circumstances |= {
                "screen": options.screen.name,
                "t_screen_ms": weights.screen.t_screen,
                "t_model_ms": weights.times.t_surr,
                "y_max": screened.y_max,
                "screen_share": screened.share,
            }
            print(
                f"{process.name}: screen of {1e3 * weights.screen.t_screen:.3g} µs, y_max {screened.y_max:.4f}, "
                f"{screened.share:.3%} of the points pass it to the model of {1e3 * weights.times.t_surr:.3g} µs"
            )
        found = both(weights, options)
        rows += [names | {"mode": mode} | factors.as_row() | circumstances for mode, factors in found]
        kappa = found[-1][1].roulette.kappa if found[-1][1].roulette else 1.0
        scans[process.name] = [weights.roulette(roulette=Roulette(kappa, p), n_bootstrap=20) for p in P_MIN]
    if options.figure:
        plot_scans(scans, options.figure)
    return rows


def plot_scans(scans: dict[str, list[SpeedFactors]], path: Path) -> None:
    """f_eff and N_eff/N of roulettes over p_min, with the κ of the table, or 1 where there is none."""
    with _studies.figure(path, 1, 2, "Roulette") as axes:
        gain, size = axes.flat
        for name, scan in scans.items():
            gain.errorbar(
                P_MIN, [f.f_eff for f in scan], [f.f_eff_err for f in scan], fmt="o-", ms=3, label=name
            )
            size.plot(P_MIN, [f.value.n_eff_over_n for f in scan], "o-", ms=3)
        for ax, label in ((gain, "f_eff"), (size, "N_eff/N")):
            ax.set(xscale="log", xlabel="p_min", ylabel=label)
        gain.set_yscale("log")
        gain.legend(fontsize="x-small")


def both(weights: WeightSample, options: argparse.Namespace) -> list[tuple[str, SpeedFactors]]:
    """Two stages, and a roulette if the surrogate is good enough for one."""
    settings = {
        "budget": options.budget,
        "n_bootstrap": 20 if options.quick else 200,
        "seed": options.seed,
    }
    found = [("two_stage", weights.two_stage(**settings))]
    try:
        found.append(("roulette", weights.roulette(n_eff_over_n=options.n_eff, **settings)))
    except PyampError as error:
        print(f"no roulette: {error}")
    return found


def phase_space_time(summary: Path) -> tuple[float, float]:
    """t_PS of a Sherpa run in ms; its error is not known."""
    gain = yaml.safe_load(summary.read_text())["gain"]
    return float(gain["t_ps_ms"]), 0.0


def sherpa_row(options: argparse.Namespace, surrogate_path: Path, mode: str) -> dict[str, object]:
    """The row of a Sherpa run with a surrogate, and of one with the truth if there is one."""
    truth_run = read_summary(options.sherpa_truth, "truth") if options.sherpa_truth else None
    surrogate_run = read_summary(surrogate_path, mode)
    factors: SpeedFactors = sherpa_speed_factors(truth_run, surrogate_run)
    return {
        "process": surrogate_run["process"],
        "truth": Path(str(surrogate_run["truth"])).name,
        "surrogate": options.name or Path(str(surrogate_run["surrogate"])).name,
        "where": "sherpa",
        "mode": mode,
        "epsilon_full_from": "truth run" if truth_run else "maximum of the run with the surrogate",
        **factors.as_row(),
    }


def others(path: Path, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Rows of a record that the new ones do not replace, with its date and commit where they have none."""
    record = json.loads(path.read_text()) if path.exists() else {"rows": []}
    new = {row_key(row) for row in rows}
    origin = {key: record.get(key) for key in ("date", "git")}
    return [origin | row for row in record["rows"] if row_key(row) not in new]


def row_key(row: dict[str, object]) -> tuple[object, ...]:
    """What a row is of."""
    return tuple(row.get(key) for key in ("process", "truth", "surrogate", "screen", "where", "mode"))


def shown(row: dict[str, object]) -> dict[str, object]:
    """The row as it is printed: each number with its error."""

    def cell(key: str, scale: float = 1.0) -> str:
        if row[key] is None:
            return "-"
        return with_error(float(row[key]) * scale, float(row.get(f"{key}_err") or 0.0) * scale)

    cells = {name: cell(f"{name}_ms", 1e3) for name in ("t_me", "t_ps", "t_surr")}
    cells |= {name: cell(name, 100) for name in ("epsilon_full", "epsilon_1st", "epsilon_2nd", "mean_p")}
    cells |= {
        name: cell(name) for name in ("x_max", "n_eff_over_n", "f_eff", "f_eff_limit", "f_eff_limit_roulette")
    }
    return {key: row[key] for key in ("process", "where", "mode")} | cells


def parse() -> argparse.Namespace:
    """The command line."""
    parser = _common.parser(__doc__)
    parser.add_argument("model", type=Path, nargs="?", help="model file of the surrogate")
    parser.add_argument("--process", action="append", metavar="CARD", help="process card; may be repeated")
    parser.add_argument("--dataset", type=Path, metavar="FILE", help="points and their amplitudes")
    parser.add_argument(
        "--phase-space",
        type=Path,
        metavar="YAML",
        help="summary of a Sherpa run whose integrator drew the dataset",
    )
    parser.add_argument(
        "--screen", type=Path, metavar="SMALL", help="model file of a cheap surrogate in front"
    )
    parser.add_argument("--n-eff", type=float, default=0.99, help="N_eff/N that the roulette keeps (0.99)")
    parser.add_argument("--figure", type=Path, metavar="PNG", help="f_eff and N_eff/N over p_min")
    parser.add_argument("--name", help="of the surrogate, in the table (that of the file)")
    parser.add_argument("--points", type=int, metavar="N", help="phase-space points (1000000; quick: 50000)")
    parser.add_argument("--repeats", type=int, metavar="N", help="batches that are timed (51; quick: 5)")
    parser.add_argument(
        "--budget", type=float, default=1e-3, help="share of the cross section left to overweights"
    )
    parser.add_argument(
        "--sherpa-truth",
        type=Path,
        metavar="YAML",
        help="summary of a run with MODE: truth; without, ε_full is that of its maximum",
    )
    parser.add_argument(
        "--sherpa-two-stage", type=Path, metavar="YAML", help="... of one with MODE: two_stage"
    )
    parser.add_argument("--sherpa-roulette", type=Path, metavar="YAML", help="... of one with MODE: roulette")
    parser.add_argument("--add", action="store_true", help="keep other rows that the file of --json has")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    in_sherpa = options.sherpa_two_stage or options.sherpa_roulette
    if options.sherpa_truth and not in_sherpa:
        parser.error("a Sherpa row needs --sherpa-two-stage or --sherpa-roulette")
    if options.model is None and not in_sherpa:
        parser.error("give a model file, or the summaries of two Sherpa runs")
    if options.screen and options.model is None:
        parser.error("--screen stands in front of a model file; give one")
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
    for mode, path in (("two_stage", options.sherpa_two_stage), ("roulette", options.sherpa_roulette)):
        if path:
            rows.append(sherpa_row(options, path, mode))
    _common.print_table("Speed factors", [shown(row) for row in rows], COLUMNS)
    print(
        "In brackets: statistical error of the last digits. limit: f_eff of a perfect surrogate at no cost in two "
        "stages; p → 0: in a roulette that never asks the truth, (t_ME + t_PS)/t_PS."
    )
    if options.json:
        kept = others(options.json, rows) if options.add else []
        _common.write(options.json, "f_eff", options.seed, options.quick, [*kept, *rows])


if __name__ == "__main__":
    main()
