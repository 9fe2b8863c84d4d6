"""The BLHA client: conventions, contracts, bad points and dying providers. NJet and OpenLoops cannot be installed here;
libpyamp_olp and a hostile test provider stand in for them, in processes of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyamp
from pyamp.datasets import Dataset, generate
from pyamp.paths import library
from pyamp.phase_space import PhaseSpace
from pyamp.processes import load_process

PROCESS = "21 21 -> 22 22 21"
SERVER = f"blha:{pyamp.olp_library()}"
Hostile = Callable[..., pyamp.Truth]


@pytest.fixture(scope="module")
def hostile_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "libhostile.so"
    source = Path(__file__).parents[1] / "cpp" / "hostile_provider.c"
    include = library("pyamp").parents[1] / "include"
    flags = ["-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, f"-I{include}", source, "-o", path, "-ldl", "-lm"], check=True)
    return path


@pytest.fixture
def hostile(hostile_library: Path, tmp_path: Path) -> Hostile:
    """Opens the hostile provider: NAME="value" goes into its environment as HOSTILE_NAME, the rest are options."""

    def opened(**arguments: Any) -> pyamp.Truth:
        environment = {f"HOSTILE_{key}": arguments.pop(key) for key in list(arguments) if key.isupper()}
        environment |= {
            "HOSTILE_LIBPYAMP": str(library("pyamp")),
            "HOSTILE_MARK": str(tmp_path / "mark"),
            "HOSTILE_COUNT": str(tmp_path / "count"),
        }
        options = {"process": PROCESS, "environment": environment, "identical_particle_factor": False}
        return pyamp.truth(f"blha:{hostile_library}", 0.12, 0.0078, **{**options, **arguments})

    return opened


@pytest.fixture(scope="module")
def points(momenta: np.ndarray) -> np.ndarray:
    """Points of which some, not the first, have a third leg beyond the hostile provider's 400 GeV."""
    order = np.argsort(momenta[:, 2, 0] > 400, kind="stable")
    mixed = np.concatenate([momenta[order[:20]], momenta[order[-3:]], momenta[order[20:30]]])
    assert (mixed[:, 2, 0] > 400).sum() == 3
    return mixed


def expected(points: np.ndarray) -> np.ndarray:
    return np.asarray(pyamp.truth("gg_to_aag", 0.12, 0.0078).me2(points))


def troubled(points: np.ndarray) -> np.ndarray:
    return points[:, 2, 0] > 400


# The server as provider


@pytest.mark.parametrize("process", [PROCESS, "21 21 -> 21 22 22"])
def test_server_through_the_client_is_the_built_in(process: str, momenta: np.ndarray) -> None:
    truth = pyamp.truth(SERVER, 0.12, 0.0078, process=process)
    assert truth.process == "gg_to_aag"
    assert truth.pdg_ids == (21, 21, 22, 22, 21)
    assert truth.coupling_orders == (3, 2)
    assert truth.spin_colour_average == 256
    assert truth.version == "pyamp 0.1.0 (libpyamp_olp.so)"
    values, accuracy = truth.me2(momenta[:50], return_accuracy=True)
    np.testing.assert_allclose(values, expected(momenta[:50]), rtol=1e-13)
    built_in = pyamp.truth("gg_to_aag").me2(momenta[:50], return_accuracy=True)[1]
    np.testing.assert_array_equal(accuracy, built_in)


def test_six_legs(tmp_path: Path) -> None:
    points = PhaseSpace("gg_to_aagg_1tev").sample(3, seed=4).momenta
    truth = pyamp.truth(SERVER, process="21 21 -> 22 21 22 21")
    np.testing.assert_allclose(truth.me2(points), pyamp.truth("gg_to_aagg").me2(points), rtol=1e-13)


