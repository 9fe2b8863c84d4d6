"""Training: configuration, loop, and the run that turns a dataset into a model file."""

from pyamp.training.boosting import BoostingConfig
from pyamp.training.config import TrainingConfig
from pyamp.training.fit import Points, fit, make_surrogate
from pyamp.training.loop import RunFiles, Trainer
from pyamp.training.recipes import available_recipes, load_config
from pyamp.training.run import TrainingResult, measure, train
from pyamp.training.sample import Sample
from pyamp.training.sigma_network import SigmaNetworkConfig
from pyamp.training.stage import StageConfig
from pyamp.training.sweep import SweepConfig, sweep

__all__ = [
    "BoostingConfig",
    "Points",
    "RunFiles",
    "Sample",
    "SigmaNetworkConfig",
    "StageConfig",
    "SweepConfig",
    "Trainer",
    "TrainingConfig",
    "TrainingResult",
    "available_recipes",
    "fit",
    "load_config",
    "make_surrogate",
    "measure",
    "sweep",
    "train",
]
