"""Neural surrogates for matrix elements that know their own uncertainty."""

from pyamp.errors import PyampError

__all__ = ["PyampError"]
