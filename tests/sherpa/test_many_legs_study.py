"""Do the studies of surrogates of seven and eight legs record their points, train and measure?"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def only_row(script: str, record: Path, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, str(BENCHMARKS / script), "--quick", *arguments, "--json", str(record)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(record.read_text())["rows"]
    assert "failed" not in row
    return dict(row)


def test_rows_are_those_of_the_training_and_its_points(tmp_path: Path) -> None:
    arguments = ("--process", "gg_to_eegdd", "--only", "adam_antenna")
    row = only_row("many_legs.py", tmp_path / "record.json", *arguments)
    assert (row["n_train"], row["n_test"], row["n_outside"]) == (30_000, 10_000, 0)
    assert row["n_features"] == 2 * 20 + 1 + 2  # pairs but the beams twice, ln s_01, the Z
    assert 1 <= row["n_eff"] <= row["n_test"]
    # Hardly trained, but far better than the spread of what it learns.
    assert 0 < row["median_abs_log"] < row["spread"] / 4
    assert row["event_median_abs_log"] < row["event_q99_abs_log"]
    for name in ("n_eff_over_n", "epsilon_2nd"):
        assert 0 < row[name] <= 1
        assert math.isfinite(row[f"{name}_err"])


def test_wide_networks(tmp_path: Path) -> None:
    row = only_row("wide_networks.py", tmp_path / "record.json", "--only", "3x128")
    assert (row["n_train"], row["n_test"], row["n_outside"]) == (20_000, 2_000, 0)
    assert (row["steps"], row["batch_size"]) == (40, 4096)
    layers = (row["n_features"] + 1) * 128 + 2 * 129 * 128 + 129
    assert row["n_parameters"] == layers
    assert 0 < row["event_median_abs_log"] < row["spread"]
    assert 0 < row["n_eff_over_n"] <= 1
