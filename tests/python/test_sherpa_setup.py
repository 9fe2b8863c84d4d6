"""Are a missing Sherpa, plugin or card told clearly? No Sherpa is run here."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyamp import sherpa
from pyamp.errors import PyampError


def test_sherpa_dir_without_sherpa(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHERPA_DIR", str(tmp_path))
    with pytest.raises(
        PyampError, match="no bin/Sherpa found there; name the folder of an installed Sherpa 3"
    ):
        sherpa.find_sherpa()


def test_no_sherpa_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SHERPA_DIR", raising=False)
    monkeypatch.setattr(sherpa, "REPOSITORY", tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PyampError, match="no Sherpa found; `make build` fetches one, or set SHERPA_DIR"):
        sherpa.find_sherpa()


def test_sherpa_of_the_current_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".sherpa" / "3.0.3" / "bin").mkdir(parents=True)
    (tmp_path / ".sherpa" / "3.0.3" / "bin" / "Sherpa").touch()
    monkeypatch.delenv("SHERPA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    assert sherpa.find_sherpa() == tmp_path / ".sherpa" / "3.0.3"


def test_no_plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYAMP_SHERPA_PLUGIN", str(tmp_path / "none.so"))
    with pytest.raises(PyampError, match=r"none\.so: no Sherpa plugin found there; `make build`"):
        sherpa.plugin_path()


def test_no_card(tmp_path: Path) -> None:
    with pytest.raises(
        PyampError, match="no run card three_stage found; known are truth, surrogate, two_stage"
    ):
        sherpa.card_path("three_stage")


def test_reason_of_a_stop() -> None:
    """The plugin's line before Sherpa's, that of an exception before the last words."""
    own = "pyamp: note: a gap\n\npyamp: model.safetensors: damaged\nWARNING: ...\n"
    assert sherpa._reason(own) == "model.safetensors: damaged"
    assert (
        sherpa._reason("Fatal error thrown in A::B:\nPDF 'foo' does not exist\nbye\n")
        == "PDF 'foo' does not exist"
    )
    assert sherpa._reason("one\ntwo\n\n") == "two"
