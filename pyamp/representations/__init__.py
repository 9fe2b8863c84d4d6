"""Representations: momenta to the features that a network sees, and the known factor taken out of the amplitude."""

from pyamp.representations.log_invariants import LegGroup, LogInvariants, Power

__all__ = ["LegGroup", "LogInvariants", "Power"]
