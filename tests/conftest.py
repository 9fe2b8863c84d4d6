"""Points and models that several tests share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pyamp.phase_space import PhaseSpace
from tests.support import write_random_model


@pytest.fixture(scope="session")
def momenta() -> np.ndarray:
    """500 points of gg → γγg at 1 TeV inside the cuts, (500, 5, 4)."""
    return PhaseSpace("gg_to_aag_1tev").sample(500, seed=2).momenta


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory, momenta: np.ndarray) -> Path:
    """Model file of a random float64 surrogate."""
    path = tmp_path_factory.mktemp("models") / "random.safetensors"
    write_random_model(path, momenta)
    return path
