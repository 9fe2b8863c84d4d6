"""Unweighted events from a surrogate, corrected by the truth, and what is gained by it.

Notation of arXiv:2301.13562: w is the event weight with the true amplitude, s with the surrogate, x = w/s. A point is
accepted with probability min(1, s/s_max), and those accepted once more with min(1, x/x_max); only they need the truth.
What exceeds a maximum is kept as a weight above 1, so the result is unbiased for any surrogate and any maxima.
"""

from pyamp.unweighting.maxima import budget_maximum
from pyamp.unweighting.speed_factors import SpeedFactors, Times, speed_factors
from pyamp.unweighting.two_stage import Events, unweight, unweight_two_stage

__all__ = [
    "Events",
    "SpeedFactors",
    "Times",
    "budget_maximum",
    "speed_factors",
    "unweight",
    "unweight_two_stage",
]
