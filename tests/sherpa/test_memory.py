"""A grid job with a fused model: what its process loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyamp import sherpa


def test_a_fused_model_leaves_libtorch_out_of_the_process(
    golden: Path, run_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_DEBUG", "files")
    monkeypatch.setenv("LD_DEBUG_OUTPUT", str(tmp_path / "loaded"))
    settings = {"PYAMP": {"OUTSIDE_DOMAIN": "truth"}, "PSI": {"ITMIN": 50}}
    result = sherpa.run_card("surrogate", golden, run_directory, settings, n_events=20, seed=1, timeout=300)
    assert result.summary["integration"]["surrogate_calls"] > 0
    loaded = "".join(path.read_text(errors="replace") for path in tmp_path.glob("loaded.*"))
    assert "libpyamp.so" in loaded
    for name in ("libtorch", "libc10", "libpyamp_torch"):
        assert name not in loaded
