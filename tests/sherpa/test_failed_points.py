"""Are points without a number counted and sent on, never silently used?

A stand-in for libpyamp fails for a known share of all points: the surrogate for 30 %, the truth for 10 % among these.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyamp.paths import library as installed
from pyamp.sherpa import SherpaResult, run_card
from tests.sherpa.conftest import process

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "libfailing.so"
    include = HERE.parents[1] / "csrc"
    source = HERE / "failing_library.c"
    real = installed("pyamp")
    linked = ["-Wl,--no-as-needed", str(real), f"-Wl,-rpath,{real.parent}", "-lm"]
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", f"-I{include}", str(source), "-o", str(path), *linked], check=True
    )
    return path


def run(directory: Path, library: Path, mode: str, **more: Any) -> SherpaResult:
    """A run with ``more`` in its block PYAMP."""
    block = {"MODE": mode, "MODEL": "any", "LIBRARY": str(library), "RECORD_POINTS": 5000, **more}
    if mode == "roulette":
        block |= {"KAPPA": 2.0, "P_MIN": 0.1}
    hooks = ["PyAmp"] if mode in ("two_stage", "roulette") else ["None"]
    overrides = {"PYAMP": block, "USERHOOKS": hooks, "PROCESSES": process(Integrator="Rambo")}
    return run_card("partonic", None, directory, {"PSI": {"ITMIN": 500}, **overrides}, n_events=2000)


def assert_share(found: int, total: int, share: float) -> None:
    """Within 4 standard deviations of a binomial."""
    assert abs(found - share * total) < 4 * np.sqrt(share * (1 - share) * total)


@pytest.mark.parametrize("mode", ["truth", "surrogate", "two_stage", "roulette"])
def test_shares(run_directory: Path, library: Path, mode: str) -> None:
    result = run(run_directory, library, mode)
    for phase in ("integration", "events"):
        counts = result.summary[phase]
        assert_share(counts["lost"], counts["points"], 0.1)
        if mode == "truth":
            assert counts["failed"] == 0
            continue
        assert_share(counts["failed"], counts["points"], 0.3)
        assert counts["truth_calls"] == counts["failed"]
    assert "counted as zero" in result.log.read_text()
    recorded = np.loadtxt(run_directory / "pyamp_points.csv", delimiter=",", skiprows=1)
    assert np.isfinite(recorded).all()
    assert_share(int((recorded[:, 3] == 0).sum()), len(recorded), 0.1)


def test_second_stage(run_directory: Path, library: Path) -> None:
    """Events that the truth had answered in the first stage have x = 1, all others x = 1.2."""
    second = run(run_directory, library, "two_stage").summary["second_stage"]
    assert second["lost"] == 0
    assert second["truth_calls"] + second["from_truth"] == second["seen"]
    mean = (1.2 * second["truth_calls"] + second["from_truth"]) / second["seen"]
    assert second["mean_x"] == pytest.approx(mean)
    assert second["largest_x"] == pytest.approx(1.2)


def test_roulette(run_directory: Path, library: Path) -> None:
    """The truth of the first stage stands; of the others a share 2·√2·0.1 asks, and the weight tells of x = 1.2."""
    second = run(run_directory, library, "roulette").summary["second_stage"]
    own = second["seen"] - second["from_truth"]
    p = 2 * np.sqrt(0.02)
    assert second["accepted"] == second["seen"] == 2000
    assert second["mean_p"] == pytest.approx(p * own / 2000)
    assert_share(second["evaluated"], own, p)
    assert second["mean_x"] == pytest.approx(1 + 0.2 / p * second["evaluated"] / 2000)
    assert second["lost"] == second["negative"] == 0


def test_screen(run_directory: Path, library: Path) -> None:
    """It fails where the surrogate does, and the truth answers there; all else has y = 1, x = 1.2."""
    result = run(run_directory, library, "two_stage", SCREEN="any", Y_MAX=1.25)
    screen, second, events = (result.summary[name] for name in ("screen", "second_stage", "events"))
    assert_share(events["failed"], 2 * events["points"], 0.3)
    assert events["screen_calls"] == events["points"]
    assert screen["mean_y"] == pytest.approx(1)
    assert screen["surrogate_calls"] + events["surrogate_calls"] > 0
    assert_share(screen["accepted"], screen["seen"], 1 / 1.25)
    assert second["truth_calls"] + second["from_truth"] == second["seen"] == screen["accepted"]
    mean = (1.2 * second["truth_calls"] + second["from_truth"]) / second["seen"]
    assert second["mean_x"] == pytest.approx(mean)


def test_cross_section_counts_lost_points_as_zero(tmp_path: Path, library: Path) -> None:
    runs = {mode: run(tmp_path / mode, library, mode) for mode in ("truth", "two_stage", "roulette")}
    truth = runs.pop("truth")
    for other in runs.values():
        error = np.hypot(truth.error_pb, other.error_pb)
        assert abs(truth.cross_section_pb - other.cross_section_pb) < 4 * error
