"""Neural surrogates for matrix elements that know their own uncertainty."""

from typing import TYPE_CHECKING, Any

from pyamp.errors import PyampError
from pyamp.evaluator import Evaluator, Prediction
from pyamp.hosts import olp_library, provider_card, umami_library
from pyamp.truth import Truth, truth

if TYPE_CHECKING:
    from pyamp.kinematics import invariants

__all__ = [
    "Evaluator",
    "Prediction",
    "PyampError",
    "Truth",
    "invariants",
    "olp_library",
    "provider_card",
    "truth",
    "umami_library",
]


def __getattr__(name: str) -> Any:
    # The Torch operator is loaded when it is asked for: neither truth nor evaluator need Torch in Python.
    if name == "invariants":
        from pyamp.kinematics import invariants

        return invariants
    raise AttributeError(f"module 'pyamp' has no attribute '{name}'")
