"""Does Sherpa with pyamp's tree-level truth find the cross section that Sherpa finds by itself?"""

from __future__ import annotations

import math
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import pyamp
from pyamp.sherpa import card_path, find_sherpa, run

PROCESS = "21 21 -> 1 -1 22"
CUTS: dict[str, Any] = {
    "SELECTORS": [
        ["PT", 93, 50, "E_CMS"],
        ["PT", 22, 50, "E_CMS"],
        ["DR", 93, 22, 0.4, 1000],
        ["DR", 1, -1, 0.4, 1000],
    ],
    "PSI": {"ITMIN": 1000},
}


def sherpa_alone(folder: Path) -> tuple[float, float]:
    """Cross section and error in pb of the integration by Comix, same couplings and cuts."""
    folder.mkdir()
    card = yaml.safe_load(card_path("partonic").read_text())
    del card["PYAMP"], card["SHERPA_LDADD"]
    card |= {"ME_GENERATORS": ["Comix"], "EVENTS": 0, **CUTS}
    card["PROCESSES"] = [{PROCESS: {"Order": {"QCD": 2, "EW": 1}, "Integration_Error": 0.005}}]
    (folder / "Sherpa.yaml").write_text(yaml.safe_dump(card))
    output = subprocess.run(
        [str(find_sherpa() / "bin" / "Sherpa")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    ).stdout
    found = re.findall(r": ([0-9.e+-]+) pb \+- \( ([0-9.e+-]+) pb", re.sub(r"\x1b\[[0-9;]*m", "", output))
    return float(found[-1][0]), float(found[-1][1])


@pytest.mark.skipif(
    os.environ.get("PYAMP_LONG_TESTS") != "1", reason="integrates for minutes; PYAMP_LONG_TESTS=1 runs it"
)
def test_cross_section_is_sherpas_own(
    run_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two independent integrations with fixed seeds; 4 standard deviations: 6e-5 of seeds would fail."""
    monkeypatch.setenv("PYAMP_CACHE", str(tmp_path / "cache"))
    card = pyamp.provider_card(
        "sherpa:", tmp_path / "card.json", sherpa={"process": PROCESS, "generator": "Comix"}
    )
    block = {
        "Order": {"QCD": 2, "EW": 1},
        "Loop_Generator": "PyAmp",
        "Enable_MHV": 10,
        "Integrator": "Rambo",
    }
    overrides = {"PYAMP": {"TRUTH": card}, "PROCESSES": [{PROCESS: block}], **CUTS}
    overrides["EVENT_GENERATION_MODE"] = "Weighted"
    found = run(card_path("partonic"), run_directory, overrides, n_events=30000, timeout=900)
    expected, error = sherpa_alone(tmp_path / "alone")
    assert found.error_pb < 0.05 * found.cross_section_pb
    assert abs(found.cross_section_pb - expected) < 4 * math.hypot(found.error_pb, error)
