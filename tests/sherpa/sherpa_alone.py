"""Sherpa without pyamp: what its own matrix elements integrate to."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from pyamp.sherpa import card_path, find_sherpa

CrossSection = tuple[float, float]
"""Value and error, pb."""


def sherpa_alone(
    folder: Path, process: str, orders: dict[str, int], accuracy: float, **settings: Any
) -> CrossSection:
    """Integrated by Comix to a relative accuracy, on the partonic card with other settings."""
    folder.mkdir()
    card = yaml.safe_load(card_path("partonic").read_text())
    for key in ("PYAMP", "SHERPA_LDADD", "PSI"):
        del card[key]
    card |= {"ME_GENERATORS": ["Comix"], "EVENTS": 0, **settings}
    card["PROCESSES"] = [{process: {"Order": orders, "Integration_Error": accuracy}}]
    (folder / "Sherpa.yaml").write_text(yaml.safe_dump(card))
    output = subprocess.run(
        [str(find_sherpa() / "bin" / "Sherpa")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout
    found = re.findall(r": ([0-9.e+-]+) pb \+- \( ([0-9.e+-]+) pb", re.sub(r"\x1b\[[0-9;]*m", "", output))
    return float(found[-1][0]), float(found[-1][1])