def test_in_this_process_and_only_once(momenta: np.ndarray, tmp_path: Path) -> None:
    copy = tmp_path / "libcopy.so"
    shutil.copy(
        pyamp.olp_library(), copy
    )  # the $ORIGIN in it no longer finds libpyamp, which is loaded already
    truth = pyamp.truth(f"blha:{copy}", process=PROCESS, isolated=False)
    np.testing.assert_allclose(truth.me2(momenta[:5]), pyamp.truth("gg_to_aag").me2(momenta[:5]), rtol=1e-13)
    with pytest.raises(pyamp.PyampError, match=r"in use in this process already.*'isolated': true"):
        pyamp.truth(f"blha:{copy}", process=PROCESS, isolated=False)


def test_order_file_of_the_user(tmp_path: Path, momenta: np.ndarray) -> None:
    order = tmp_path / "order.lh"
    text = "AmplitudeType LoopInduced\n21 21 -> 22 22 21 21\n21 21 -> 22 21 22\n"
    order.write_text(text)
    with pytest.raises(
        pyamp.PyampError, match=r"order.lh: 2 processes found, one expected; 'process' says which"
    ):
        pyamp.truth(SERVER, order=str(order))
    truth = pyamp.truth(SERVER, order=str(order), process=PROCESS)
    np.testing.assert_allclose(truth.me2(momenta[:5]), pyamp.truth("gg_to_aag").me2(momenta[:5]), rtol=1e-13)
    assert order.read_text() == text
    order.write_text(f"Extra AnswerFile {tmp_path}/answers.txt\n{text}")
    pyamp.truth(SERVER, order=str(order), process=PROCESS)
    assert "21 21 -> 22 21 22 | 1 2" in (tmp_path / "answers.txt").read_text()


def test_order_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    order = tmp_path / "written.lh"
    pyamp.truth(SERVER, process=PROCESS, order=str(order))
    assert "AmplitudeType LoopInduced\n" in order.read_text()
    assert order.read_text().endswith(f"\n{PROCESS}\n")


def test_surrogate_behind_the_accord_is_not_the_truth(model_path: Path, momenta: np.ndarray) -> None:
    lines = [f"Extra PyampSource {model_path}"]
    with pytest.raises(pyamp.PyampError, match="no slot, identical-particle factor or average explains it"):
        pyamp.truth(SERVER, process=PROCESS, order_lines=lines)
    truth = pyamp.truth(SERVER, process=PROCESS, order_lines=lines, check=False, accuracy_limit=1e9)
    surrogate = pyamp.Evaluator(model_path)(momenta[:10])
    np.testing.assert_allclose(truth.me2(momenta[:10]), surrogate.amplitude, rtol=1e-12)


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_cards(tmp_path: Path, momenta: np.ndarray, suffix: str) -> None:
    card = tmp_path / f"card.{suffix}"
    if suffix == "yaml":
        card.write_text(f"source: {SERVER}\nalpha_s: 0.12\nalpha: 0.0078\nblha:\n  process: {PROCESS}\n")
    else:
        pyamp.provider_card(SERVER, card, alpha_s=0.12, alpha=0.0078, blha={"process": PROCESS})
    np.testing.assert_allclose(pyamp.truth(str(card)).me2(momenta[:5]), expected(momenta[:5]), rtol=1e-13)


def test_dataset_from_a_provider(tmp_path: Path) -> None:
    card = pyamp.provider_card(SERVER, tmp_path / "provider.json", blha={"process": PROCESS})
    process = load_process("gg_to_aag_1tev")
    paths = [tmp_path / "provider.h5", tmp_path / "builtin.h5"]
    for path, amplitude in zip(paths, (card, "gg_to_aag"), strict=True):
        generate(process.model_copy(update={"amplitude": amplitude}), 100, path, seed=3)
    ours, theirs = (Dataset.open(path) for path in paths)
    np.testing.assert_array_equal(ours.momenta, theirs.momenta)
    np.testing.assert_allclose(ours.amplitude, theirs.amplitude, rtol=1e-12)


