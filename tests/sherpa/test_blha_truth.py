"""Does the run card take the truth from a BLHA provider? The provider is libpyamp_olp, in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyamp
from pyamp.errors import PyampError
from pyamp.sherpa import run_card

PROCESS = "21 21 -> 22 21 22"  # not in the order of Sherpa's legs


def recorded(directory: Path, truth: Any) -> np.ndarray:
    """The first 50 points of a run: alpha_s, alpha, from_truth, |M|² summed, momenta."""
    block = {"TRUTH": truth, "RECORD_POINTS": 50, "RECORD_FILE": "points.csv"}
    run_card("truth", None, directory, {"PYAMP": block, "PSI": {"ITMIN": 100}}, n_events=1)
    return np.loadtxt(directory / "points.csv", delimiter=",", skiprows=1)


@pytest.mark.parametrize("form", ["block", "card"])
def test_provider_gives_the_built_in_amplitude(run_directory: Path, tmp_path: Path, form: str) -> None:
    truth: Any = {
        "blha": pyamp.olp_library(),
        "process": PROCESS,
        "timeout_s": 30,
        "order_lines": ["Model SM"],
    }
    if form == "card":
        library = truth.pop("blha")
        truth = pyamp.provider_card(f"blha:{library}", tmp_path / "card.json", blha=truth)
    rows = recorded(run_directory, truth)
    momenta = rows[:, 4:].reshape(len(rows), -1, 4)
    stripped = pyamp.truth("gg_to_aag", alpha_s=1.0, alpha=1.0).me2(momenta)
    np.testing.assert_allclose(rows[:, 3], 256 * stripped * rows[:, 0] ** 3 * rows[:, 1] ** 2, rtol=1e-10)


@pytest.mark.parametrize(
    ("truth", "complaint"),
    [
        ({"process": PROCESS}, "TRUTH is a block without blha"),
        (
            {"blha": "/nowhere/lib.so", "process": PROCESS},
            "/nowhere/lib.so: cannot be opened as a BLHA provider",
        ),
        ({"blha": "OLP", "proces": PROCESS}, "unknown key 'proces'; did you mean 'process'?"),
        (
            {"blha": "OLP", "process": PROCESS, "identical_particle_factor": False},
            "gives 0.5 times the built-in",
        ),
        ("absent.json", "absent.json: cannot be opened; the path of a provider card expected"),
    ],
)
def test_bad_provider_stops_sherpa(run_directory: Path, truth: Any, complaint: str) -> None:
    if isinstance(truth, dict) and truth.get("blha") == "OLP":
        truth = {**truth, "blha": pyamp.olp_library()}
    with pytest.raises(PyampError) as error:
        run_card("truth", None, run_directory, {"PYAMP": {"TRUTH": truth}}, timeout=60)
    assert "Sherpa stopped with exit code 1: " in str(error.value)
    assert complaint in str(error.value)
