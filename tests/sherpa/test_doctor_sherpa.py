"""Does ``pyamp doctor`` see whether Sherpa's tree level works, and which Sherpa it is bound to?"""

from __future__ import annotations

from pathlib import Path

import pytest

from pyamp.sherpa import find_sherpa
from tests.python.test_doctor import rows

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYAMP_CACHE", str(tmp_path / "cache"))


def tree_level() -> tuple[str, str]:
    code, table = rows()
    status, text = table["Sherpa tree level"]
    assert (code == 1) == (status == "FAIL")
    return status, text


def test_comix_answers() -> None:
    status, text = tree_level()
    assert status == "ok"
    assert text.startswith("Sherpa-Comix 3.")
    assert text.endswith(f"agrees at one point, bound to {find_sherpa()}")


def test_another_sherpa_than_the_one_it_is_bound_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bound = find_sherpa()
    other = tmp_path / "other"
    (other / "bin").mkdir(parents=True)
    (other / "bin" / "Sherpa").symlink_to(bound / "bin" / "Sherpa")
    monkeypatch.setenv("SHERPA_DIR", str(other))
    status, text = tree_level()
    assert status == "FAIL"
    assert f"bound to {bound}" in text
    assert f"`make build SHERPA_DIR={other}` binds it again" in text


@pytest.mark.parametrize(
    ("content", "status", "complaint"),
    [(None, "--", "libpyamp_sherpa.so: not found"), ("no library", "FAIL", "ldd names no libSherpaMain")],
)
def test_library_that_is_missing_or_broken(
    content: str | None, status: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "libSherpaPyAmp.so").touch()
    if content is not None:
        (tmp_path / "libpyamp_sherpa.so").write_text(content)
    monkeypatch.setenv("PYAMP_SHERPA_PLUGIN", str(tmp_path / "libSherpaPyAmp.so"))
    found = tree_level()
    assert found[0] == status
    assert complaint in found[1]
