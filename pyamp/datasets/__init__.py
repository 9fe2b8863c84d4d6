"""Datasets: phase-space points with their exact amplitudes, as HDF5 files that say how they were made."""

from pyamp.datasets.dataset import Dataset, DatasetFile, DatasetInfo
from pyamp.datasets.from_sherpa import generate_from_sherpa
from pyamp.datasets.generate import generate
from pyamp.datasets.importance import Importance
from pyamp.datasets.noise import AnyNoiseConfig, NoiseConfig, NoNoise, sigma_noise

__all__ = [
    "AnyNoiseConfig",
    "Dataset",
    "DatasetFile",
    "DatasetInfo",
    "Importance",
    "NoNoise",
    "NoiseConfig",
    "generate",
    "generate_from_sherpa",
    "sigma_noise",
]
