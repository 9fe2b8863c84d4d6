"""Training: configuration, loop, and the run that turns a dataset into a model file."""

from pyamp.training.boosting import BoostingConfig
from pyamp.training.config import TrainingConfig
from pyamp.training.fit import Points, fit, make_surrogate
from pyamp.training.loop import RunFiles, Trainer
from pyamp.training.run import TrainingResult, measure, train
from pyamp.training.sample import Sample
from pyamp.training.sigma_network import SigmaNetworkConfig
from pyamp.training.stage import StageConfig

__all__ = [
    "BoostingConfig",
    "Points",
    "RunFiles",
    "Sample",
    "SigmaNetworkConfig",
    "StageConfig",
    "Trainer",
    "TrainingConfig",
    "TrainingResult",
    "fit",
    "make_surrogate",
    "measure",
    "train",
]
