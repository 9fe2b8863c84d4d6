"""The C++ that AMEGIC writes for a process: written by Sherpa, compiled by CMake and Ninja, within limits of time."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pyamp.errors import PyampError
from pyamp.paths import tool
from pyamp.sherpa import REPOSITORY, find_sherpa

__all__ = ["Limits", "compile_process"]

_POLL_S = 0.2
_REPORT_S = 60.0
_GRACE_S = 5.0


class Limits(NamedTuple):
    """Seconds for Sherpa to write the code and for the compilers, and compilers at a time."""

    write_timeout_s: float
    compile_timeout_s: float
    jobs: int


def compile_process(folder: Path, card: str, process: str, limits: Limits, lock: int) -> None:
    """Let Sherpa write what AMEGIC needs under `folder` and compile it.

    Parameters
    ----------
    folder : Path
        Where the run card lies.
    card : str
        Its name.
    process : str
        For messages.
    limits : Limits
        When to give up.
    lock : int
        File descriptor of the lock of `folder`. Sherpa and the compilers hold it as well, so that the folder stays
        locked while any of them lives, also after the death of this process.

    Raises
    ------
    PyampError
        AMEGIC wrote nothing, a tool is missing, the code did not compile, or the time was up.
    """
    console = Console(file=sys.stderr)
    console.print(
        f"pyamp: AMEGIC writes and compiles {process}, once; kept in {folder}", markup=False, soft_wrap=True
    )
    written, build = folder / "Process", folder / "build"
    for old in (written, build):
        shutil.rmtree(old, ignore_errors=True)
    sherpa = find_sherpa()
    log = folder / "sherpa.log"
    log.unlink(missing_ok=True)
    with _progress(console, "AMEGIC writes code") as report:
        command = [str(sherpa / "bin" / "Sherpa"), card]
        try:
            code = _run(
                command, folder, log, limits.write_timeout_s, lock, lambda: report(_count(written), None)
            )
        except TimeoutError:
            raise PyampError(
                f"sherpa: AMEGIC still wrote code for {process!r} after {limits.write_timeout_s:g} s, "
                f"{_count(written)} files, and was stopped; a larger write_timeout_s gives it time; see {log}"
            ) from None
    if code != 0 or not any((written / "Amegic").glob("P*_*")):
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        raise PyampError(f"sherpa: AMEGIC wrote no code for {process!r} ({how}); {log} says why")
    log = folder / "compilation.log"
    log.unlink(missing_ok=True)
    configure = [
        *(tool("cmake"), "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}"),
        *("-S", str(_amegic_project()), "-B", str(build)),
        *(f"-DPROCESS_FOLDER={folder}", f"-DSHERPA_DIR={sherpa}"),
    ]
    compilation = [tool("ninja"), "-C", str(build), f"-j{limits.jobs}"]
    end = time.monotonic() + limits.compile_timeout_s
    with _progress(console, "compiling") as report:
        try:
            for command in (configure, compilation):
                left = end - time.monotonic()
                if _run(command, folder, log, left, lock, lambda: report(*_compiled(log))) != 0:
                    raise PyampError(f"sherpa: the code of AMEGIC for {process!r} did not compile; see {log}")
        except TimeoutError:
            done, total = _compiled(log)
            raise PyampError(
                f"sherpa: the code of AMEGIC for {process!r} was not compiled after {limits.compile_timeout_s:g} s, "
                f"{done} of {total or '?'} files, and was stopped; a larger compile_timeout_s or more jobs give it "
                f"time; see {log}"
            ) from None
    shutil.rmtree(build)


def _run(
    command: list[str], folder: Path, log: Path, seconds: float, lock: int, report: Callable[[], None]
) -> int:
    """Exit code of a command that does not outlive this call, whatever ends it.

    Raises
    ------
    TimeoutError
        It took longer than `seconds`.
    """
    end = time.monotonic() + seconds
    with log.open("a") as output:
        # A group of its own: an interrupt reaches pyamp alone, which then ends the whole group.
        child = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[lock],
        )
        try:
            while True:
                try:
                    return child.wait(_POLL_S)
                except subprocess.TimeoutExpired:
                    report()
                if time.monotonic() > end:
                    raise TimeoutError
        finally:
            _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a group with time to end its own: Ninja's compilers have groups of their own."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is not None:
            return
        os.killpg(child.pid, ending)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_S)


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.rglob("*.C"))


def _compiled(log: Path) -> tuple[int, int | None]:
    """What Ninja said last: how many steps of how many are done."""
    found = (
        re.findall(r"^\[(\d+)/(\d+)\]", log.read_text(errors="replace"), re.MULTILINE) if log.exists() else []
    )
    return (int(found[-1][0]), int(found[-1][1])) if found else (0, None)


@contextmanager
def _progress(console: Console, phase: str) -> Iterator[Callable[[int, int | None], None]]:
    """How many files of how many: a bar on a terminal, a line a minute elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(phase, total=None)
        begin = last = time.monotonic()

        def report(done: int, total: int | None) -> None:
            nonlocal last
            bar.update(task, completed=done, total=total)
            if not console.is_terminal and time.monotonic() > last + _REPORT_S:
                last = time.monotonic()
                of = f" of {total}" if total else ""
                console.print(f"pyamp: {phase}: {done}{of} files, {last - begin:.0f} s", markup=False)

        yield report


def _amegic_project() -> Path:
    for folder in (
        Path(sys.prefix) / "share" / "pyamp" / "amegic",
        REPOSITORY / "sherpa_plugin/tree_level/amegic",
    ):
        if (folder / "CMakeLists.txt").is_file():
            return folder
    raise PyampError("sherpa: the CMake project for AMEGIC's code is missing; `make build` installs it")
