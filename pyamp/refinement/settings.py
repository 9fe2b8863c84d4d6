"""What a refinement is asked to do, and when it is done."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from pyamp.errors import PyampError
from pyamp.refinement.measurement import EventAccuracy


@dataclass(frozen=True)
class RefineSettings:
    """How points are chosen; a folder of rounds goes on only with the same.

    Attributes
    ----------
    points_per_round : int
        Evaluations of the truth in a round.
    candidates : int
        Trials of phase space of a round, from which its points are chosen.
    test_points, test_candidates : int
        The same of the test points, if none are given.
    weight_power, sigma_power : float
        Points are chosen in proportion to (event weight)^weight_power · (σ_tot/A)^sigma_power.
    flat_share : float
        Share of the points that is chosen evenly instead.
    warm_start : bool
        Each training begins with the weights of the best round so far.
    seed : int or None
        Of phase space and choice; None: one that the datasets do not have.
    """

    points_per_round: int = 2000
    candidates: int = 1_000_000
    test_points: int = 2000
    test_candidates: int = 2_000_000
    weight_power: float = 1.0
    sigma_power: float = 1.0
    flat_share: float = 0.1
    warm_start: bool = True
    seed: int | None = None

    def __post_init__(self) -> None:
        for name in ("points_per_round", "candidates", "test_points", "test_candidates"):
            if getattr(self, name) < 1:
                raise PyampError(f"{name} is {getattr(self, name)}; expected 1 or more")
        for name in ("weight_power", "sigma_power"):
            if not 0 <= getattr(self, name) <= 2:
                raise PyampError(f"{name} is {getattr(self, name)}; expected a power from 0 to 2")
        if not 0 < self.flat_share <= 1:
            raise PyampError(f"flat_share is {self.flat_share}; expected a share above 0, at most 1")


@dataclass(frozen=True)
class Targets:
    """When to stop; all that are given have to be reached.

    Attributes
    ----------
    epsilon_2nd, mean_p, f_eff, sigma : float or None
        See :class:`EventAccuracy`; ``sigma`` is its mean relative σ.
    truth_budget : int or None
        Evaluations of the truth by this refinement, test points included.
    rounds : int
        Most rounds.
    """

    epsilon_2nd: float | None = None
    mean_p: float | None = None
    f_eff: float | None = None
    sigma: float | None = None
    truth_budget: int | None = None
    rounds: int = 10

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not value > 0:
                raise PyampError(
                    f"{field.name.replace('_', ' ')} is {value}; expected a number above 0 as target"
                )

    def reached(self, measured: EventAccuracy) -> bool:
        """Whether there are targets, all of them reached; what is not known is not."""
        pairs = (
            (measured.epsilon_2nd, self.epsilon_2nd),
            (measured.f_eff, self.f_eff),
            (-measured.mean_p, None if self.mean_p is None else -self.mean_p),
            (-measured.mean_relative_sigma, None if self.sigma is None else -self.sigma),
        )
        asked = [(found, target) for found, target in pairs if target is not None]
        return bool(asked) and all(found is not None and found >= target for found, target in asked)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
