"""Rules for maxima of weights, and how well a sample of points determines them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from pyamp.configuration import nearest
from pyamp.errors import PyampError
from pyamp.unweighting.compiled import compiled
from pyamp.unweighting.maxima import budget_maximum, event_weights, maximum_of_sorted

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

Kind = Literal["budget", "quantile", "n_eff", "largest"]


@dataclass(frozen=True)
class Maximum:
    """A maximum and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class MaximumRule:
    """How a maximum follows from a sample of weights; ``MaximumRule.parse("budget:1e-3")``.

    Attributes
    ----------
    kind : {"budget", "quantile", "n_eff", "largest"}
        ``budget``: the excess of the overweights carries a share `value` of the cross section
        (arXiv:2109.11964, :func:`pyamp.unweighting.budget_maximum`). ``quantile``: a share `value` of the events that
        the maximum is for lies below it (arXiv:2301.13562). ``n_eff``: partial unweighting, the smallest maximum that
        keeps N_eff/N at `value`; what exceeds it stays weighted. ``largest``: the largest weight that occurs.
    value : float
        From 0 to below 1 for a budget, above 0 and at most 1 for a quantile and N_eff/N; without meaning for `largest`.
    """

    kind: Kind = "budget"
    value: float = 1e-3

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise PyampError(
                f"maximum: rule {self.kind!r} found; did you mean {nearest(self.kind, list(get_args(Kind)))!r}?"
            )
        inside = 0 <= self.value < 1 if self.kind == "budget" else 0 < self.value <= 1
        if self.kind != "largest" and not inside:
            raise PyampError(f"maximum: {self.kind} of {self.value:g}; expected a share between 0 and 1")

    @classmethod
    def parse(cls, text: str) -> MaximumRule:
        """``budget:1e-3``, ``quantile:0.999``, ``n_eff:0.99`` or ``largest``."""
        kind, _, value = text.partition(":")
        try:
            number = float(value) if value else {"quantile": 0.999, "n_eff": 0.99}.get(kind, 1e-3)
        except ValueError:
            raise PyampError(
                f"maximum: {text!r} found; as budget:1e-3, quantile:0.999, n_eff:0.99 or largest expected"
            ) from None
        return cls(kind, number)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return self.kind if self.kind == "largest" else f"{self.kind}:{self.value:g}"

    def __call__(self, values: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
        """The maximum of the values v ``(n,)``, which occur `weights` ``(n,)`` times each (by default once)."""
        v, omega = _sample(values, weights)
        return float(_maximum(v, omega, _descending(v), self.kind, self.value))

    def with_error(
        self,
        values: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        *,
        n_bootstrap: int = 200,
        seed: int = 1,
    ) -> Maximum:
        """The median of the maxima of resampled samples, and their standard deviation.

        The median of bootstrap replicas is what arXiv:2109.11964 takes: one large weight rules a maximum, but is part
        of 63 % of the replicas only.

        Parameters
        ----------
        values, weights : array_like, shape (n,)
        n_bootstrap : int
            Number of replicas, at least 2.
        seed : int
        """
        if n_bootstrap < 2:
            raise PyampError(f"n_bootstrap is {n_bootstrap}; expected 2 or more replicas")
        v, omega = _sample(values, weights)
        order = _descending(v)
        generator = np.random.default_rng(seed)
        maxima: list[float] = []
        while len(maxima) < n_bootstrap:
            drawn = generator.poisson(1.0, len(v)) * omega
            if (drawn * v).sum() > 0:
                maxima.append(_maximum(v, drawn, order, self.kind, self.value))
        return Maximum(float(np.median(maxima)), float(np.std(maxima, ddof=1)))


def _sample(values: npt.ArrayLike, weights: npt.ArrayLike | None) -> tuple[FloatArray, FloatArray]:
    budget_maximum(values, 0.0, weights)  # refuses what has no maximum
    v = event_weights("values", values)
    return v, np.ones_like(v) if weights is None else event_weights("weights", weights)


def _descending(values: FloatArray) -> IntArray:
    return np.argsort(-values, kind="stable").astype(np.int64)


def _maximum(values: FloatArray, omega: FloatArray, order: IntArray, kind: Kind, value: float) -> float:
    if kind == "quantile":
        return quantile_of_sorted(values, omega, order, value)
    if kind == "n_eff":
        return n_eff_of_sorted(values, omega, order, value)
    return maximum_of_sorted(values, omega, order, value if kind == "budget" else 0.0)


@compiled
def quantile_of_sorted(values: FloatArray, weights: FloatArray, order: IntArray, quantile: float) -> float:
    """The smallest value with at most a share 1 − quantile of Σ ω v above it."""
    total = 0.0
    for i in range(len(values)):
        total += weights[i] * values[i]
    above = 0.0
    for i in order:
        above += weights[i] * values[i]
        if above > (1.0 - quantile) * total:
            return float(values[i])
    return float(values[order[-1]])


@compiled
def n_eff_of_sorted(values: FloatArray, weights: FloatArray, order: IntArray, n_eff_over_n: float) -> float:
    """The smallest m that keeps N_eff/N = m (Σ ω v)² / [Σ ω min(m, v) · Σ ω v max(m, v)], which rises with m."""
    total = 0.0
    for i in range(len(values)):
        total += weights[i] * values[i]
    bound = total * total / n_eff_over_n
    # With N values above m, Σ v² = Q of them and Σ v = B of the others, N_eff/N is kept where (N m + B)(Q + B m) is at
    # most m · bound.
    number = square = 0.0
    below = total
    last = 0.0
    for i in order:
        if weights[i] == 0.0:
            continue
        v = values[i]
        if last > 0.0 and (number * v + below) * (square + below * v) > v * bound:
            # It is kept at `last` and not at v: the smaller root of N B m² + (N Q + B² − bound) m + B Q lies between.
            half = 0.5 * (bound - number * square - below * below)
            root = np.sqrt(max(half * half - number * below * below * square, 0.0))
            return float(min(max(below * square / (half + root), v), last))
        last = float(v)
        number += weights[i]
        square += weights[i] * v * v
        below -= weights[i] * v
    return last
