"""Posteriors of the weights: one network, or several whose spread is the statistical uncertainty."""

from pyamp.posteriors.deterministic import Deterministic
from pyamp.posteriors.ensemble import DeepEnsemble
from pyamp.posteriors.posterior import Posterior

__all__ = ["DeepEnsemble", "Deterministic", "Posterior"]
