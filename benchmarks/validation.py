"""Are Sherpa's events with a surrogate those of Sherpa without: cross sections and ten observables for each process.

python benchmarks/validation.py [--quick] [--folder DIR] [--json PATH] [--figure PATH] [--only PROCESS ...]

Processes: gg_to_aag (truth against two_stage, roulette and surrogate, with a good model and with a biased one),
gg_to_aagg, ee_to_ddg and gg_to_eegdd (Sherpa's own Comix against two_stage and roulette), and gg_to_aag after a parton
shower. The biased model was trained on amplitudes that are wrong by a smooth factor, of which its uncertainty knows
nothing: the second stage must repair it, and MODE: surrogate must fail. Models are trained here in minutes, but that of
gg_to_aagg, which is the one of the tests. A comparison fails below the p-value 1 %/n, n the number of comparisons that
should pass.
"""

import argparse
import dataclasses
import math
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import _common
import _validation
import matplotlib.pyplot as plt
import numpy as np
import yaml
from _validation import TREE, TREE_CARD, TREE_ORDERS, TREE_RUN, Sample

import pyamp
from pyamp.datasets import Dataset, generate, generate_from_sherpa
from pyamp.histograms import mass
from pyamp.networks import MLPConfig
from pyamp.processes import load_process
from pyamp.representations import RepresentationConfig
from pyamp.sherpa import card_path, execute, printed_cross_section, run, run_card
from pyamp.training import SigmaNetworkConfig, StageConfig, TrainingConfig, load_config, train

PROCESSES = ("gg_to_aag", "showered", "ee_to_ddg", "gg_to_eegdd", "gg_to_aagg")
FALSE_POSITIVES = 0.01  # of all comparisons together
LOOP_MODEL = _common.ROOT / "tests" / "reference" / "models" / "gg_to_aagg_lhc13.safetensors"
LEPTONS = "21 21 -> 11 -11 21 1 -1"
SCALES = "METS" + 3 * "{Abs2(p[2]+p[3])}"
PARTICLES = "particles.hepmc"
SHOWER: dict[str, Any] = {
    "SHOWER_GENERATOR": "CSS",
    "BEAM_REMNANTS": True,
    "SCALES": SCALES,
    "PYAMP_PARTICLES": {"FILE": PARTICLES},
}


@dataclass(frozen=True)
class Group:
    """The runs of one process: the reference, and the others with what is expected of each."""

    process: str
    reference: Sample
    others: list[tuple[Sample, bool]]
    """And should it agree?"""


def trained(folder: Path, dataset: Dataset, quick: bool) -> Path:
    """The recipe ``fast``, smaller."""
    sigma = SigmaNetworkConfig(
        network=MLPConfig(hidden=[32]), training=StageConfig(steps=500 if quick else 2000, learning_rate=8e-3)
    )
    network = MLPConfig(hidden=[48, 48], activation="tanh", initialisation="variance_preserving")
    changes = {
        "network": network,
        "steps": 60 if quick else 150,
        "batch_size": 1000,
        "validation_interval": 30,
        "test_fraction": 0.1,
        "sigma_network": sigma,
    }
    config = load_config("fast").model_copy(update=changes)
    model = train(dataset, folder, config, resume=folder.exists()).model_path
    if model is None:
        raise SystemExit(f"{folder}: the training wrote no model")
    return model


def biased(dataset: Dataset) -> Dataset:
    """Amplitudes that grow too fast with the mass of the photon pair, by 30 % for a factor 2."""
    factor = (mass(dataset.momenta, [2, 3]) / 150.0) ** 0.4
    return dataclasses.replace(dataset, amplitude=dataset.amplitude * factor)


