"""Active learning: the truth where a surrogate limits unweighting, round by round (`docs/training.md`)."""

from pyamp.refinement.measurement import EventAccuracy, event_accuracy
from pyamp.refinement.run import Refinement, Round, refine
from pyamp.refinement.selection import Selection, select, systematic
from pyamp.refinement.settings import RefineSettings, Targets
from pyamp.unweighting.inclusion import inclusion_probabilities

__all__ = [
    "EventAccuracy",
    "RefineSettings",
    "Refinement",
    "Round",
    "Selection",
    "Targets",
    "event_accuracy",
    "inclusion_probabilities",
    "refine",
    "select",
    "systematic",
]
