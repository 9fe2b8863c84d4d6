"""Sherpa's tree-level generators as truth: the run card, the code that AMEGIC writes, and where both are kept."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from pyamp.amegic import Limits, compile_process
from pyamp.configuration import nearest
from pyamp.errors import PyampError
from pyamp.sherpa import find_sherpa, plugin_path

__all__ = ["GENERATORS", "PREFIX", "cache_folder", "cached_processes", "open_tree_level", "provider_library"]

PREFIX = "sherpa:"
GENERATORS = ("Amegic", "Comix")

_QUARKS = (1, 2, 3, 4, 5)
_CHARGED_LEPTONS = (11, 13)
_NEUTRINOS = (12, 14, 16)
_CARD, _READY, _LOCK = "Sherpa.yaml", "ready", "lock"
_Z_MASS = 91.1876
_OPTIONS = ("timeout_s", "start_timeout_s", "accuracy_limit", "log", "name")
_OWN_OPTIONS = (
    *("process", "generator", "alpha_s_power", "alpha_power", "settings"),
    *("jobs", "write_timeout_s", "compile_timeout_s"),
)


class BlhaProvider(NamedTuple):
    """What the client of BLHA providers needs: ``"blha:LIBRARY"`` and the block of options."""

    source: str
    options: dict[str, Any]


def cache_folder() -> Path:
    """Where run cards and compiled matrix elements are kept: ``$PYAMP_CACHE``, else ``~/.cache/pyamp``."""
    named = os.environ.get("PYAMP_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(named) if named else base / "pyamp").absolute()


def cached_processes(generator: str) -> tuple[list[str], list[str]]:
    """Names of the folders of a generator in :func:`cache_folder`: those that are ready, and unfinished ones."""
    folders = sorted(cache_folder().glob(f"sherpa-*/{generator}_*/"))
    ready = [folder.name for folder in folders if (folder / _READY).exists()]
    return ready, [folder.name for folder in folders if folder.name not in ready]


def provider_library() -> Path:
    """``libpyamp_sherpa.so``, which is installed with the Sherpa plugin.

    Raises
    ------
    PyampError
        It or the plugin is not there.
    """
    library = plugin_path().parent / "libpyamp_sherpa.so"
    if not library.is_file():
        raise PyampError(f"{library}: not found; `make build` builds it with the Sherpa plugin")
    return library


def open_tree_level(
    source: str,
    process: str | None = None,
    generator: str = "Amegic",
    *,
    alpha_s_power: int | None = None,
    alpha_power: int | None = None,
    settings: Mapping[str, Any] | None = None,
    jobs: int = 2,
    write_timeout_s: float = 1800.0,
    compile_timeout_s: float = 4 * 3600.0,
    **options: Any,
) -> BlhaProvider:
    """Make a process of Sherpa ready, compiled where AMEGIC needs it, as a provider for :func:`pyamp.truth`.

    Parameters
    ----------
    source : str
        ``"sherpa:"``, or with the process after it.
    process : str, optional
        PDG ids, ``"21 21 -> 11 -11 21 1 -1"``, unless `source` has it; massless legs only.
    generator : {"Amegic", "Comix"}
        AMEGIC writes C++ that is compiled once (minutes, for eight legs more than half an hour) and is then
        quick; Comix starts at once and sums over the colours one by one, slow for many gluons.
    alpha_s_power, alpha_power : int, optional
        Powers of the couplings in |M|². By default as few of α as leptons and photons allow, and the rest α_s.
    settings : mapping, optional
        Further keys of the run card, such as ``{"PARTICLE_DATA": {23: {"Active": 0}}}`` for no Z boson. Sherpa's
        own defaults otherwise: the Gμ scheme with complex masses, diagonal CKM matrix.
    jobs : int
        Compilers at a time.
    write_timeout_s, compile_timeout_s : float
        Seconds after which Sherpa, which writes AMEGIC's code, and the compilation of that are stopped.
    **options
        Of a BLHA provider: ``timeout_s``, ``start_timeout_s``, ``accuracy_limit``, ``log``, ``name``.

    Raises
    ------
    PyampError
        A malformed process, massive legs, no Sherpa, or a compilation that failed.
    """
    named = source.removeprefix(PREFIX).strip()
    if named and process and named.split() != process.split():
        raise PyampError(f"truth {source!r}: another process {process!r} given; give one of them")
    process = " ".join((process or named).split())
    incoming, outgoing = _legs(process)
    unknown = sorted(set(options) - {*_OPTIONS})
    if unknown:
        known = [*_OPTIONS, *_OWN_OPTIONS]
        raise PyampError(
            f"sherpa: unknown option {unknown[0]!r}; did you mean {nearest(unknown[0], known)!r}?"
        )
    if generator not in GENERATORS:
        raise PyampError(
            f"sherpa: generator {generator!r} found; did you mean {nearest(str(generator), list(GENERATORS))!r}?"
        )
    limits = Limits(write_timeout_s, compile_timeout_s, jobs)
    for key, value in limits._asdict().items():
        if not isinstance(value, int | float) or not value > 0:
            raise PyampError(f"sherpa: {key} is {value!r}, a positive number expected")
    strong, weak = _orders(incoming, outgoing, alpha_s_power, alpha_power)
    card = _run_card(incoming, outgoing, generator, (strong, weak), settings or {})
    folder = _folder(card, generator, process)
    _prepare(folder, card, generator, process, limits)
    library, sherpa = provider_library(), find_sherpa()
    own = {
        "preset": "sherpa",
        "process": process,
        "name": f"{generator.lower()}_" + "_".join(map(str, [*incoming, *outgoing])),
        "alpha_s_power": strong,
        "alpha_power": weak,
        "accuracy": "rotation",
        "order_lines": [f"Extra SherpaCard {folder / _CARD}"],
        "environment": {"SHERPA_SHARE_PATH": str(sherpa / "share" / "SHERPA-MC"), "OMP_NUM_THREADS": "1"},
    }
    return BlhaProvider(f"blha:{library}", {**own, **options})


def _legs(process: str) -> tuple[list[int], list[int]]:
    sides = [side.split() for side in str(process).split("->")]
    try:
        incoming, outgoing = [[int(word) for word in side] for side in sides]
    except ValueError:
        incoming, outgoing = [], []
    if len(incoming) != 2 or len(outgoing) < 2:
        raise PyampError(f"sherpa: process {process!r} found, as in '21 21 -> 11 -11 1 -1' expected")
    charged = (*_QUARKS, *_CHARGED_LEPTONS, *_NEUTRINOS)
    for leg in incoming + outgoing:
        if not (leg in (21, 22) or abs(leg) in charged):
            raise PyampError(
                f"sherpa: particle {leg} in {process!r}; massless legs expected: quarks 1 to 5, leptons 11 to 14 "
                "and 16, 21, 22"
            )
    for leg in incoming:
        if abs(leg) in _NEUTRINOS:
            raise PyampError(f"sherpa: incoming neutrino {leg} in {process!r}; its average is not known here")
    return incoming, outgoing


def _orders(
    incoming: list[int], outgoing: list[int], alpha_s_power: int | None, alpha_power: int | None
) -> tuple[int, int]:
    """Powers of α_s and α in |M|², which add up to the number of legs less two."""
    legs = Counter(abs(leg) for leg in incoming + outgoing)
    total = len(incoming) + len(outgoing) - 2
    leptons = sum(n for leg, n in legs.items() if 11 <= leg <= 16)
    weak = min(legs[22] + leptons, total) if alpha_power is None else int(alpha_power)
    if alpha_power is None and alpha_s_power is not None:
        weak = total - int(alpha_s_power)
    strong = total - weak if alpha_s_power is None else int(alpha_s_power)
    if strong < 0 or weak < 0 or strong + weak != total:
        raise PyampError(
            f"sherpa: alpha_s_power {strong} and alpha_power {weak} found; together {total} expected at tree level"
        )
    return strong, weak


def _run_card(
    incoming: list[int],
    outgoing: list[int],
    generator: str,
    orders: tuple[int, int],
    settings: Mapping[str, Any],
) -> str:
    if "PROCESSES" in settings:
        raise PyampError("sherpa: settings have PROCESSES, which pyamp writes itself")
    ids = [" ".join(map(str, side)) for side in (incoming, outgoing)]
    card = {
        "BEAMS": incoming,
        "BEAM_ENERGIES": 500.0,
        "PDF_LIBRARY": "None",
        "EVENTS": 0,
        "INIT_ONLY": 2,
        "ME_GENERATORS": [generator],
        "ALPHAS(MZ)": 0.118,
        "SCALES": f"VAR{{{_Z_MASS**2}}}",
        **settings,
        "PROCESSES": [
            {
                " -> ".join(ids): {
                    "Order": {"QCD": orders[0], "EW": orders[1]},
                    "Integrator": "Rambo",
                }
            }
        ],
    }
    try:
        return yaml.safe_dump(card, sort_keys=False)
    except yaml.YAMLError:
        raise PyampError("sherpa: settings must be made of mappings, lists, numbers and strings") from None


def _version(sherpa: Path) -> str:
    text = (sherpa / "share" / "SHERPA-MC" / "SHERPA-MCConfig.cmake").read_text()
    found = re.search(r"SET\(SHERPA-MC_VERSION ([0-9.]+)\)", text)
    return found[1] if found else "unknown"


def _folder(card: str, generator: str, process: str) -> Path:
    legs = "_".join(process.replace("->", "to").split())
    key = hashlib.sha256(card.encode()).hexdigest()[:12]
    return cache_folder() / f"sherpa-{_version(find_sherpa())}" / f"{generator}_{legs}_{key}"


@contextmanager
def _locked(folder: Path, seconds: float) -> Iterator[int]:
    """Keeps out other processes, and gives the lock's descriptor; the workers take it while Sherpa starts."""
    with (folder / _LOCK).open("w") as lock:
        told, start = False, time.monotonic()
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                pass
            waited = time.monotonic() - start
            if waited > seconds:
                raise PyampError(
                    f"{folder}: another process has prepared it for {seconds:g} s and holds its lock"
                )
            if waited > 1.0 and not told:
                told = True
                print(f"pyamp: waits for another process that prepares {folder}", file=sys.stderr)
            time.sleep(0.1)
        yield lock.fileno()


def _prepare(folder: Path, card: str, generator: str, process: str, limits: Limits) -> None:
    if (folder / _READY).exists():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder, limits.write_timeout_s + limits.compile_timeout_s) as lock:
            if (folder / _READY).exists():
                return
            (folder / _CARD).write_text(card)
            if generator == "Amegic":
                compile_process(folder, _CARD, process, limits, lock)
            (folder / _READY).touch()
    except OSError as error:
        raise PyampError(
            f"{folder}: {error.strerror or error}; PYAMP_CACHE names another folder for compiled matrix elements"
        ) from None