def test_card_with_unknown_keys_is_refused(tmp_path: Path) -> None:
    card = tmp_path / "card.yaml"
    card.write_text(f"source: {SERVER}\nblha:\n  proces: {PROCESS}\n")
    with pytest.raises(pyamp.PyampError, match="unknown key 'proces'; did you mean 'process'"):
        pyamp.truth(str(card))
    card.write_text(f"source: {SERVER}\nidentical_particle_factor: true\n")
    with pytest.raises(pyamp.PyampError, match="a truth never has it"):
        pyamp.truth(str(card))
    with pytest.raises(pyamp.PyampError, match="for BLHA providers and trees only"):
        pyamp.truth("gg_to_aag", process=PROCESS)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"process": "21 -> 21"}, "two incoming and at least one outgoing"),
        ({"process": "21 21 -> 22 x"}, "'x' in a process, a PDG id expected"),
        ({}, "blha: no process"),
        ({"process": "2 -2 -> 22 22"}, "'alpha_s_power' and 'alpha_power' of"),
        ({"process": "2 -2 -> 22 22", "alpha_s_power": 0, "alpha_power": 2}, "not granted: 2 -2 -> 22 22"),
        ({"process": PROCESS, "order_lines": ["Nonsense 1"]}, "not granted: Nonsense 1 | Error: unknown key"),
        ({"process": PROCESS, "preset": "recola"}, "one of blha2, njet, openloops, sherpa expected"),
        ({"process": PROCESS, "result_index": -1}, "a whole number from 0 to 63 expected"),
        ({"process": PROCESS, "timeout_s": 0}, "a positive number expected"),
        ({"process": PROCESS, "isolated": False, "log": "x"}, "'log' needs 'isolated': true"),
        ({"process": PROCESS, "contract": "/nowhere/contract"}, "no such contract file"),
        (
            {"process": PROCESS, "alpha_s_parameter": "coupling"},
            "OLP_SetParameter of coupling gave 2, 1 expected",
        ),
        ({"process": PROCESS, "parameters": {"mass(6)": 173}}, r"mass(6) gave 2 (ignored), 1 expected"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(pyamp.PyampError) as error:
        pyamp.truth(SERVER, **options)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_provider_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pyamp.PyampError, match="cannot be opened as a BLHA provider"):
        pyamp.truth(f"blha:{tmp_path}/libabsent.so", process=PROCESS)
    with pytest.raises(pyamp.PyampError, match="has no function OLP_Start"):
        pyamp.truth(f"blha:{library('pyamp')}", process=PROCESS)


# Conventions


def test_convention_that_does_not_fit_is_diagnosed(hostile: Hostile) -> None:
    with pytest.raises(
        pyamp.PyampError, match=r"gives nan times.*'result_index': 4, 'identical_particle_factor': true"
    ):
        hostile(SLOT="4", HALF="1")
    with pytest.raises(pyamp.PyampError, match=r"gives 0\.5 times.*'identical_particle_factor': true"):
        hostile(HALF="1")


@pytest.mark.parametrize("half", [False, True])
def test_conventions_as_stated(hostile: Hostile, points: np.ndarray, half: bool) -> None:
    truth = hostile(SLOT="4", HALF=str(int(half)), result_index=4, identical_particle_factor=half)
    np.testing.assert_allclose(truth.me2(points), expected(points), rtol=1e-8)


def test_preset_njet_takes_a_contract_made_ahead(
    hostile: Hostile, points: np.ndarray, tmp_path: Path
) -> None:
    order, contract = tmp_path / "njet.lh", tmp_path / "njet.lhc"
    options = {"preset": "njet", "order": str(order), "SLOT": "4", "identical_particle_factor": False}
    with pytest.raises(pyamp.PyampError, match=r"written; now run `njet.py -o CONTRACT .*njet.lh`"):
        hostile(**options)
    lines = order.read_text().splitlines()
    assert "AmplitudeType loopsq" in lines
    assert "AlphasPower 1" in lines
    answered = [f"{line} | {'1 7' if '->' in line else 'OK'}" for line in lines if line and line[0] != "#"]
    contract.write_text("\n".join(answered) + "\n")
    truth = hostile(**options, contract=str(contract))
    np.testing.assert_allclose(truth.me2(points), expected(points), rtol=1e-8)


