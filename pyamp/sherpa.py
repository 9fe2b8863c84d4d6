"""Run Sherpa with the pyamp plugin from Python: a run card in, cross section and summary out."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pyamp.errors import PyampError
from pyamp.paths import tool

REPOSITORY = Path(__file__).parents[1]
CARDS = ("truth", "surrogate", "two_stage", "roulette", "partonic")
PROCESSES = ("gg_to_aag", "gg_to_aagg", "gg_to_eegdd", "gg_to_eeggdd")
SUMMARY = "summary.yaml"
LOG = "sherpa.log"

_TO_BE_COMPILED = "Run './makelibs' there to compile"
_WATCH_S = 0.5


@dataclass(frozen=True)
class SherpaResult:
    """What a run of Sherpa gave.

    Attributes
    ----------
    cross_section_pb, error_pb : float
        Cross section of the events and its statistical error, pb.
    n_events : int
        Events generated.
    wall_s : float
        Time of the whole run, start-up and integration included.
    log : Path
        Sherpa's output.
    summary : dict
        The plugin's summary: ``mode``, ``integration``, ``events``, ``second_stage``, ``gain`` (docs/sherpa.md).
    """

    cross_section_pb: float
    error_pb: float
    n_events: int
    wall_s: float
    log: Path
    summary: dict[str, Any] = field(repr=False)


def find_sherpa() -> Path:
    """Folder of an installed Sherpa: ``$SHERPA_DIR``, else one under ``.sherpa/`` of this folder or the repository.

    Raises
    ------
    PyampError
        There is none; the message says how to get one.
    """
    named = os.environ.get("SHERPA_DIR")
    if named:
        if not (Path(named) / "bin" / "Sherpa").is_file():
            raise PyampError(
                f"SHERPA_DIR={named}: no bin/Sherpa found there; name the folder of an installed Sherpa 3"
            )
        return Path(named).resolve()
    for root in (Path.cwd(), REPOSITORY):
        found = sorted((root / ".sherpa").glob("*/bin/Sherpa"))
        if found:
            return found[-1].parents[1]
    raise PyampError(
        "no Sherpa found; `make build` fetches one, or set SHERPA_DIR to the folder of an installed Sherpa 3"
    )


def plugin_path() -> Path:
    """``libSherpaPyAmp.so`` of this environment; ``$PYAMP_SHERPA_PLUGIN`` names another one.

    Raises
    ------
    PyampError
        It is not there; the message says how to build it.
    """
    path = Path(
        os.environ.get("PYAMP_SHERPA_PLUGIN") or Path(sys.prefix) / "lib" / "pyamp" / "libSherpaPyAmp.so"
    )
    if not path.is_file():
        raise PyampError(f"{path}: no Sherpa plugin found there; `make build` builds and installs it")
    return path.resolve()


def card_path(name: str) -> Path:
    """A ready run card: ``truth``, ``surrogate``, ``two_stage``, ``roulette`` (p p, 13 TeV), ``partonic`` (g g, 1 TeV).

    ``gg_to_aagg``, ``gg_to_eegdd`` and ``gg_to_eeggdd`` are what other processes change in them; Sherpa takes those
    after a card.
    """
    for folder in (Path(sys.prefix) / "share" / "pyamp" / "cards", REPOSITORY / "sherpa_plugin" / "cards"):
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    raise PyampError(f"no run card {name} found; known are {', '.join((*CARDS, *PROCESSES[1:]))}")


def run(
    card: str | Path | Sequence[str | Path],
    directory: str | Path,
    overrides: Mapping[str, Any] | None = None,
    *,
    n_events: int | None = None,
    seed: int | None = None,
    timeout: float | None = None,
) -> SherpaResult:
    """Run Sherpa on a card.

    Parameters
    ----------
    card : str or Path, or several
        The run card, a YAML file; of several, later ones win where they differ.
    directory : str or Path
        Where Sherpa runs; made if it is not there. Holds the card, the overrides, ``sherpa.log``, ``summary.yaml``
        and Sherpa's own files afterwards.
    overrides : mapping, optional
        Settings that win over those of the card, nested as there: ``{"PYAMP": {"X_MAX": 1.2}, "EVENTS": 1000}``.
        Paths in it are relative to `directory`.
    n_events : int, optional
        Number of events instead of the card's.
    seed : int, optional
        Sherpa's RANDOM_SEED.
    timeout : float, optional
        Seconds after which the run is given up.

    Raises
    ------
    PyampError
        Sherpa or the plugin is missing, or Sherpa stopped; the message has Sherpa's own line.
    """
    directory = Path(directory).resolve()
    (directory / SUMMARY).unlink(missing_ok=True)
    settings = {**(overrides or {})}
    settings["PYAMP"] = {**settings.get("PYAMP", {}), "SUMMARY": SUMMARY}
    if n_events is not None:
        settings["EVENTS"] = n_events
    if seed is not None:
        settings["RANDOM_SEED"] = seed
    start = time.perf_counter()
    text = execute(card, directory, settings, timeout=timeout)
    wall_s = time.perf_counter() - start
    log = directory / LOG
    cross_section_pb, error_pb = printed_cross_section(text, log)
    summary = _summary(directory / SUMMARY)
    return SherpaResult(cross_section_pb, error_pb, int(summary["sherpa"]["events"]), wall_s, log, summary)


def execute(
    card: str | Path | Sequence[str | Path],
    directory: str | Path,
    settings: Mapping[str, Any],
    *,
    timeout: float | None = None,
    watch: Callable[[], None] = lambda: None,
) -> str:
    """Run Sherpa with the plugin on its path, whatever the card makes of it.

    Where AMEGIC asks for its code to be compiled, that is done and Sherpa started once more.

    Parameters
    ----------
    card, directory, timeout
        As for :func:`run`.
    settings : mapping
        What wins over the card.
    watch : callable
        Called about twice a second while Sherpa runs.

    Returns
    -------
    str
        What Sherpa printed, without colours.

    Raises
    ------
    PyampError
        Sherpa or the plugin is missing, or Sherpa stopped; the message has Sherpa's own line.
    """
    sherpa, plugin = find_sherpa(), plugin_path()
    cards = [Path(card)] if isinstance(card, str | Path) else [Path(part) for part in card]
    for path in cards:
        if not path.is_file():
            raise PyampError(f"{path}: no such run card")
    directory = Path(directory).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    # Files rather than arguments: on its command line Sherpa rewrites every colon.
    names = [f"card_{k}.yaml" for k in range(len(cards))]
    for path, name in zip(cards, names, strict=True):
        shutil.copyfile(path, directory / name)
    (directory / "overrides.yaml").write_text(yaml.safe_dump(dict(settings), sort_keys=False))
    environment = dict(os.environ)
    environment["LD_LIBRARY_PATH"] = os.pathsep.join(
        [str(plugin.parent), *filter(None, [environment.get("LD_LIBRARY_PATH")])]
    )
    command = [str(sherpa / "bin" / "Sherpa"), *names, "overrides.yaml"]
    log = directory / LOG
    text = _logged(command, directory, environment, log, timeout, watch)
    if _TO_BE_COMPILED in text:
        environment["SHERPA_CMAKE_PATH"] = str(sherpa / "share" / "SHERPA-MC")
        if "CMAKE" not in environment:
            environment["CMAKE"] = tool("cmake")
        _logged(["./makelibs"], directory, environment, directory / "makelibs.log", timeout, watch)
        text = _logged(command, directory, environment, log, timeout, watch)
    return text


def _logged(
    command: list[str],
    directory: Path,
    environment: Mapping[str, str],
    log: Path,
    timeout: float | None,
    watch: Callable[[], None],
) -> str:
    """What a command printed; its log has it too."""
    name = Path(command[0]).name
    end = None if timeout is None else time.monotonic() + timeout
    try:
        with (
            log.open("w") as output,
            subprocess.Popen(
                command,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            try:
                while process.poll() is None:
                    if end is not None and time.monotonic() > end:
                        raise PyampError(f"{log}: {name} was given up after {timeout:.0f} s")
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(_WATCH_S)
                    watch()
            finally:
                process.kill()
    except OSError as error:
        raise PyampError(f"{command[0]}: cannot be run ({error})") from None
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", log.read_text(errors="replace"))
    if process.returncode != 0:
        raise PyampError(f"{name} stopped with exit code {process.returncode}: {_reason(text)} (log: {log})")
    return text


def run_card(
    mode: str,
    model: str | Path | None,
    directory: str | Path,
    overrides: Mapping[str, Any] | None = None,
    *,
    process: str = PROCESSES[0],
    n_events: int | None = None,
    seed: int | None = None,
    timeout: float | None = None,
) -> SherpaResult:
    """Run one of the ready cards.

    Parameters
    ----------
    mode : str
        Name of the card, see :func:`card_path`.
    model : str or Path or None
        The model file; None if the card needs none.
    process : str
        ``gg_to_aag``, ``gg_to_aagg``, ``gg_to_eegdd`` or ``gg_to_eeggdd``; the truth of all is built in, and
        another one given as ``overrides={"PYAMP": {"TRUTH": …}}``.
    directory, overrides, n_events, seed, timeout
        As for :func:`run`.
    """
    settings = dict(overrides or {})
    if model is not None:
        settings["PYAMP"] = {"MODEL": str(Path(model).resolve()), **settings.get("PYAMP", {})}
    if process not in PROCESSES:
        raise PyampError(f"process is {process}; the ready run cards know {', '.join(PROCESSES)}")
    cards = [card_path(mode)] + ([] if process == PROCESSES[0] else [card_path(process)])
    return run(cards, directory, settings, n_events=n_events, seed=seed, timeout=timeout)


def _reason(text: str) -> str:
    """The line with which Sherpa stopped: the plugin's, else that of Sherpa's exception, else its last words."""
    own = re.findall(r"^pyamp: (?!note: |warning: |MODE |summary, )(.+)$", text, re.MULTILINE)
    if own:
        return str(own[-1])
    thrown = re.findall(r" thrown.*:\s*\n\s*(.+)$", text, re.MULTILINE)
    if thrown:
        return str(thrown[-1])
    words = [line.strip() for line in text.splitlines() if line.strip()]
    return words[-1] if words else "it printed nothing"


def printed_cross_section(text: str, log: Path) -> tuple[float, float]:
    """Cross section and error, pb, in what a run of Sherpa printed."""
    number = r"([0-9.]+(?:e[+-]?[0-9]+)?)"
    found = re.findall(rf"Nominal\s+{number}\s+[0-9.]+ %\s+{number}\s", text)
    if not found:
        raise PyampError(f"{log}: no cross section found; the run ended early, or printed in another format")
    return float(found[-1][0]), float(found[-1][1])


def _summary(path: Path) -> dict[str, Any]:
    try:
        summary = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise PyampError(f"{path}: cannot read the summary of the run ({error})") from None
    if not isinstance(summary, dict):
        raise PyampError(
            f"{path}: the summary of the run is empty; was a process with Loop_Generator: PyAmp run?"
        )
    return summary
