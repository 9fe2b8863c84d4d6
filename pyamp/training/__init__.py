"""Training: configuration, loop, and the run that turns a dataset into a model file."""

from pyamp.training.config import NetworkConfig, PosteriorConfig, TrainingConfig
from pyamp.training.loop import Points, Trainer
from pyamp.training.run import TrainingResult, train

__all__ = [
    "NetworkConfig",
    "Points",
    "PosteriorConfig",
    "Trainer",
    "TrainingConfig",
    "TrainingResult",
    "train",
]
