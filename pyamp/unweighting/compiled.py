"""The one way in which loops are compiled: cached on disk, without the interpreter lock."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function of arrays and numbers at its first call."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))
