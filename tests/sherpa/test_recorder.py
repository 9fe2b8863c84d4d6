"""Training data from Sherpa's integrator: are amplitudes, weights and densities right, and is nothing lost?

Amplitudes are compared with pyamp's own (gg → γγg) and with the other way into Sherpa (tree level), weights with
Sherpa's printed cross section and with pyamp's phase space, densities with the grid of the PDF set. Statistical
comparisons allow 4 standard errors (false-positive rate 6e-5 each, were the seeds not fixed).
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml

import pyamp
from pyamp.datasets import Dataset, generate_from_sherpa
from pyamp.datasets.recording import find_shards
from pyamp.errors import PyampError
from pyamp.phase_space import PhaseSpace
from pyamp.processes import load_process
from pyamp.sherpa import card_path, execute, find_sherpa
from tests.sherpa.pdf_grid import gluon_density

PDF_SET = "PDF4LHC21_40_pdfas"
SCALE = 104.717  # a knot of that set in Q
QUICK = {"PSI": {"ITMIN": 300}}
DIJETS = {"SELECTORS": [["PT", 93, 50, "E_CMS"]], "SCALES": "VAR{sqr(91.2)}"}


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    folder = tmp_path_factory.mktemp("recorded")
    fixed_scale = {**QUICK, "SCALES": f"VAR{{sqr({SCALE})}}"}
    return {
        "partonic": generate_from_sherpa(card_path("partonic"), 8000, folder / "partonic.h5", settings=QUICK),
        "hadronic": generate_from_sherpa(
            card_path("truth"), 8000, folder / "hadronic.h5", settings=fixed_scale
        ),
        "running": generate_from_sherpa(card_path("truth"), 3000, folder / "running.h5", settings=QUICK),
        "uu_to_aag": generate_from_sherpa(
            card_path("uu_to_aag"), 8000, folder / "uu_to_aag.h5", settings=QUICK
        ),
    }


def cross_section(dataset: Dataset, factor: Any = 1.0) -> tuple[float, float]:
    w = dataset.me2 * dataset.measure * factor
    mean = float(w.sum()) / dataset.info.n_trials
    return mean, float(
        np.sqrt((w**2).sum() / dataset.info.n_trials - mean**2) / np.sqrt(dataset.info.n_trials)
    )


def test_recorded_amplitudes_are_those_of_the_truth(datasets: dict[str, Dataset]) -> None:
    truth = pyamp.truth("gg_to_aag", alpha_s=1.0, alpha=1.0)
    for name in ("partonic", "hadronic", "running"):
        dataset = datasets[name]
        np.testing.assert_allclose(dataset.amplitude, truth.me2(dataset.momenta), rtol=1e-10)
        assert dataset.info.spin_colour_average == 256
        assert (dataset.info.alpha_s_power, dataset.info.alpha_power) == (3, 2)
        assert dataset.info.process.amplitude == "gg_to_aag"


def test_recorded_tree_level_is_that_of_sherpas_matrix_element_alone(datasets: dict[str, Dataset]) -> None:
    dataset = datasets["uu_to_aag"]
    truth = pyamp.truth(dataset.info.process.amplitude, generator="Comix")
    np.testing.assert_allclose(dataset.amplitude[:200], truth.stripped(dataset.momenta[:200]), rtol=1e-10)
    assert dataset.info.spin_colour_average == 36 == truth.spin_colour_average


@pytest.mark.parametrize("name", ["partonic", "hadronic", "uu_to_aag"])
def test_phase_space_weights_measure_the_volume_within_the_cuts(
    datasets: dict[str, Dataset], name: str
) -> None:
    """Without |M|² and densities, what is left is the acceptance of flat phase space."""
    dataset = datasets[name]
    flat = PhaseSpace(dataset.info.process).trials(400_000, seed=3)
    expected = len(flat.weights) / flat.n_trials
    weights, n = dataset.sampling_weight, dataset.info.n_trials
    found = weights.sum() / n
    error = np.sqrt((weights**2).sum() / n - found**2) / np.sqrt(n)
    assert error < 0.15 * expected  # or the comparison means nothing
    assert abs(found - expected) < 4 * np.hypot(error, np.sqrt(expected / flat.n_trials))


def test_cross_section_is_the_one_of_pyamps_phase_space(datasets: dict[str, Dataset]) -> None:
    dataset = datasets["partonic"]
    sample = PhaseSpace(dataset.info.process).trials(400_000, seed=4)
    value, error = sample.integrate(pyamp.truth("gg_to_aag", 0.118, dataset.info.alpha).me2(sample.momenta))
    found, found_error = cross_section(dataset)
    assert np.hypot(error, found_error) < 0.05 * value
    assert abs(found - value) < 4 * np.hypot(error, found_error)


def test_densities_are_those_of_the_grid(datasets: dict[str, Dataset]) -> None:
    dataset = datasets["hadronic"]
    gluon = gluon_density(find_sherpa() / "share" / "SHERPA-MC" / "LHAPDF" / PDF_SET, SCALE)
    x = dataset.momenta[:, :2, 0] / 6500
    ratio = dataset.pdf_weight / (gluon(x[:, 0]) * gluon(x[:, 1]))
    assert np.abs(ratio[(x < 0.6).all(axis=1)] - 1).max() < 1e-2  # of two interpolations of one grid
    assert np.median(np.abs(ratio - 1)) < 1e-4
    assert (datasets["partonic"].pdf_weight == 1).all()
    np.testing.assert_allclose(datasets["partonic"].alpha_s, 0.118, rtol=1e-6)  # at M_Z
    running = datasets["running"]
    assert running.alpha_s.std() > 0.01
    scale = np.sqrt(np.maximum(((running.momenta[:, 2] + running.momenta[:, 3]) ** 2 @ [1, -1, -1, -1]), 0))
    order = np.argsort(scale)
    assert (np.diff(running.alpha_s[order]) <= 0).all()  # asymptotic freedom


def run_by_hand(folder: Path, card: str, events: int, seed: int = 1, **settings: Any) -> tuple[float, float]:
    """Sherpa with the overlay record.yaml, as on a cluster; the cross section that it prints."""
    text = execute(
        [card_path(card), card_path("record")],
        folder,
        {
            **QUICK,
            "EVENTS": events,
            "RANDOM_SEED": seed,
            "PYAMP_RECORDER": {"POINTS_PER_SHARD": 500},
            **settings,
        },
    )
    number = r"([0-9.]+(?:e[+-]?[0-9]+)?)"
    value, error = re.findall(rf"Nominal\s+{number}\s+[0-9.]+ %\s+{number}\s", text)[-1]
    return float(value), float(error)


def test_runs_elsewhere_are_collected_and_give_the_printed_cross_section(tmp_path: Path) -> None:
    printed = [run_by_hand(tmp_path / "run", "truth", 1200, seed) for seed in (1, 2)]
    folder = tmp_path / "run" / "recorded"
    shards = find_shards(folder)
    assert [(s.run, s.number, s.n_points) for s in shards] == [
        (run, k, n) for run in ("1", "2") for k, n in enumerate((500, 500, 200))
    ]
    for shard, following in itertools.pairwise(shards):
        assert following.facts["begin_trial"] in (shard.facts["end_trial"], 0)
    first = generate_from_sherpa(folder, 1200, tmp_path / "first.h5")
    value, error = cross_section(first)
    assert value == pytest.approx(printed[0][0], rel=1e-5)
    assert error == pytest.approx(printed[0][1], rel=1e-3)
    both = generate_from_sherpa(folder, 2400, tmp_path / "both.h5")
    trials = [shards[2].facts["end_trial"], shards[5].facts["end_trial"]]
    assert both.info.n_trials == sum(trials)
    mean = sum(n * value for n, (value, _) in zip(trials, printed, strict=True)) / sum(trials)
    assert cross_section(both)[0] == pytest.approx(mean, rel=1e-4)
    assert (np.diff(both.trial) > 0).all()
    again = generate_from_sherpa(folder, 2400, tmp_path / "both.h5")
    assert again.sha256() == both.sha256()
    with pytest.raises(PyampError, match="exists and is something else"):
        generate_from_sherpa(folder, 1200, tmp_path / "both.h5")
    with pytest.raises(PyampError, match="nowhere does not exist; create it"):
        generate_from_sherpa(folder, 1200, tmp_path / "nowhere" / "both.h5")
    with pytest.raises(PyampError, match="2500 points wanted, 2400 recorded ones found"):
        generate_from_sherpa(folder, 2500, tmp_path / "more.h5")
    with pytest.raises(PyampError, match="already has points of RANDOM_SEED 1"):
        run_by_hand(tmp_path / "run", "truth", 10)
    assert find_shards(folder) == shards


def test_a_process_card_orders_legs_and_cuts(tmp_path: Path) -> None:
    card = load_process("gg_to_aag_1tev").model_dump(exclude_none=True)
    card["pdg_ids"] = [21, 21, 21, 22, 22]
    card["cuts"]["pt_min"] = {"22": [60, 45], "21": 30}
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump({**card, "pdg_ids": list(card["pdg_ids"])}))
    run_by_hand(tmp_path / "run", "partonic", 1000)
    folder = tmp_path / "run" / "recorded"
    everything = generate_from_sherpa(folder, 1000, tmp_path / "everything.h5")
    tighter = load_process(path)
    inside = tighter.passes_cuts(everything.momenta[:, [0, 1, 4, 2, 3]])
    assert 100 < inside.sum() < 1000
    dataset = generate_from_sherpa(folder, int(inside.sum()), tmp_path / "some.h5", process=path)
    np.testing.assert_array_equal(dataset.momenta, everything.momenta[inside][:, [0, 1, 4, 2, 3]])
    np.testing.assert_array_equal(dataset.trial, everything.trial[inside])
    looser = {**card, "pdg_ids": list(card["pdg_ids"]), "cuts": {"pt_min": {"22": [40, 30], "21": 10}}}
    path.write_text(yaml.safe_dump(looser))
    with pytest.raises(PyampError, match=r"the run card has p_T of leg 1 of 21 above 20 GeV only"):
        generate_from_sherpa(folder, 10, tmp_path / "loose.h5", process=path)


def test_killed_runs_resume_without_loss_or_repetition(tmp_path: Path) -> None:
    output = tmp_path / "points.h5"
    command = [
        *(sys.executable, "-m", "pyamp.cli", "generate", "--from-sherpa", str(card_path("partonic"))),
        *("-n", "60000", "-o", str(output)),
    ]
    recorded = tmp_path / "points.h5.parts" / "recorded"
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        end = time.monotonic() + 120
        while not (recorded.is_dir() and len(find_shards(recorded)) >= 2) and time.monotonic() < end:
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
    before = find_shards(recorded)
    assert len(before) >= 2
    assert not output.exists()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    dataset = Dataset.open(output)
    assert len(dataset) == 60000
    assert not recorded.exists()
    assert len(np.unique(dataset.momenta[:, 2, 0])) == 60000  # no point twice
    assert (np.diff(dataset.trial) > 0).all()
    assert f"{output}: 60000 points of 21_21_to_22_22_21 from {dataset.info.n_trials} trials" in done.stdout
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout) == (0, done.stdout)


def test_sherpa_ends_with_its_caller(tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "pyamp.cli", "generate", "--from-sherpa", str(card_path("partonic"))),
        *("-n", "10000000", "-o", str(tmp_path / "points.h5")),
    ]
    recorded = tmp_path / "points.h5.parts" / "recorded"
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 120
        while not (recorded.is_dir() and find_shards(recorded)) and time.monotonic() < end:
            time.sleep(0.1)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert children
        process.terminate()
        assert process.wait(60) == 128 + signal.SIGTERM
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert find_shards(recorded)


def test_one_process_of_several(tmp_path: Path, datasets: dict[str, Dataset]) -> None:
    """Its weights undo that Sherpa chose among the processes."""
    order = {"Order": {"QCD": 1, "EW": 2}}
    both = {**QUICK, "PROCESSES": [{"2 -2 -> 22 22 21": order}, {"1 -1 -> 22 22 21": order}]}
    with pytest.raises(PyampError, match="points of 1 -1 -> 22 22 21, 2 -2 -> 22 22 21 found, one process"):
        generate_from_sherpa(card_path("uu_to_aag"), 3000, tmp_path / "any.h5", settings=both)
    wanted = datasets["uu_to_aag"].info.process
    dataset = generate_from_sherpa(
        card_path("uu_to_aag"), 3000, tmp_path / "one.h5", settings=both, process=wanted
    )
    alone, together = cross_section(datasets["uu_to_aag"]), cross_section(dataset)
    assert np.hypot(alone[1], together[1]) < 0.05 * alone[0]
    assert abs(alone[0] - together[0]) < 4 * np.hypot(alone[1], together[1])


def test_amegic_compiles_where_it_must(tmp_path: Path) -> None:
    dataset = generate_from_sherpa(
        card_path("uu_to_aag"),
        500,
        tmp_path / "uu_to_aag.h5",
        settings={**QUICK, "ME_GENERATORS": ["Amegic"]},
    )
    assert dataset.info.provider.startswith("Sherpa 3.0.3 Amegic")
    truth = pyamp.truth(dataset.info.process.amplitude, generator="Comix")
    np.testing.assert_allclose(dataset.amplitude[:50], truth.stripped(dataset.momenta[:50]), rtol=1e-9)


@pytest.mark.parametrize(
    ("card", "settings", "complaint"),
    [
        ("truth", {"EVENT_GENERATION_MODE": "Unweighted"}, "EVENT_GENERATION_MODE is not Weighted"),
        ("uu_to_aag", {"COLOR_SCHEME": 2}, "colours or helicities are sampled"),
        ("uu_to_aag", {"PROCESSES": [{"1 -1 -> 2 -2": {}}], **DIJETS}, "no single order in the couplings"),
        ("truth", {"PYAMP_RECORDER": {"DIRECTROY": "x"}}, "the nearest known one is DIRECTORY"),
        ("truth", {"PYAMP_RECORDER": {"POINTS_PER_SHARD": 0}}, "POINTS_PER_SHARD is 0; give a whole number"),
        ("truth", {"PYAMP_RECORDER": {"HDF5_LIBRARY": "no.so"}}, "no.so: cannot be opened as libhdf5.so"),
        ("truth", {"PYAMP_RECORDER": {"HDF5_LIBRARY": "libm.so.6"}}, "it is no libhdf5"),
    ],
)
def test_faults_stop_sherpa_with_one_line(
    run_directory: Path, card: str, settings: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(PyampError, match=re.escape(complaint)) as error:
        execute([card_path(card), card_path("record")], run_directory, {**QUICK, "EVENTS": 10, **settings})
    assert "\n" not in str(error.value)
    assert not list(run_directory.glob("recorded/*/*.h5"))


def test_a_surrogate_is_not_recorded_as_truth(run_directory: Path, golden: Path) -> None:
    settings = {**QUICK, "EVENTS": 10, "PYAMP": {"MODEL": str(golden)}}
    with pytest.raises(PyampError, match="MODE is surrogate, the surrogate would be recorded"):
        execute([card_path("surrogate"), card_path("record")], run_directory, settings)


def test_other_files_in_the_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(PyampError, match="no recorded points found; the run needs USERHOOKS"):
        generate_from_sherpa(tmp_path, 10, tmp_path / "x.h5")
    folder = tmp_path / "process"
    folder.mkdir()
    h5py.File(folder / "seed-1-shard-000000.h5", "w").close()
    with pytest.raises(PyampError, match=r"shard-000000.h5: not a shard of PyAmpRecorder"):
        generate_from_sherpa(tmp_path, 10, tmp_path / "x.h5")
    (folder / "seed-1-shard-000000.h5").write_text("text")
    with pytest.raises(PyampError, match=r"shard-000000.h5: cannot be read"):
        generate_from_sherpa(tmp_path, 10, tmp_path / "x.h5")
    assert not (tmp_path / "x.h5").exists()
