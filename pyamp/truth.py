"""Exact matrix elements: the truth from which surrogates are trained and by which they are corrected."""

import json
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyamp import _core
from pyamp.errors import PyampError
from pyamp.hosts import TREE, read_provider_card
from pyamp.sherpa_tree_level import PREFIX, open_tree_level

__all__ = ["CouplingOrders", "Truth", "truth"]

Floats: TypeAlias = NDArray[np.float64]
OnFailure: TypeAlias = Literal["raise", "nan"]


class CouplingOrders(NamedTuple):
    """Powers with which |M|² scales: ``alpha_s**alpha_s_power * alpha**alpha_power``."""

    alpha_s_power: int
    alpha_power: int


class Truth:
    """A squared matrix element with its couplings; made by :func:`truth`.

    Values are summed over final and averaged over initial helicities and colours, without factors for
    identical particles: those belong to the phase space.

    Parameters
    ----------
    source : str
        Name of a built-in amplitude, ``"tree:PROCESS"`` or ``"blha:LIBRARY"``.
    alpha_s, alpha : float
        Strong and electromagnetic couplings; positive.
    options : mapping, optional
        Of a BLHA provider or a tree, ``docs/hosts.md``.
    """

    def __init__(
        self, source: str, alpha_s: float, alpha: float, options: Mapping[str, Any] | None = None
    ) -> None:
        for label, value in (("alpha_s", alpha_s), ("alpha", alpha)):
            if not (math.isfinite(value) and value > 0):
                raise PyampError(f"truth: {label} = {value} found, a positive number expected")
        try:
            text = json.dumps(dict(options or {}))
        except TypeError as error:
            raise PyampError(f"truth {source}: options: {error}") from None
        if not source.startswith(("builtin:", "blha:", TREE)):
            source = f"builtin:{source}"
        self._amplitude = _core.Amplitude(source, text)
        self._is_provider = source.startswith("blha:")
        self._no_value = (
            "no value from the provider, which crashed, hung or was inaccurate"
            if self._is_provider
            else "two exactly collinear legs, where the amplitude does not exist"
        )
        self._n_legs = len(self._amplitude.pdg_ids)
        self._orders = CouplingOrders(self._amplitude.alpha_s_power, self._amplitude.alpha_power)
        self.alpha_s = float(alpha_s)
        self.alpha = float(alpha)

    def __repr__(self) -> str:
        return f"Truth({self.process!r}, alpha_s={self.alpha_s!r}, alpha={self.alpha!r})"

    @property
    def process(self) -> str:
        """Name of the process, as in process cards and model files."""
        return self._amplitude.process

    @property
    def pdg_ids(self) -> tuple[int, ...]:
        """PDG ids of the legs, incoming legs first."""
        return tuple(self._amplitude.pdg_ids)

    @property
    def n_incoming(self) -> int:
        """Number of incoming legs."""
        return self._amplitude.n_incoming

    @property
    def n_legs(self) -> int:
        """Number of legs."""
        return self._n_legs

    @property
    def coupling_orders(self) -> CouplingOrders:
        """Powers of α_s and α in |M|²."""
        return self._orders

    @property
    def spin_colour_average(self) -> float:
        """Number of initial helicity and colour states averaged over: 256 for g g."""
        return self._amplitude.spin_colour_average

    @property
    def version(self) -> str:
        """Name and version of the amplitude, for provenance."""
        return self._amplitude.version

    @property
    def clock(self) -> Callable[[], float]:
        """What measures the time of a call: CPU time of the thread, or that of the day where another process works."""
        return time.perf_counter if self._is_provider else time.thread_time

    @overload
    def me2(
        self, momenta: ArrayLike, *, return_accuracy: Literal[False] = ..., on_failure: OnFailure = ...
    ) -> Any: ...
    @overload
    def me2(
        self, momenta: ArrayLike, *, return_accuracy: Literal[True], on_failure: OnFailure = ...
    ) -> tuple[Any, Any]: ...
    def me2(
        self, momenta: ArrayLike, *, return_accuracy: bool = False, on_failure: OnFailure = "raise"
    ) -> Any | tuple[Any, Any]:
        """Squared matrix element, averaged over initial and summed over final helicities and colours.

        Parameters
        ----------
        momenta : array_like
            Shape ``(n, legs, 4)``, or ``(legs, 4)`` for a single point; GeV, ``[E, px, py, pz]``, incoming
            legs first with positive energy, any frame; most precise with the beams exactly along z. Any real
            dtype and strides; computed in float64. Momentum conservation must hold to rounding: a violation
            shows in the value, amplified by about E² over the smallest invariant.
        return_accuracy : bool
            Also return the estimated relative accuracy of every point: the change of the value when the
            point is rotated and its last leg rebuilt from momentum conservation; for ``gg_to_aagg`` at least
            what is left of the 1/ε poles. Doubles the time.
        on_failure : {"raise", "nan"}
            What to do where there is no value: momenta not finite, off-shell or not conserved (by more than
            1e-6 of the largest energy), or an invariant that is exactly 0. By default an error names the
            points; "nan" returns NaN for them.

        Returns
        -------
        me2 : ndarray or float
            Shape ``(n,)``, float64, in GeV^(8 − 2 legs); a float for a single point.
        accuracy : ndarray or float
            Same shape, only with ``return_accuracy``. Infinite where the rotated point failed.

        Raises
        ------
        PyampError
            Wrong shape or dtype, or points without a value.
        """
        couplings = self.alpha_s**self._orders.alpha_s_power * self.alpha**self._orders.alpha_power
        value, accuracy, single = self._evaluate(momenta, return_accuracy, on_failure)
        value *= couplings
        if accuracy is None:
            return float(value[0]) if single else value
        return (float(value[0]), float(accuracy[0])) if single else (value, accuracy)

    def stripped(self, momenta: ArrayLike, *, on_failure: OnFailure = "raise") -> Any:
        """|M|² with the couplings taken out: ``me2 / (alpha_s**3 * alpha**2)`` for ``gg_to_aag``.

        Parameters and errors as for :meth:`me2`.

        Returns
        -------
        ndarray or float
            Shape ``(n,)``, float64, in GeV^(8 − 2 legs); a float for a single point.
        """
        value, _, single = self._evaluate(momenta, False, on_failure)
        return float(value[0]) if single else value

    def helicity_amplitudes_squared(self, momenta: ArrayLike) -> dict[str, Any]:
        """|A_h|² of every helicity configuration, stripped of couplings, constant factors and averages.

        For ``gg_to_aag`` the sum over the 32 configurations, times ``3 π (11/9)²``, is :meth:`stripped`; for
        ``gg_to_aagg``, where |A_h|² is summed over colours, that over the 64, times ``4 π² (11/9)²``; for ``tree:``
        with n gluons, likewise summed, ``(4 π)^(n + 2)`` over :attr:`spin_colour_average` times the sum.

        Parameters
        ----------
        momenta : array_like
            As for :meth:`me2`.

        Returns
        -------
        dict of str to ndarray or float
            Shape ``(n,)`` each, in GeV^(8 − 2 legs); keys such as ``"+-+++"``: helicities of the legs in
            order, all taken as outgoing. NaN for points without a value.
        """
        points, single = self._points(momenta)
        table = self._amplitude.helicity_amplitudes_squared(points)
        names = _core.helicity_names(self._n_legs)
        return {name: float(table[0, k]) if single else table[:, k] for k, name in enumerate(names)}

    def _points(self, momenta: ArrayLike) -> tuple[Floats, bool]:
        """Momenta as a contiguous (n, legs, 4) array, and whether a single point was given."""
        try:
            array = np.asarray(momenta)
        except (TypeError, ValueError, RuntimeError) as error:
            raise self._bad_momenta(f"momenta are not an array ({str(error).splitlines()[0]})") from error
        if array.dtype.kind not in "fiu":
            raise self._bad_momenta(f"momenta of dtype {array.dtype} found")
        if array.ndim not in (2, 3) or array.shape[-1] != 4:
            raise self._bad_momenta(f"momenta of shape {array.shape} found")
        if array.shape[-2] != self._n_legs:
            raise self._bad_momenta(f"{array.shape[-2]} legs found")
        points = np.ascontiguousarray(array, dtype=np.float64)
        return points.reshape(-1, self._n_legs, 4), array.ndim == 2

    def _bad_momenta(self, found: str) -> PyampError:
        shapes = f"({self._n_legs}, 4) or (n, {self._n_legs}, 4)"
        return PyampError(f"truth {self.process}: {found}; real numbers of shape {shapes} expected")

    def _evaluate(
        self, momenta: ArrayLike, return_accuracy: bool, on_failure: OnFailure
    ) -> tuple[Floats, Floats | None, bool]:
        if on_failure not in ("raise", "nan"):
            raise PyampError(f"truth: on_failure = {on_failure!r} found, 'raise' or 'nan' expected")
        points, single = self._points(momenta)
        value, accuracy = self._amplitude.evaluate(points, return_accuracy)
        if on_failure == "raise":
            failed = np.flatnonzero(np.isnan(value))
            if failed.size:
                raise PyampError(self._failure_message(points, failed))
        return value, accuracy, single

    def _failure_message(self, points: Floats, failed: NDArray[np.intp]) -> str:
        first = ", ".join(map(str, failed[:5])) + (", …" if failed.size > 5 else "")
        return (
            f"truth {self.process}: {failed.size} of {len(points)} points failed, index {first}: "
            f"point {failed[0]} has {_fault(points[failed[0]], self.n_incoming) or self._no_value}; "
            "correct the momenta or pass on_failure='nan'"
        )


