"""Training: configuration, loop, and the run that turns a dataset into a model file."""

from pyamp.training.config import SigmaNetworkConfig, StageConfig, TrainingConfig
from pyamp.training.loop import RunFiles, Sample, Trainer
from pyamp.training.run import TrainingResult, make_surrogate, train

__all__ = [
    "RunFiles",
    "Sample",
    "SigmaNetworkConfig",
    "StageConfig",
    "Trainer",
    "TrainingConfig",
    "TrainingResult",
    "make_surrogate",
    "train",
]