def test_preset_openloops_leaves_out_what_openloops_misunderstands(
    hostile: Hostile, points: np.ndarray, tmp_path: Path
) -> None:
    order = tmp_path / "openloops.lh"
    truth = hostile(preset="openloops", order=str(order), HALF="1", identical_particle_factor=True)
    np.testing.assert_allclose(truth.me2(points), expected(points), rtol=1e-8)
    text = order.read_text()
    assert "Extra AnswerFile" in text
    assert "EWScheme alpha0" in text
    assert "CorrectionType" not in text
    assert "CouplingPower" not in text


def test_provider_that_ignores_the_couplings_is_found_out(hostile: Hostile) -> None:
    with pytest.raises(pyamp.PyampError, match="reference point 0 of gg_to_aag gives"):
        hostile(TROUBLE="deaf")
    with pytest.raises(
        pyamp.PyampError, match=r"\|M\|\^2 changes by the factor 1.9\d+ when alpha_s changes by 1.25"
    ):
        hostile(alpha_s_power=2)


@pytest.mark.parametrize(
    ("trouble", "complaint"),
    [
        ("start", "OLP_Start of .* failed .ierr 0.*it printed last: hostile provider: welcome"),
        ("refuse", "not granted: 21 21"),
    ],
)
def test_provider_that_does_not_start(hostile: Hostile, trouble: str, complaint: str) -> None:
    with pytest.raises(pyamp.PyampError, match=complaint):
        hostile(TROUBLE=trouble)


# Bad points


def test_nan_is_a_failed_point(hostile: Hostile, points: np.ndarray) -> None:
    truth = hostile(TROUBLE="nan")
    values, accuracy = truth.me2(points, return_accuracy=True, on_failure="nan")
    bad = troubled(points)
    np.testing.assert_array_equal(np.isnan(values), bad)
    np.testing.assert_allclose(values[~bad], expected(points[~bad]), rtol=1e-8)
    assert np.isinf(accuracy[bad]).all()
    with pytest.raises(
        pyamp.PyampError, match=r"3 of 33 points failed, index 20, 21, 22: .* no value from the provider"
    ):
        truth.me2(points)


@pytest.mark.parametrize("trouble", ["nan", "inaccurate"])
def test_rotated_point_saves_what_it_can(hostile: Hostile, points: np.ndarray, trouble: str) -> None:
    truth = hostile(TROUBLE=trouble, WHEN="unrotated")
    values, accuracy = truth.me2(points, return_accuracy=True)
    np.testing.assert_allclose(values, expected(points), rtol=1e-8)
    np.testing.assert_array_equal(accuracy, 1e-9)


def test_inaccurate_points_have_no_value_but_an_accuracy(hostile: Hostile, points: np.ndarray) -> None:
    values, accuracy = hostile(TROUBLE="inaccurate").me2(points, return_accuracy=True, on_failure="nan")
    np.testing.assert_array_equal(np.isnan(values), troubled(points))
    np.testing.assert_array_equal(accuracy, np.where(troubled(points), 0.5, 1e-9))
    accepted = hostile(TROUBLE="inaccurate", accuracy_limit=0.6).me2(points)
    np.testing.assert_allclose(
        accepted[troubled(points)], 1.5 * expected(points[troubled(points)]), rtol=1e-8
    )


def test_accuracy_from_a_rotation(hostile: Hostile, points: np.ndarray) -> None:
    truth = hostile(TROUBLE="inaccurate", WHEN="unrotated", accuracy="rotation")
    values, accuracy = truth.me2(points, return_accuracy=True, on_failure="nan")
    np.testing.assert_array_equal(np.isnan(values), troubled(points))
    np.testing.assert_allclose(accuracy[troubled(points)], 1 - 1 / 1.5, rtol=1e-6)
    assert (accuracy[~troubled(points)] < 1e-10).all()
    np.testing.assert_allclose(
        truth.me2(points)[~troubled(points)], expected(points[~troubled(points)]), rtol=1e-8
    )


