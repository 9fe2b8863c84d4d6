"""Run cards and models for the tests that run Sherpa. Seeds are fixed: a test passes always or never."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyamp.datasets import generate
from pyamp.networks import MLPConfig
from pyamp.training import SigmaNetworkConfig, StageConfig, load_config, train

REFERENCE = Path(__file__).parents[1] / "reference"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder runs the real Sherpa."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.sherpa)


@pytest.fixture(scope="session")
def golden() -> Path:
    """A small trained surrogate, float64: 0.5 % off in the median, x_max = 1.26."""
    return REFERENCE / "models" / "v1" / "gg_to_aag_float64.safetensors"


@pytest.fixture(scope="session")
def rough(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A surrogate that was hardly trained: wrong by tens of percent, with uncertainties that know of it."""
    folder = tmp_path_factory.mktemp("rough")
    dataset = generate("gg_to_aag_lhc13", 3000, folder / "points.h5", importance=0.5)
    sigma = SigmaNetworkConfig(
        network=MLPConfig(hidden=[16]), training=StageConfig(steps=300, learning_rate=1e-2)
    )
    network = MLPConfig(hidden=[24, 24], activation="tanh", initialisation="variance_preserving")
    changes = {
        "network": network,
        "steps": 12,
        "batch_size": 500,
        "validation_interval": 12,
        "test_fraction": 0.2,
        "sigma_network": sigma,
    }
    model = train(dataset, folder / "run", load_config("fast").model_copy(update=changes)).model_path
    assert model is not None
    return model


def selectors(leading: float, subleading: float, gluon: float) -> list[Any]:
    """SELECTORS with the angular cuts of the ready cards and other minimal p_T, GeV."""

    def photons(first: float, second: float) -> dict[str, Any]:
        ranges = [[first, "E_CMS"], [second, "E_CMS"]]
        return {"VariableSelector": {"Variable": "PT", "Flavs": [22], "Ranges": ranges}}

    either = [photons(leading, subleading), photons(subleading, leading)]
    return [
        ["PT", 22, subleading, "E_CMS"],
        {"MinSelector": {"Subselectors": either}},
        ["PT", 21, gluon, "E_CMS"],
        ["Eta", 22, -2.37, 2.37],
        ["Eta", 21, -5, 5],
        ["DR", 22, 22, 0.4, 1000],
        ["DR", 22, 21, 0.4, 1000],
    ]


def process(name: str = "21 21 -> 22 22 21", **keys: Any) -> list[dict[str, Any]]:
    """PROCESSES with one process of the plugin, keys replaced."""
    settings = {
        "Loop_Generator": "PyAmp",
        "Enable_MHV": 10,
        "Order": {"QCD": 3, "EW": 2},
        "Integrator": "PyAmp",
    }
    return [{name: {**settings, **keys}}]


@pytest.fixture
def run_directory(tmp_path: Path) -> Path:
    """An empty folder for one run."""
    return tmp_path / "run"