def _fault(point: Floats, n_incoming: int) -> str:
    """What is wrong with the momenta of a point that has no amplitude, in words; empty if nothing is."""
    if not np.isfinite(point).all():
        return "momenta that are not finite"
    energy = point[:, 0]
    if (energy <= 0).any():
        return f"an energy of {energy.min():g} GeV (all must be positive, incoming ones too)"
    scale = energy.max()
    off_shell = np.abs(energy - np.linalg.norm(point[:, 1:], axis=1)).max() / scale
    violation = np.abs(point[:n_incoming].sum(axis=0) - point[n_incoming:].sum(axis=0)).max() / scale
    if off_shell > 1e-6:
        return f"a leg off its mass shell, E - |p| = {off_shell:.1e} of the largest energy"
    if violation > 1e-6:
        return f"momentum conserved only to {violation:.1e} of the largest energy"
    return ""


def truth(
    name: str = "gg_to_aag", alpha_s: float | None = None, alpha: float | None = None, **options: Any
) -> Truth:
    """Open an exact matrix element: built in, or that of a BLHA one-loop provider or of Sherpa.

    Parameters
    ----------
    name : str
        - ``"gg_to_aag"`` or ``"gg_to_aagg"``: g g → γ γ g or g g → γ γ g g at one loop, squared, five massless
          quarks in the loop and no top. Neither has factors for identical particles: 1/2 for the photons, and
          1/2 for the outgoing gluons of ``gg_to_aagg``.
        - ``"tree:21 21 -> 11 -11 21 1 -1"``: a massless quark line, a pair of leptons by photon and Z, and up to four
          gluons at tree level, in any crossing; built in, by recursion.
        - ``"blha:/path/libNAME.so"``: a provider of the Binoth Les Houches Accord, such as NJet or OpenLoops.
        - ``"sherpa:"``, or with the process right after it ``"sherpa:21 21 -> 11 -11 21 1 -1"``: a tree-level
          process of Sherpa's generators AMEGIC or Comix, in a process of its own.
        - path of a provider card, YAML or JSON, that names one of these.
    alpha_s, alpha : float, optional
        Strong and electromagnetic couplings; those of the card, else 0.118 and 1/137.035999084.
    **options
        Of a BLHA provider (``docs/hosts.md``); they replace those of the block ``blha`` of a card. The
        important ones: ``preset`` ("blha2", "njet", "openloops"), ``process`` ("21 21 -> 22 22 21"), ``order``,
        ``contract``, ``accuracy_limit``, ``isolated``, ``timeout_s``. Of Sherpa: ``process``, ``generator``
        ("Amegic", "Comix"), ``settings`` and the others of :func:`pyamp.sherpa_tree_level.open_tree_level`. Of a tree:
        ``mz``, ``wz``, ``mw``, ``ww``, masses and widths in GeV.

    Returns
    -------
    Truth

    Raises
    ------
    PyampError
        Unknown name (the message lists the known ones), couplings that are not positive numbers, a provider that
        does not start, does not grant the order, or whose conventions are not those that were stated. For Sherpa
        also massive legs, and code of AMEGIC that does not compile.

    Notes
    -----
    ``gg_to_aag``: from the five-gluon one-loop amplitudes of Bern, Dixon and Kosower, arXiv:hep-ph/9302280,
    summed over photon insertions (arXiv:hep-ph/9409393, arXiv:hep-ph/9905283).

    ``gg_to_aagg``: by numerical unitarity (arXiv:hep-th/0412103, arXiv:0704.1835, arXiv:0806.4600); points
    that double precision cannot do are recomputed with twice the digits. See ``docs/physics/gg_to_aagg.md``.

    ``tree:``: off-shell currents (F. A. Berends and W. T. Giele, Nucl. Phys. B306 (1988) 759) shared by all orderings
    and helicities, summed over colours exactly.

    Both loops are finite and leading order: no scale or scheme enters but through α_s.

    Points on which a BLHA provider (arXiv:1308.3462) crashes, hangs or reports an accuracy worse than its
    ``accuracy_limit``, also after a rotation, have no value.
    """
    source = name
    if name.endswith((".yaml", ".yml", ".json")):
        card = read_provider_card(name)
        if card.get("identical_particle_factor"):
            raise PyampError(
                f"{name}: identical_particle_factor is for hosts, a truth never has it; leave it out"
            )
        source = card["source"]
        alpha_s = card.get("alpha_s") if alpha_s is None else alpha_s
        alpha = card.get("alpha") if alpha is None else alpha
        for block, prefix in (("sherpa", PREFIX), ("tree", TREE), ("blha", "blha:")):
            if source.startswith(prefix):
                options = {**(card.get(block) or {}), **options}
            elif card.get(block):
                raise PyampError(
                    f"{name}: {block} is a block for another source than {source!r}; leave it out"
                )
    if source.startswith(PREFIX):
        source, options = open_tree_level(source, **options)
    if options and not source.startswith(("blha:", TREE)):
        raise PyampError(f"truth {name}: options {', '.join(options)} are for BLHA providers and trees only")
    return Truth(
        source, 0.118 if alpha_s is None else alpha_s, 1 / 137.035999084 if alpha is None else alpha, options
    )