def second_stage(mode: str, n_events: int) -> dict[str, Any]:
    """Settings of a mode: what is not given comes from a warm-up."""
    warm_up = {"WARM_UP": n_events // 20}
    return {"two_stage": {"X_MAX": "auto", **warm_up}, "roulette": {"N_EFF_OVER_N": 0.9, **warm_up}}.get(
        mode, {}
    )


def diphoton(folder: Path, models: Mapping[str, Path], n_events: int, showered: bool = False) -> Group:
    """p p -> gamma gamma g."""

    def sample(mode: str, model: str, seed: int) -> Sample:
        name = mode if mode == "truth" else f"{mode}, {model} model"
        settings: dict[str, Any] = {
            "EVENT_OUTPUT": "LHEF[events]",
            "PSI": {"ITMIN": 1000},
            "PYAMP": second_stage(mode, n_events),
        }
        if showered:
            hooks = [*(["PyAmp"] if mode != "truth" else []), "PyAmpParticles"]
            settings |= {**SHOWER, "USERHOOKS": hooks}
            settings.pop("EVENT_OUTPUT")
        directory = folder / name.replace(", ", "_").replace(" ", "_")
        result = run_card(mode, models.get(model), directory, settings, n_events=n_events, seed=seed)
        found = result.cross_section_pb, result.error_pb
        if showered:
            return _validation.showered_sample(name, found, directory / PARTICLES)
        legs = [21, 21, 22, 22, 21]
        return _validation.hard_process_sample(
            name, found, directory / "events.lhe", legs, _validation.DIPHOTON_JET
        )

    others = [
        (sample(mode, model, 10 * k + number), mode != "surrogate")
        for k, model in enumerate(models, 1)
        for number, mode in enumerate(("two_stage", "roulette"))
    ]
    if not showered:
        others.append((sample("surrogate", "biased", 5), False))
    process = "gg_to_aag, showered" if showered else "gg_to_aag"
    return Group(process, sample("truth", "", 1), others)


def diphoton_two_jets(folder: Path, n_events: int) -> Group:
    """p p -> gamma gamma g g; the slow truth gets few points to integrate with."""

    def sample(mode: str, seed: int) -> Sample:
        settings = {
            "EVENT_OUTPUT": "LHEF[events]",
            "PSI": {"ITMIN": 100 if mode == "truth" else 500},
            "PYAMP": second_stage(mode, 5 * n_events),
        }
        directory = folder / mode
        model = None if mode == "truth" else LOOP_MODEL
        result = run_card(
            mode, model, directory, settings, process="gg_to_aagg", n_events=n_events, seed=seed
        )
        found = result.cross_section_pb, result.error_pb
        legs = [21, 21, 22, 22, 21, 21]
        return _validation.hard_process_sample(
            mode, found, directory / "events.lhe", legs, _validation.DIPHOTON_TWO_JETS
        )

    others = [(sample(mode, seed), True) for seed, mode in ((2, "two_stage"), (3, "roulette"))]
    return Group("gg_to_aagg", sample("truth", 1), others)


def quark_pair_gluon(folder: Path, n_events: int, quick: bool) -> Group:
    """e- e+ -> d dbar g, for which Sherpa needs no matrix element of pyamp."""
    folder.mkdir(parents=True, exist_ok=True)
    card = folder / "process.yaml"
    card.write_text(yaml.safe_dump(TREE_CARD))
    truth = pyamp.provider_card(f"sherpa:{TREE}", folder / "truth.json")
    dataset = generate(card, 2000 if quick else 10_000, folder / "points.h5")
    model = trained(folder / "model", dataset, quick)

    def found(name: str, directory: Path, cross_section: tuple[float, float]) -> Sample:
        return _validation.hard_process_sample(
            name,
            cross_section,
            directory / "events.lhe",
            TREE_CARD["pdg_ids"],
            _validation.QUARK_PAIR_GLUON,
        )

    def sample(mode: str, seed: int) -> Sample:
        block = {"Order": TREE_ORDERS, "Loop_Generator": "PyAmp", "Enable_MHV": 10, "Integrator": "PyAmp"}
        settings = {
            **TREE_RUN,
            "PSI": {"ITMIN": 1000},
            "USERHOOKS": ["PyAmp"],
            "EVENT_OUTPUT": "LHEF[events]",
            "PYAMP": {"MODE": mode, "MODEL": str(model), "TRUTH": truth, **second_stage(mode, n_events)},
            "PROCESSES": [{TREE: block}],
        }
        result = run(card_path("partonic"), folder / mode, settings, n_events=n_events, seed=seed)
        return found(mode, folder / mode, (result.cross_section_pb, result.error_pb))

    settings = {**TREE_RUN, "PSI": {"ITMIN": 1000}, "PROCESSES": [{TREE: {"Order": TREE_ORDERS}}]}
    cross_section = sherpa_alone([card_path("partonic")], settings, folder / "comix", n_events)
    alone = found("Sherpa alone", folder / "comix", cross_section)
    return Group("ee_to_ddg", alone, [(sample("two_stage", 2), True), (sample("roulette", 3), True)])


def lepton_pair_three_jets(folder: Path, n_events: int, quick: bool) -> Group:
    """p p -> e- e+ g d dbar by gluons."""
    folder.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {"PYAMP": {"TRUTH": f"tree:{LEPTONS}"}, "PSI": {"ITMIN": 2000}}
    cards = [card_path("truth"), card_path("gg_to_eegdd")]
    card = "gg_to_eegdd_lhc13"
    dataset = generate_from_sherpa(
        cards, 50_000 if quick else 300_000, folder / "points.h5", 5, process=card, settings=settings
    )
    config = TrainingConfig(
        optimizer="soap",
        steps=1000 if quick else 4000,
        batch_size=1024,
        learning_rate=5e-3,
        representation=RepresentationConfig(
            linear=True, energy=True, multiparticle=True, resonances="leptons", factor="antenna"
        ),
    )
    run_folder = folder / "model"
    model = train(dataset, run_folder, config, resume=run_folder.exists()).model_path

    def found(name: str, directory: Path, cross_section: tuple[float, float]) -> Sample:
        legs = load_process(card).pdg_ids
        return _validation.hard_process_sample(
            name, cross_section, directory / "events.lhe", legs, _validation.LEPTON_PAIR_THREE_JETS
        )

    def sample(mode: str, seed: int) -> Sample:
        second = {**settings["PYAMP"], **second_stage(mode, n_events)}
        changes = {**settings, "PYAMP": second, "EVENT_OUTPUT": "LHEF[events]"}
        result = run_card(
            mode, model, folder / mode, changes, process="gg_to_eegdd", n_events=n_events, seed=seed
        )
        return found(mode, folder / mode, (result.cross_section_pb, result.error_pb))

    changes = {
        "PROCESSES": [{LEPTONS: {"Order": {"QCD": 3, "EW": 2}}}],
        "PSI": {"ITMIN": 2000},
        "EVENT_GENERATION_MODE": "Weighted",  # Comix accepts less than one point in a thousand
    }
    cross_section = sherpa_alone(cards, changes, folder / "comix", 20 * n_events)
    alone = found("Sherpa alone", folder / "comix", cross_section)
    return Group("gg_to_eegdd", alone, [(sample("two_stage", 2), True), (sample("roulette", 3), True)])


def sherpa_alone(
    cards: Sequence[Path], changes: Mapping[str, Any], directory: Path, n_events: int
) -> tuple[float, float]:
    """Run Comix on cards of pyamp, without pyamp: the cross section in pb and its error."""
    directory.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {}
    for card in cards:
        settings |= yaml.safe_load(card.read_text())
    for key in ("PYAMP", "SHERPA_LDADD"):
        settings.pop(key, None)
    settings |= {
        "ME_GENERATORS": ["Comix"],
        "EVENT_OUTPUT": "LHEF[events]",
        "EVENTS": n_events,
        "RANDOM_SEED": 1,
        **changes,
    }
    path = directory / "Sherpa.yaml"
    path.write_text(yaml.safe_dump(settings))
    return printed_cross_section(execute(path, directory, {}), directory / "sherpa.log")


def groups(folder: Path, quick: bool, only: Collection[str]) -> Iterator[Group]:
    """The processes named, one after the other."""
    n_events = 4000 if quick else 20_000
    if {"gg_to_aag", "showered"} & set(only):
        dataset = generate("gg_to_aag_lhc13", 4000 if quick else 20_000, folder / "points.h5", importance=0.5)
        models = {"good": trained(folder / "good", dataset, quick).resolve()}
        if "gg_to_aag" in only:
            both = models | {"biased": trained(folder / "biased", biased(dataset), quick).resolve()}
            yield diphoton(folder / "gg_to_aag", both, n_events)
        if "showered" in only:
            yield diphoton(folder / "showered", models, n_events // 2, showered=True)
    if "ee_to_ddg" in only:
        yield quark_pair_gluon(folder / "ee_to_ddg", n_events, quick)
    if "gg_to_eegdd" in only:
        yield lepton_pair_three_jets(folder / "gg_to_eegdd", n_events, quick)
    if "gg_to_aagg" in only:
        yield diphoton_two_jets(folder / "gg_to_aagg", 200 if quick else 500)


def rows_of(found: list[Group]) -> list[dict[str, Any]]:
    """One row for each comparison; the level from how many should pass."""
    rows: list[dict[str, Any]] = []
    for group in found:
        for sample, should_agree in group.others:
            for comparison in _validation.compare(group.reference, sample):
                rows.append(
                    {
                        "process": group.process,
                        "reference": group.reference.name,
                        "run": sample.name,
                        "n_reference": len(group.reference.weights),
                        "n": len(sample.weights),
                        "sigma_reference_pb": group.reference.cross_section,
                        "sigma_reference_pb_err": group.reference.error,
                        "sigma_pb": sample.cross_section,
                        "sigma_pb_err": sample.error,
                        "should_agree": should_agree,
                        **dataclasses.asdict(comparison),
                    }
                )
    n = sum(row["should_agree"] for row in rows)
    level = FALSE_POSITIVES / n
    return [{**row, "level": level, "agrees": row["p_value"] >= level} for row in rows]


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line for each run, with its worst comparison."""
    lines = []
    for key in dict.fromkeys((row["process"], row["run"]) for row in rows):
        own = [row for row in rows if (row["process"], row["run"]) == key]
        worst = min(own, key=lambda row: float(row["p_value"]))
        pull = math.copysign(
            math.sqrt(own[0]["statistic"]), own[0]["sigma_pb"] - own[0]["sigma_reference_pb"]
        )
        lines.append(
            {
                "process": key[0],
                "run": key[1],
                "against": own[0]["reference"],
                "n": own[0]["n"],
                "sigma": f"{own[0]['sigma_pb']:.4g} ± {own[0]['sigma_pb_err']:.1g}",
                "sigma_reference": f"{own[0]['sigma_reference_pb']:.4g} ± {own[0]['sigma_reference_pb_err']:.1g}",
                "pull": f"{pull:+.1f}",
                "least_p": f"{worst['p_value']:.1g}",
                "worst": worst["quantity"],
                "failed": f"{sum(not row['agrees'] for row in own)} of {len(own)}",
                "verdict": "agrees" if all(row["agrees"] for row in own) else "DIFFERS",
                "expected": "agrees" if own[0]["should_agree"] else "DIFFERS",
            }
        )
    return lines


def draw(path: Path, found: list[Group], rows: list[dict[str, Any]]) -> None:
    """p-values of all comparisons, and what the second stage does to one spectrum."""
    group = next((g for g in found if g.process == "gg_to_aag"), None)
    figure, panels = plt.subplots(1, 2 if group else 1, figsize=(12 if group else 7, 5), squeeze=False)
    axis = panels[0, 0]
    runs = list(dict.fromkeys((row["process"], row["run"]) for row in rows))
    for place, key in enumerate(runs):
        p = [max(row["p_value"], 1e-12) for row in rows if (row["process"], row["run"]) == key]
        axis.plot(p, np.full(len(p), place), "o", alpha=0.5)
    axis.axvline(rows[0]["level"], color="black", linestyle="--", label="level of one comparison")
    axis.set_xscale("log")
    axis.set_xlabel("p-value (below 1e-12 at the edge)")
    axis.set_yticks(range(len(runs)), [f"{process}: {name}" for process, name in runs], fontsize=8)
    axis.legend()
    if group:
        axis, name = panels[0, 1], "photon pair mass"
        for sample, _ in group.others:
            if "biased" not in sample.name:
                continue
            edges = _validation.pooled_edges(group.reference, sample, name)
            (a, va), (b, vb) = (_validation.filled(s, name, edges) for s in (group.reference, sample))
            shown = np.clip((edges[1:] + edges[:-1]) / 2, None, 1.2 * edges[-2])
            axis.errorbar(shown, b / a, b / a * np.sqrt(va / a**2 + vb / b**2), fmt="o", label=sample.name)
        axis.axhline(1, color="black", linewidth=1)
        axis.set_xscale("log")
        axis.set_xlabel("photon pair mass [GeV], last bin with all above")
        axis.set_ylabel("dσ/dm over that of the truth")
        axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = _common.parser(__doc__)
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where runs and models are kept")
    parser.add_argument("--figure", type=Path, metavar="PATH", help="also draw the p-values there")
    parser.add_argument(
        "--only",
        nargs="+",
        default=PROCESSES,
        choices=PROCESSES,
        help="these of the processes",
    )
    return parser.parse_args()


def main() -> None:
    """Run, compare, print; exit code 1 where a verdict is not the one expected."""
    options = parse()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        found = list(groups(folder.resolve(), options.quick, options.only))
    rows = rows_of(found)
    lines = summary(rows)
    columns = {
        "process": "process",
        "run": "run",
        "against": "against",
        "n": "events",
        "sigma": "σ/pb",
        "sigma_reference": "reference σ/pb",
        "pull": "pull",
        "failed": "failed",
        "least_p": "least p",
        "worst": "of",
        "verdict": "verdict",
        "expected": "expected",
    }
    _common.print_table("Events with a surrogate against events without", lines, columns)
    n = sum(row["should_agree"] for row in rows)
    print(
        f"A comparison fails below p = {rows[0]['level']:.1e}: {FALSE_POSITIVES:.0%} over {n} that should pass."
    )
    if options.json:
        _common.write(options.json, "validation", 1, options.quick, rows)
    if options.figure:
        draw(options.figure, found, rows)
    if any(line["verdict"] != line["expected"] for line in lines):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
