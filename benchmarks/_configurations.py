"""The configurations that accuracy.py measures, process by process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from _studies import GG_TO_AAG, GG_TO_AAGG, Standard

from pyamp.training import TrainingConfig
from pyamp.training.recipes import load_config


@dataclass(frozen=True)
class Entry:
    """A configuration and its training points.

    Attributes
    ----------
    recipe : str or None
        What it starts from; None: the default configuration.
    changes : mapping
        Keys of the training configuration that differ from it.
    importance : float
        Share of the training points that follow the soft and collinear singularities.
    n_train : int or None
        None: the standard number of the process.
    """

    recipe: str | None
    changes: Mapping[str, Any]
    importance: float = 0.5
    n_train: int | None = None

    def config(self, seed: int) -> TrainingConfig:
        base = load_config(self.recipe) if self.recipe else TrainingConfig()
        return TrainingConfig.model_validate({**base.model_dump(), **self.changes, "seed": seed})


@dataclass(frozen=True)
class Floor:
    """A result to beat: a median |Δ| on flat points, and the wall seconds that it took."""

    label: str
    median: float
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """What is compared for a process.

    Attributes
    ----------
    standard : Standard
        The points.
    configurations : mapping of str to Entry
    quick : sequence of str
        Those that --quick takes.
    in_colour : sequence of str
        Those that stand out in the figure.
    floor : Floor or None
    goals : sequence of (label, line style, median |Δ| on flat points)
    """

    standard: Standard
    configurations: Mapping[str, Entry]
    quick: Sequence[str]
    in_colour: Sequence[str]
    floor: Floor | None = None
    goals: Sequence[tuple[str, str, float]] = ()


ORDERED = {"type": "ordered_invariants"}
ORDERED_LINEAR = {"type": "ordered_invariants", "linear": True}
LOG = {"type": "log_invariants"}
LOG_LINEAR = {"type": "log_invariants", "linear": True}
MOMENTA = {"type": "momenta"}
DEEP_SETS = {"type": "deep_sets_invariants"}
MLP = {"type": "mlp"}
WIDE = {"type": "mlp", "hidden": [256] * 3}
GELU = {"type": "mlp", "hidden": [128] * 3, "activation": "gelu", "initialisation": "variance_preserving"}
SLOWER = {"learning_rate": 1e-3}  # where 4e-3 diverges
FINE = {"validation_interval": 10}  # so that the time to an accuracy is known well


def _adam(steps: int, representation: Mapping[str, Any], network: Mapping[str, Any], **changes: Any) -> Entry:
    return Entry(None, {"representation": representation, "network": network, "steps": steps, **changes})


def _gg_to_aag() -> dict[str, Entry]:
    def short(importance: float = 0.5, **changes: Any) -> Entry:
        settings = {
            "steps": 300,
            "batch_size": 1500,
            "damping": (1e-3, 1e-8),
            "sigma_network": load_config("fast").sigma_network,
        }
        return Entry("accurate", {**settings, **changes}, importance)

    def adam(representation: Mapping[str, Any], network: Mapping[str, Any], **changes: Any) -> Entry:
        return _adam(3_000, representation, network, **changes)

    small_lgatr = {"type": "lgatr", "blocks": 2, "multivectors": 8, "scalars": 16, "heads": 4}
    affordable = {"batch_size": 128, "dtype": "float64", "validation_interval": 1000}
    floor = {"network": WIDE, "steps": 60_000, "batch_size": 1024}
    return {
        "accurate": Entry("accurate", {}),
        "accurate_plain": Entry("accurate", {"refit_last_layer": False, "recalibration": None}),
        "accurate_770k": Entry("accurate", {}, n_train=770_000),
        "fast": Entry("fast", FINE),
        "adam": Entry(None, {}, importance=0.0),
        "accurate_flat": Entry("accurate", {}, importance=0.0),
        "fast_flat": Entry("fast", FINE, importance=0.0),
        "fast_momenta": Entry("fast", {"representation": MOMENTA, **FINE}),
        "fast_log": Entry("fast", {"representation": LOG, **FINE}),
        "fast_log_linear": Entry("fast", {"representation": LOG_LINEAR, **FINE}),
        "fast_ordered": Entry("fast", {"representation": ORDERED, **FINE}),
        "short": short(),
        "short_flat": short(importance=0.0),
        "short_ordered": short(representation=ORDERED),
        "short_gelu": short(network=GELU),
        "short_float32": short(dtype="float32", damping=(1e-3, 1e-5)),
        "short_plain": short(refit_last_layer=False),
        "adam_momenta": adam(MOMENTA, MLP),
        "adam_log": adam(LOG, MLP),
        "adam_log_linear": adam(LOG_LINEAR, MLP),
        "adam_ordered": adam(ORDERED, MLP),
        "adam_ordered_linear": adam(ORDERED_LINEAR, MLP),
        "adam_residual": adam(ORDERED, {"type": "mlp", "residual": True}),
        "adam_dsi": adam(DEEP_SETS, {"type": "dsi"}, **SLOWER),
        "adam_fks": adam(LOG, {"type": "fks"}),
        "adam_group_kan": adam(ORDERED, {"type": "group_kan"}, **SLOWER),
        "adam_kan": adam(ORDERED, {"type": "kan"}, **SLOWER),
        "adam_floor": Entry(None, floor, importance=0.0),
        "adam_lgatr": _adam(6_000, {"type": "four_vectors"}, small_lgatr, **affordable, **SLOWER),
    }


def _gg_to_aagg() -> dict[str, Entry]:
    def adam(representation: Mapping[str, Any], network: Mapping[str, Any], **changes: Any) -> Entry:
        return _adam(10_000, representation, network, learning_rate=2e-3, **changes)

    widths = [32, 64, 256, 512, 128, 64, 32]
    paper = {"type": "mlp", "hidden": widths, "initialisation": "variance_preserving"}
    natural = {
        "network": GELU,
        "steps": 1000,
        "batch_size": 1000,
        "learning_rate": 0.1,
        "damping": (1e-1, 1e-3),
    }
    return {
        "paper": _adam(5_000, MOMENTA, paper, **SLOWER),
        "paper_ordered": _adam(5_000, ORDERED, paper, **SLOWER),
        "adam_momenta": adam(MOMENTA, MLP),
        "adam_log": adam(LOG, MLP),
        "adam_ordered": adam(ORDERED, MLP),
        "adam_ordered_linear": adam(ORDERED_LINEAR, MLP),
        "adam_average": adam(ORDERED_LINEAR, MLP, ema_decay=0.999),
        "adam_dsi": _adam(10_000, DEEP_SETS, {"type": "dsi"}, **SLOWER),
        "adam_long": _adam(40_000, ORDERED_LINEAR, MLP, learning_rate=2e-3),
        "adam_wide": adam(ORDERED_LINEAR, WIDE, batch_size=1024),
        "adam_ensemble": adam(ORDERED_LINEAR, MLP, posterior={"type": "ensemble", "members": 4}),
        "natural": Entry("fast", natural),
        "natural_long": Entry("fast", {**natural, "steps": 2500}),
        "natural_five_legs": Entry("fast", FINE),
    }


COMPARISONS = {
    "gg_to_aag": Comparison(
        standard=GG_TO_AAG,
        configurations=_gg_to_aag(),
        quick=(
            "accurate",
            "fast",
            "adam",
            "adam_momenta",
            "adam_ordered",
            "adam_dsi",
            "adam_fks",
            "adam_kan",
        ),
        in_colour=("accurate", "accurate_770k", "accurate_flat", "short", "fast", "adam", "adam_floor"),
        floor=Floor("3×256 GELU, 60,000 Adam steps", 9.4e-5, 854),
        goals=(("goal, 90k points", "--", 2e-5), ("goal, 770k points", ":", 3e-6)),
    ),
    "gg_to_aagg": Comparison(
        standard=GG_TO_AAGG,
        configurations=_gg_to_aagg(),
        quick=("paper", "adam_ordered", "adam_dsi", "natural"),
        in_colour=("paper", "paper_ordered", "adam_ordered", "natural", "natural_long"),
    ),
}
