"""Unweighted events from a surrogate, corrected by the truth, and what is gained by it.

Notation of arXiv:2301.13562: w is the event weight with the true amplitude, s with the surrogate, x = w/s. A point is
accepted with probability min(1, s/s_max). Of those accepted, two stages accept once more with min(1, x/x_max); a
roulette evaluates the truth for a few and corrects their weights. What exceeds a maximum is kept as a weight above 1,
so the result is unbiased for any surrogate and any maxima. `docs/unweighting.md` has the formulae.
"""

from pyamp.unweighting.event_file import EventFile, EventInfo
from pyamp.unweighting.events import Events, Totals
from pyamp.unweighting.maxima import budget_maximum
from pyamp.unweighting.maximum_rules import Maximum, MaximumRule
from pyamp.unweighting.pilot import Pilot, run_pilot
from pyamp.unweighting.points import DatasetPoints, PhaseSpacePoints
from pyamp.unweighting.roulette import Roulette, unweight_roulette
from pyamp.unweighting.roulette_choice import RouletteChoice, choose_roulette
from pyamp.unweighting.run import generate_events
from pyamp.unweighting.settings import UnweightingSettings
from pyamp.unweighting.speed_factors import Maxima, SpeedFactors, Times, speed_factors
from pyamp.unweighting.stream import Unweighter
from pyamp.unweighting.two_stage import unweight, unweight_two_stage

__all__ = [
    "DatasetPoints",
    "EventFile",
    "EventInfo",
    "Events",
    "Maxima",
    "Maximum",
    "MaximumRule",
    "PhaseSpacePoints",
    "Pilot",
    "Roulette",
    "RouletteChoice",
    "SpeedFactors",
    "Times",
    "Totals",
    "Unweighter",
    "UnweightingSettings",
    "budget_maximum",
    "choose_roulette",
    "generate_events",
    "run_pilot",
    "speed_factors",
    "unweight",
    "unweight_roulette",
    "unweight_two_stage",
]