# Providers that die or hang


@pytest.mark.parametrize("trouble", ["abort", "exit"])
def test_crash_costs_its_own_point_only(
    hostile: Hostile, points: np.ndarray, trouble: str, tmp_path: Path
) -> None:
    truth = hostile(TROUBLE=trouble, check=False)
    values = truth.me2(points, on_failure="nan")
    bad = troubled(points)
    np.testing.assert_array_equal(np.isnan(values), bad)
    np.testing.assert_allclose(values[~bad], expected(points[~bad]), rtol=1e-8)
    energies = np.loadtxt(tmp_path / "count")
    for energy, is_bad in zip(points[:, 2, 0], bad, strict=True):
        # bad ones twice as they are and twice rotated; finished ones once
        assert np.isclose(energies, energy, rtol=1e-12).sum() == (4 if is_bad else 1)


def test_crash_that_does_not_come_again(hostile: Hostile, points: np.ndarray) -> None:
    np.testing.assert_allclose(hostile(TROUBLE="abort", WHEN="once").me2(points), expected(points), rtol=1e-8)


def test_rotated_point_after_a_crash(hostile: Hostile, points: np.ndarray) -> None:
    truth = hostile(TROUBLE="abort", WHEN="unrotated")
    np.testing.assert_allclose(truth.me2(points), expected(points), rtol=1e-8)


def test_slow_points_are_given_up(hostile: Hostile, points: np.ndarray) -> None:
    truth = hostile(TROUBLE="slow", WHEN="once", timeout_s=2)
    values = truth.me2(points, on_failure="nan")
    np.testing.assert_allclose(values, expected(points), rtol=1e-8)  # the rotated point was not slow


def test_provider_that_dies_on_everything_comes_to_an_end(
    hostile: Hostile, points: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    truth = hostile(TROUBLE="abort")
    bad = np.repeat(points[troubled(points)], 20, axis=0)
    assert np.isnan(truth.me2(bad, on_failure="nan")).all()
    error = capfd.readouterr().err
    assert (
        "40 points have no value: it was killed by signal 6 (Aborted); it printed last: hostile provider: giving up"
        in error
    )
    np.testing.assert_allclose(truth.me2(points[:3]), expected(points[:3]), rtol=1e-8)


def test_worker_killed_from_outside(hostile: Hostile, points: np.ndarray) -> None:
    others = children()
    truth = hostile()
    (worker,) = children() - others
    os.kill(worker, signal.SIGKILL)
    np.testing.assert_allclose(truth.me2(points), expected(points), rtol=1e-8)


def children() -> set[int]:
    """Process numbers of the workers of this process."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                name, rest = (entry / "stat").read_text().rsplit(") ", 1)
            except OSError:
                continue
            if "pyamp_blha_wor" in name and int(rest.split()[1]) == os.getpid():
                found.add(int(entry.name))
    return found


def test_worker_ends_with_its_truth(hostile: Hostile) -> None:
    others = children()
    truth = hostile()
    (worker,) = children() - others
    del truth
    assert worker not in children()


def test_output_goes_to_the_log(hostile: Hostile, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    hostile(log=str(tmp_path / "log"))
    assert "hostile provider: welcome" in (tmp_path / "log").read_text()
    assert capfd.readouterr() == ("", "")


def test_two_providers_at_once(hostile: Hostile, points: np.ndarray) -> None:
    """One library, two states: each in its own process, called from two threads."""
    truths = [hostile(), hostile(HALF="1", identical_particle_factor=True)]
    results: list[Any] = [None, None]

    def run(k: int) -> None:
        results[k] = truths[k].me2(points)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_allclose(result, expected(points), rtol=1e-8)
