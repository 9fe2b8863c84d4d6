"""Neural surrogates for matrix elements that know their own uncertainty."""

from pyamp.errors import PyampError
from pyamp.truth import Truth, truth

__all__ = ["PyampError", "Truth", "truth"]
