"""Does Sherpa with pyamp's tree-level truth find the cross section that Sherpa finds by itself?"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest

import pyamp
from pyamp.sherpa import card_path, run
from tests.sherpa.sherpa_alone import sherpa_alone

PROCESS = "21 21 -> 1 -1 22"
ORDERS = {"QCD": 2, "EW": 1}
CUTS: dict[str, Any] = {
    "SELECTORS": [
        ["PT", 93, 50, "E_CMS"],
        ["PT", 22, 50, "E_CMS"],
        ["DR", 93, 22, 0.4, 1000],
        ["DR", 1, -1, 0.4, 1000],
    ],
    "PSI": {"ITMIN": 1000},
}


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
        "Order": ORDERS,
        "Loop_Generator": "PyAmp",
        "Enable_MHV": 10,
        "Integrator": "Rambo",
    }
    overrides = {"PYAMP": {"TRUTH": card}, "PROCESSES": [{PROCESS: block}], **CUTS}
    overrides["EVENT_GENERATION_MODE"] = "Weighted"
    found = run(card_path("partonic"), run_directory, overrides, n_events=30000, timeout=900)
    expected, error = sherpa_alone(tmp_path / "alone", PROCESS, ORDERS, 0.005, **CUTS)
    assert found.error_pb < 0.05 * found.cross_section_pb
    assert abs(found.cross_section_pb - expected) < 4 * math.hypot(found.error_pb, error)
