"""Does the study of the truth's precision run, and find the precision that is promised?"""

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "truth_precision.py"


def test_precision(tmp_path):
    record = tmp_path / "precision.json"
    command = [sys.executable, str(SCRIPT), "--points", "30", "--seed", "21", "--json", str(record)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    assert record.with_suffix(".png").stat().st_size > 10_000
    content = json.loads(record.read_text())
    assert content["seed"] == 21
    double, returned, kept = content["rows"]
    assert [row["value"] for row in content["rows"]] == ["double", "returned", "not rescued"]
    assert double["points"] == returned["points"] == 30 >= kept["points"]
    assert 0 < double["median"] < 1e-9
    assert returned["largest"] <= max(double["largest"], 1e-9)
    assert returned["largest"] < 1e-5
    assert returned["share_above_10_accuracy"] < 0.2
