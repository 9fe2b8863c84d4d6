"""Events of several phase-space channels or subprocesses, each with maxima of its own.

A maximum for all would be that of the worst of them. With maxima of its own a component c has events that stand for
unit_c each; events of all have the same weight if points are drawn from c in proportion to unit_c, which
`selection_probabilities` gives. Of points that were drawn otherwise the weights differ by component, and stay unbiased.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pyamp.errors import PyampError
from pyamp.unweighting.events import Events
from pyamp.unweighting.maxima import event_weights
from pyamp.unweighting.maximum_rules import MaximumRule

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def component_maxima(
    labels: Sequence[Hashable],
    values: npt.ArrayLike,
    rule: MaximumRule,
    weights: npt.ArrayLike | None = None,
    mapped: Mapping[Hashable, Hashable] | None = None,
) -> dict[Hashable, float]:
    """Maximum of the values of every component.

    Parameters
    ----------
    labels : sequence, length n
        Component of every point: a channel, or a subprocess.
    values, weights : array_like, shape (n,)
        As for :class:`MaximumRule`.
    rule : MaximumRule
    mapped : mapping, optional
        Subprocesses whose amplitude is that of another one, such as ``{"u ubar": "d dbar"}``: their points determine
        one maximum together, and the result has both names.
    """
    v = event_weights("values", values)
    omega = np.ones_like(v) if weights is None else event_weights("weights", weights)
    if len(labels) != len(v):
        raise PyampError(f"{len(v)} values but {len(labels)} labels; expected as many")
    representative = [_representative(label, mapped) for label in labels]
    maxima = {}
    for name in dict.fromkeys(representative):
        of_it = np.array([label == name for label in representative])
        maxima[name] = rule(v[of_it], omega[of_it])
    return {label: maxima[_representative(label, mapped)] for label in dict.fromkeys(labels)}


def selection_probabilities(units: Mapping[Hashable, float]) -> dict[Hashable, float]:
    """How often to draw from every component, so that all events have the same weight.

    Parameters
    ----------
    units : mapping
        What weight 1 stands for in each component whose points are drawn as if it was alone:
        s_max · x_max in two stages, s_max in a roulette.
    """
    for label, unit in units.items():
        if not (np.isfinite(unit) and unit > 0):
            raise PyampError(f"unit of {label!r} is {unit}; expected a positive number")
    total = sum(units.values())
    return {label: unit / total for label, unit in units.items()}


def unweight_mixture(
    labels: Sequence[Hashable],
    probabilities: Mapping[Hashable, float],
    unweight: Callable[[Hashable, IntArray], Events],
) -> Events:
    """Unweight points of several components together.

    Parameters
    ----------
    labels : sequence, length n
        Component of every point.
    probabilities : mapping
        How often points are drawn from each component; they add up to 1.
    unweight : callable
        Events of one component, of its label and the indices of its points, which it counts from 0; by any of the
        functions of this package, with the weights of the component as if it was alone.

    Returns
    -------
    Events
        In the order of the points. The mean over all points of unit × weight is the sum over the components of their
        mean weights.
    """
    if not np.isclose(sum(probabilities.values()), 1.0, rtol=0, atol=1e-9):
        raise PyampError(
            f"probabilities of the components add up to {sum(probabilities.values()):g}; expected 1"
        )
    missing = sorted({repr(label) for label in labels} - {repr(label) for label in probabilities})
    if missing:
        raise PyampError(f"components without a probability: {', '.join(missing)}")
    parts: list[tuple[IntArray, FloatArray, float, int]] = []
    for label, probability in probabilities.items():
        points = np.flatnonzero([other == label for other in labels])
        if len(points) == 0:
            continue
        if not probability > 0:
            raise PyampError(f"component {label!r} has points but the probability {probability}")
        events = unweight(label, points)
        parts.append((points[events.index], events.weight, events.unit / probability, events.n_truth))
    if not parts:
        raise PyampError("no points to unweight")
    unit = max(own for _, _, own, _ in parts)
    index = np.concatenate([points for points, _, _, _ in parts])
    weight = np.concatenate([weight * (own / unit) for _, weight, own, _ in parts])
    order = np.argsort(index, kind="stable")
    return Events(index[order], weight[order], unit, len(labels), sum(n_truth for *_, n_truth in parts))


def _representative(label: Hashable, mapped: Mapping[Hashable, Hashable] | None) -> Hashable:
    seen = [label]
    while mapped and seen[-1] in mapped:
        if mapped[seen[-1]] in seen:
            raise PyampError(f"subprocess {label!r} is mapped to itself")
        seen.append(mapped[seen[-1]])
    return seen[-1]
