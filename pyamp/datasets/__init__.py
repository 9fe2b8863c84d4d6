"""Datasets: phase-space points with their exact amplitudes, as HDF5 files that say how they were made."""

from pyamp.datasets.dataset import Dataset, DatasetInfo
from pyamp.datasets.generate import generate
from pyamp.datasets.importance import Importance

__all__ = ["Dataset", "DatasetInfo", "Importance", "generate"]
