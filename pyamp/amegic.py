"""The C++ that AMEGIC writes for a process: written by Sherpa, compiled by CMake and Ninja."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pyamp.errors import PyampError
from pyamp.sherpa import REPOSITORY, find_sherpa

__all__ = ["compile_process", "tool"]

_LOG = "sherpa.log"


def compile_process(folder: Path, card: str, process: str, jobs: int) -> None:
    """Let Sherpa write what AMEGIC needs under `folder` and compile it.

    Parameters
    ----------
    folder : Path
        Where the run card lies.
    card : str
        Its name.
    process : str
        For messages.
    jobs : int
        Compilers at a time.

    Raises
    ------
    PyampError
        AMEGIC wrote nothing, a tool is missing, or the code did not compile.
    """
    console = Console(file=sys.stderr)
    console.print(
        f"pyamp: AMEGIC writes and compiles {process}, once; kept in {folder}", markup=False, soft_wrap=True
    )
    shutil.rmtree(folder / "Process", ignore_errors=True)
    shutil.rmtree(folder / "build", ignore_errors=True)
    sherpa = find_sherpa()
    with (folder / _LOG).open("w") as log:
        code = subprocess.run(
            [str(sherpa / "bin" / "Sherpa"), card],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    groups = sorted((folder / "Process" / "Amegic").glob("P*_*"))
    if not groups:
        raise PyampError(
            f"sherpa: AMEGIC wrote no code for {process!r} (exit code {code}); {folder / _LOG} says why"
        )
    build = folder / "build"
    configure = [
        *(tool("cmake"), "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}"),
        *("-S", str(_amegic_project()), "-B", str(build)),
        *(f"-DPROCESS_FOLDER={folder}", f"-DSHERPA_DIR={sherpa}"),
    ]
    with (folder / "compilation.log").open("w") as log:
        done = subprocess.run(configure, stdout=log, stderr=subprocess.STDOUT, check=False).returncode == 0
        done = done and _build([tool("ninja"), "-C", str(build), f"-j{jobs}"], log, console)
    if not done:
        raise PyampError(f"sherpa: the code of AMEGIC for {process!r} did not compile; see {log.name}")
    shutil.rmtree(build)


def _build(command: list[str], log: Any, console: Console) -> bool:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as ninja,
        Progress(*columns, console=console, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("compiling", total=None)
        assert ninja.stdout is not None
        for line in ninja.stdout:
            log.write(line)
            if found := re.match(r"\[(\d+)/(\d+)\]", line):
                bar.update(task, completed=int(found[1]), total=int(found[2]))
    return ninja.returncode == 0


def tool(name: str) -> str:
    """Path of ``cmake`` or ``ninja``: those of this environment, else of the system.

    Raises
    ------
    PyampError
        There is none.
    """
    beside = Path(sys.prefix) / "bin" / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if not found:
        raise PyampError(f"sherpa: {name} not found, which compiles the code of AMEGIC; pip install {name}")
    return found


def _amegic_project() -> Path:
    for folder in (
        Path(sys.prefix) / "share" / "pyamp" / "amegic",
        REPOSITORY / "sherpa_plugin/tree_level/amegic",
    ):
        if (folder / "CMakeLists.txt").is_file():
            return folder
    raise PyampError("sherpa: the CMake project for AMEGIC's code is missing; `make build` installs it")
