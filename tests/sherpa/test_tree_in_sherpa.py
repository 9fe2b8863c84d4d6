"""Does Sherpa run with the tree of pyamp's own recursion as its truth, and is that what is recorded?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyamp
from pyamp.datasets import generate_from_sherpa
from pyamp.errors import PyampError
from pyamp.sherpa import card_path

PROCESS = "21 21 -> 11 -11 21 1 -1"


def record(folder: Path, truth: Any, run_card: str = "gg_to_eegdd", process: str | None = None) -> Any:
    cards = [card_path("truth"), card_path(run_card)]
    folder.mkdir(exist_ok=True)
    settings = {"PYAMP": {"TRUTH": truth}, "PSI": {"ITMIN": 200}}
    return generate_from_sherpa(cards, 300, folder / "points.h5", settings=settings, process=process)


@pytest.mark.parametrize(("card", "gluon"), [("gg_to_eegdd", "21"), ("gg_to_eeggdd", "21 21")])
def test_recorded_amplitudes_are_those_of_the_truth(tmp_path: Path, card: str, gluon: str) -> None:
    process = f"21 21 -> 11 -11 {gluon} 1 -1"
    dataset = record(tmp_path, f"tree:{process}", card)
    assert dataset.info.process.amplitude == f"tree:{process}"
    truth = pyamp.truth(dataset.info.process.amplitude)
    np.testing.assert_allclose(dataset.amplitude, truth.stripped(dataset.momenta), rtol=1e-10)


def test_block_with_another_z(tmp_path: Path) -> None:
    block = {"tree": PROCESS, "mz": 100.0, "wz": 3.0}
    with pytest.raises(PyampError, match="give a process card that names its amplitude"):
        record(tmp_path / "unnamed", block)
    dataset = record(tmp_path, block, process="gg_to_eegdd_lhc13")
    truth = pyamp.truth(f"tree:{PROCESS}", mz=100.0, wz=3.0)
    np.testing.assert_allclose(dataset.amplitude, truth.stripped(dataset.momenta), rtol=1e-10)


@pytest.mark.parametrize(
    ("truth", "complaint"),
    [
        ("tree:21 21 -> 11 -11 21 1 -2", "2 quarks that make no pair"),
        ({"tree": PROCESS, "mzz": 91.0}, "unknown option 'mzz'; did you mean 'mz'?"),
        ({"mz": 91.0}, "TRUTH is a block without blha and tree"),
    ],
)
def test_faults_stop_sherpa_with_one_line(tmp_path: Path, truth: Any, complaint: str) -> None:
    with pytest.raises(PyampError, match=complaint.replace("?", r"\?")):
        record(tmp_path, truth)
