"""libpyamp_olp as a provider of the Binoth Les Houches Accord, used by a host in C."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import pyamp
from pyamp.paths import library
from pyamp.phase_space import PhaseSpace

ORDER = """# a comment
InterfaceVersion BLHA2
CorrectionType QCD      # another
AmplitudeType LoopInduced
CouplingPower QED 2
AccuracyTarget 0.001
Extra AnswerFile {answer}

21 21 -> 22 22 21
21 21 -> 21 22 22
21 21 -> 22 22 21 21
Extra PyampSource {model}
21 21 -> 22 21 22
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("olp") / "host"
    source = Path(__file__).with_name("olp_client.c")
    flags = ["-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
    include = library("pyamp").parents[1] / "include"
    subprocess.run(["cc", *flags, f"-I{include}", source, "-o", program, "-ldl", "-lm"], check=True)
    return program


def run(host: Path, *arguments: object) -> tuple[int, list[str], str]:
    command = [str(host), pyamp.olp_library(), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode >= 0, f"killed by signal {-done.returncode}"
    return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.fixture
def order(tmp_path: Path, model_path: Path) -> Path:
    path = tmp_path / "order.lh"
    path.write_text(ORDER.format(answer=tmp_path / "contract.olc", model=model_path))
    return path


def test_contract_answers_every_line(host: Path, order: Path, model_path: Path) -> None:
    code, lines, _ = run(host, order)
    assert code == 0
    assert lines == ["info pyamp 0.1.0", "start 1"]
    contract = (order.parent / "contract.olc").read_text().splitlines()
    assert [line for line in contract if line] == [
        "InterfaceVersion BLHA2 | OK",
        "CorrectionType QCD | OK",
        "AmplitudeType LoopInduced | OK",
        "CouplingPower QED 2 | OK",
        "AccuracyTarget 0.001 | OK",
        f"Extra AnswerFile {order.parent}/contract.olc | OK",
        "21 21 -> 22 22 21 | 1 1",
        "21 21 -> 21 22 22 | 1 2",
        "21 21 -> 22 22 21 21 | 1 3",
        f"Extra PyampSource {model_path} | OK",
        "21 21 -> 22 21 22 | 1 4",
    ]


@pytest.mark.parametrize("from_contract", [False, True])
def test_values_of_several_processes(
    host: Path, order: Path, model_path: Path, momenta: np.ndarray, from_contract: bool
) -> None:
    if from_contract:
        assert run(host, order)[0] == 0
        order = order.parent / "contract.olc"

    def evaluated(points: np.ndarray, legs: list[int], identity: int) -> np.ndarray:
        path = order.parent / "points.txt"
        np.savetxt(path, points[:, legs].reshape(len(points), -1), fmt="%.17g")
        code, lines, _ = run(host, order, path, len(legs), identity)
        assert code == 0
        assert lines[2:4] == ["alpha_s 1", "alpha 1"]
        values = np.array([line.split() for line in lines[4:]], dtype=float)
        np.testing.assert_array_equal(values[:, 3], -1)  # only the first entry is written
        return values

    points, six = momenta[:10], PhaseSpace("gg_to_aagg_1tev").sample(3, seed=4).momenta
    five_legs, accuracy = pyamp.truth("gg_to_aag", 0.12, 0.0078).me2(points, return_accuracy=True)
    permuted = evaluated(points, [0, 1, 4, 2, 3], 2)
    np.testing.assert_allclose(permuted[:, 0], five_legs / 2, rtol=1e-12)
    np.testing.assert_array_equal(permuted[:, 1], accuracy)
    np.testing.assert_allclose(permuted[:, 2] / permuted[:, 0], (0.13 / 0.12) ** 3, rtol=1e-12)
    expected = pyamp.truth("gg_to_aagg", 0.12, 0.0078).me2(six) / 4
    np.testing.assert_allclose(evaluated(six, list(range(6)), 3)[:, 0], expected, rtol=1e-12)
    surrogate = pyamp.Evaluator(model_path, alpha_s=0.12, alpha=0.0078)(points)
    found = evaluated(points, [0, 1, 2, 4, 3], 4)
    np.testing.assert_allclose(found[:, 0], surrogate.amplitude / 2, rtol=1e-12)
    np.testing.assert_allclose(found[:, 1], surrogate.sigma_tot / surrogate.amplitude, rtol=1e-12)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("AmplitudeType Loop", "Error: unsupported flag, supported: LoopInduced"),
        ("CorrectionType EW", "Error: unsupported flag, supported: QCD"),
        ("CouplingPower QCD two", "Error: a whole number expected"),
        ("NonsenseKey 3", "Error: unknown key"),
        ("Extra PyampSorce model", "Error: unknown extra key, known: AnswerFile, PyampSource, PyampPolicy"),
        ("2 -2 -> 22 22", "Error: process not available; Extra PyampSource names a model file"),
    ],
)
def test_what_is_not_granted_stands_in_the_contract(
    host: Path, tmp_path: Path, line: str, answer: str
) -> None:
    order = tmp_path / "order.lh"
    order.write_text(f"AmplitudeType LoopInduced\n{line}\n21 21 -> 22 22 21\n")
    code, lines, error = run(host, order)
    assert code == 1
    assert lines[1] == "start 0"
    assert error == f"pyamp: {order}: {line}: {answer.removeprefix('Error: ')}\n"
    assert f"{line} | {answer}" in (tmp_path / "order.olc").read_text().splitlines()


def test_wrong_power_or_foreign_model_is_not_granted(host: Path, tmp_path: Path, model_path: Path) -> None:
    order = tmp_path / "order.lh"
    order.write_text("AmplitudeType LoopInduced\nCouplingPower QCD 2\n21 21 -> 22 22 21\n")
    assert "|M|^2 has the power 3 of the QCD coupling, 2 ordered" in run(host, order)[2]
    order.write_text(f"AmplitudeType LoopInduced\nExtra PyampSource {model_path}\n21 21 -> 22 22 21 21\n")
    assert f"{model_path} is for 21 21 -> 22 22 21" in run(host, order)[2]
    order.write_text("AmplitudeType LoopInduced | OK\n21 21 -> 22 22 21 | 1 5\n")
    assert "the contract says '1 5', '1 1' today" in run(host, order)[2]
    order.write_text("AmplitudeType LoopInduced\n21 -> 22 22 21\n")
    assert "two incoming and at least one outgoing particle expected" in run(host, order)[2]


def test_wrong_calls_give_statuses(host: Path) -> None:
    code, lines, _ = run(host, "--faults")
    assert code == 0
    assert lines[1:] == [
        "null 0",
        "absent 0",
        "negative 0",
        "mass 2",
        "name 0",
        "option 0",
        "option 1",
        "no contract 1 1",
    ]
