"""What every benchmark shares: the machine, versions, timing, the JSON record and the table."""

import argparse
import datetime
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
Row = Mapping[str, Any]


def _from_proc(path: str, key: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "unknown")


def machine() -> dict[str, Any]:
    """Processor, cores this process may use, memory, system, GPU, and how busy the machine was."""
    import torch

    return {
        "cpu": _from_proc("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory": _from_proc("/proc/meminfo", "MemTotal"),
        "system": f"{platform.system()} {platform.machine()}, {'-'.join(platform.libc_ver())}",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "load": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Versions of Python, pyamp and what it computes with."""
    packages = ("pyamp", "numpy", "torch", "numba")
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in packages}


def git() -> str:
    """Commit of the source tree, with "-dirty" where files differ from it; "unknown" outside a clone."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def write(path: str | Path, name: str, seed: int | None, quick: bool, rows: Sequence[Row]) -> None:
    """Write the record of a benchmark: rows of flat dictionaries with what is needed to read them later."""
    record = {
        "name": name,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "git": git(),
        "seed": seed,
        "quick": quick,
        "rows": [{key: _plain(value) for key, value in row.items()} for row in rows],
    }
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n")


def print_table(title: str, rows: Sequence[Row], columns: Mapping[str, str]) -> None:
    """Print the rows; columns maps keys to headings, in order."""
    table = Table(title=title)
    for heading in columns.values():
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*(_shown(row.get(key)) for key in columns))
    Console(width=None if os.isatty(1) else 200).print(table)


def parser(description: str | None) -> argparse.ArgumentParser:
    """A command line with what every benchmark takes."""
    result = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    result.add_argument("--quick", action="store_true", help="less of everything")
    result.add_argument("--json", type=Path, metavar="PATH", help="also write the result there")
    return result


def seconds(call: Callable[[], object], repeats: int, at_least: float = 0.02) -> np.ndarray:
    """Seconds per call, ``(repeats,)``: each the mean over as many calls as fill ``at_least`` seconds."""
    call()
    n, elapsed = 1, 0.0
    while True:
        start = time.perf_counter()
        for _ in range(n):
            call()
        elapsed = time.perf_counter() - start
        if elapsed >= at_least:
            break
        n = max(2 * n, int(1.2 * n * at_least / max(elapsed, 1e-9)))
    times = np.empty(repeats)
    for k in range(repeats):
        start = time.perf_counter()
        for _ in range(n):
            call()
        times[k] = (time.perf_counter() - start) / n
    return times


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return str(value)
