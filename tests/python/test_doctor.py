"""Does ``pyamp doctor`` say what works, and fail where something does not?"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

import pyamp
import pyamp.paths
from pyamp import _core
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
    for name in (
        "pyamp",
        "truth",
        "LibTorch",
        "UMAMI",
        "madspace",
        "BLHA",
        "AMEGIC",
        "LHE files",
        "card.json",
    ):
        assert table[name][0] == "ok", name
    obstacle = _core.amx_obstacle()
    assert table["AMX"] == (("--", obstacle) if obstacle else ("ok", "tiles of bfloat16, backend 'amx'"))
    assert table["OpenLoops"] == ("--", "$OpenLoopsPath is not set")
    assert "libpyamp_olp.so" in table["BLHA"][1]
    assert table["LHE files"][1] == f"pylhe {version('pylhe')}"
    assert table["Sherpa tree level"][0] in ("ok", "--")


def test_umami_on_a_gpu_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = pyamp.paths.library("pyamp_umami_cuda")
    status, text = rows()[1]["UMAMI on a GPU"]
    if built.is_file():
        assert text.startswith(f"{built}, device CUDA")
    else:
        assert (status, text) == ("--", "pyamp was built without nvcc")
    # A library for the CPU in its place is a broken installation.
    wrong = tmp_path / "libpyamp_umami_cuda.so"
    wrong.symlink_to(pyamp.umami_library())
    monkeypatch.setattr(
        "pyamp.paths.library",
        lambda name: wrong if name == "pyamp_umami_cuda" else built.with_name(f"lib{name}.so"),
    )
    code, table = rows()
    assert code == 1
    assert table["UMAMI on a GPU"] == ("FAIL", f"{wrong}: device 0 found, 1 (CUDA) expected")


def test_amegic_says_what_it_has_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYAMP_CACHE", str(tmp_path))
    done, unfinished = (tmp_path / "sherpa-3.0.3" / f"Amegic_21_21_to_1_-1_{key}" for key in "ab")
    for folder in (done, unfinished):
        folder.mkdir(parents=True)
    (done / "ready").touch()
    status, text = rows()[1]["AMEGIC"]
    assert status == "ok"
    assert text.endswith(f"; 1 compiled (21_21_to_1_-1_a), 1 unfinished in {tmp_path}")
    monkeypatch.setenv("CXX", "no-such-compiler")
    expected = "no C++ compiler: no-such-compiler is not on the PATH; $CXX names another"
    assert rows()[1]["AMEGIC"] == ("--", expected)


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
