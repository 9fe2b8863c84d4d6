"""Does ``pyamp doctor`` say what works, and fail where something does not?"""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import pyamp
from pyamp.cli import app

pytestmark = pytest.mark.filterwarnings("default")


def rows(*arguments: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and status and text by name."""
    result = CliRunner().invoke(app, ["doctor", *arguments])
    table = {}
    for line in result.stdout.splitlines():
        status, name, text = line[:4].strip(), line[6:24].strip(), line[26:]
        table[name] = (status, text)
    return result.exit_code, table


def test_all_is_well(model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OpenLoopsPath", raising=False)
    card = pyamp.provider_card("gg_to_aag", tmp_path / "card.json")
    code, table = rows(str(model_path), card)
    assert code == 0
    assert {status for status, _ in table.values()} <= {"ok", "--"}
    for name in ("pyamp", "truth", "LibTorch", "UMAMI", "madspace", "BLHA", "card.json"):
        assert table[name][0] == "ok", name
    assert table["OpenLoops"] == ("--", "$OpenLoopsPath is not set")
    assert "libpyamp_olp.so" in table["BLHA"][1]


def test_what_is_configured_and_broken_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OpenLoopsPath", str(tmp_path))
    monkeypatch.setenv("SHERPA_DIR", str(tmp_path))
    monkeypatch.setenv("PYAMP_SHERPA_PLUGIN", str(tmp_path / "absent.so"))
    code, table = rows(str(tmp_path / "absent.safetensors"), str(tmp_path / "absent.json"))
    assert code == 1
    failed = {name for name, (status, _) in table.items() if status == "FAIL"}
    assert {"OpenLoops", "Sherpa", "Sherpa plugin", "absent.json"} <= failed
    assert len(failed) == 5
    assert all(text for _, text in table.values())
