"""The whole path in small: what `make demo` runs, with few points, steps and events."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyamp.demo import run_demo
from pyamp.networks import MLPConfig
from pyamp.training import TrainingConfig


@pytest.mark.sherpa
def test_demo_runs_from_truth_to_cross_sections(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = TrainingConfig(network=MLPConfig(hidden=[16]), steps=300, learning_rate=0.01, test_fraction=0.1)
    run_demo(tmp_path, n_points=4000, config=config, n_events=100)
    printed = capsys.readouterr().out
    for text in ("largest deviation from PyTorch", "pull width", "MODE two_stage", "deviation from truth"):
        assert text in printed
    for name in ("points.h5", "run/model.safetensors", "run/pulls.png", "sherpa_two_stage/summary.yaml"):
        assert (tmp_path / name).is_file()
