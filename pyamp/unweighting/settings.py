"""What an unweighting is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from pyamp.configuration import nearest
from pyamp.errors import PyampError
from pyamp.unweighting.maximum_rules import MaximumRule
from pyamp.unweighting.roulette import Roulette
from pyamp.unweighting.roulette_choice import N_EFF_OVER_N

Mode = Literal["two_stage", "roulette", "direct"]


@dataclass(frozen=True)
class UnweightingSettings:
    """How to unweight.

    Attributes
    ----------
    mode : {"two_stage", "roulette", "direct"}
        By the surrogate and then the truth over it; by the surrogate, with a few weights corrected by the truth; by the
        truth alone.
    seed : int
        Of all decisions. That on a point depends on it and on the number of the point alone.
    s_max, x_max : MaximumRule
        Maxima of the first stage (in ``direct`` of the only one) and of the second.
    y_max : MaximumRule
        Maximum of the surrogate over a screen, where there is one.
    n_eff_over_n : float
        Effective sample size of events that a roulette must keep, see :func:`choose_roulette`.
    roulette : Roulette, optional
        κ and p_min, instead of chosen ones.
    pilot : int
        Events of the first stage that determine the maxima and the roulette.
    """

    mode: Mode = "two_stage"
    seed: int = 1
    s_max: MaximumRule = MaximumRule()  # noqa: RUF009 (immutable)
    x_max: MaximumRule = MaximumRule()  # noqa: RUF009
    y_max: MaximumRule = MaximumRule()  # noqa: RUF009
    n_eff_over_n: float = N_EFF_OVER_N
    roulette: Roulette | None = None
    pilot: int = 2000

    def __post_init__(self) -> None:
        modes = list(get_args(Mode))
        if self.mode not in modes:
            raise PyampError(
                f"mode is '{self.mode}'; did you mean '{nearest(self.mode, modes)}'? Known: {', '.join(modes)}"
            )
        if not 0 <= self.seed < 2**63:
            raise PyampError(f"seed is {self.seed}; expected an integer from 0 to 2^63 - 1")
        if self.pilot < 100:
            raise PyampError(
                f"pilot is {self.pilot}; expected 100 events or more, which determine the maxima"
            )
        if not 0 < self.n_eff_over_n <= 1:
            raise PyampError(f"n_eff is {self.n_eff_over_n}; expected a share above 0, at most 1")

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and strings, to be compared and stored; without `y_max`, which matters with a screen only."""
        fixed = {"kappa": self.roulette.kappa, "p_min": self.roulette.p_min} if self.roulette else {}
        return {
            "mode": self.mode,
            "seed": self.seed,
            "s_max": str(self.s_max),
            "x_max": str(self.x_max),
            "n_eff": self.n_eff_over_n,
            "pilot": self.pilot,
            **fixed,
        }
