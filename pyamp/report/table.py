"""The table of speed factors: one row for every file of events, or row of a benchmark."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyamp.errors import PyampError


@dataclass(frozen=True)
class Column:
    """A column: its key in a row, its heading, what its numbers are multiplied with, and whether a line precedes it."""

    key: str
    heading: str
    scale: float = 1.0
    bar: bool = False


COLUMNS = (
    Column("name", "events"),
    Column("process", "process"),
    Column("mode", "mode"),
    Column("t_me_ms", "t_ME/µs", 1e3, bar=True),
    Column("t_ps_ms", "t_PS/µs", 1e3),
    Column("epsilon_full", "ε_full/%", 100),
    Column("t_surr_ms", "t_surr/µs", 1e3, bar=True),
    Column("x_max", "x_max"),
    Column("epsilon_1st", "ε_1st/%", 100),
    Column("epsilon_2nd", "ε_2nd/%", 100),
    Column("mean_p", "⟨p⟩"),
    Column("n_eff_over_n", "N_eff/N", bar=True),
    Column("f_eff", "f_eff"),
    Column("f_eff_limit", "limit, two stages"),
    Column("f_eff_limit_roulette", "limit, roulette"),
)


@dataclass(frozen=True)
class Cell:
    """A cell: as it is shown, and its number unrounded in the unit of the row."""

    key: str
    value: Any
    text: str
    bar: bool


def cells(row: Mapping[str, Any]) -> list[Cell]:
    """The cells of a row of speed factors."""
    result = []
    for column in COLUMNS:
        value = row.get(column.key)
        error = row.get(f"{column.key}_err") or 0.0
        if isinstance(value, int | float):
            text = with_error(value * column.scale, error * column.scale)
        else:
            text = value or "–"
        result.append(Cell(column.key, "" if value is None else value, text, column.bar))
    return result


def with_error(value: float, error: float) -> str:
    """1.234(5) for 1.234 +- 0.005; four digits where there is no error."""
    if not error > 1e-9 * abs(value):  # or one of rounding
        return f"{value:.4g}"
    decimals = max(0, -math.floor(math.log10(error)))
    if round(error, decimals) >= 10 ** (1 - decimals):  # 0.096 is 0.1
        decimals = max(0, decimals - 1)
    digits = round(error * 10**decimals)
    return f"{value:.{decimals}f}({digits})"


def rows_of_benchmark(path: Path) -> list[dict[str, Any]]:
    """Rows of the record of ``benchmarks/f_eff.py``.

    Raises
    ------
    PyampError
        If it is none.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["name"] != "f_eff":
            raise PyampError(f"{path}: record of {record['name']!r} found, of 'f_eff' expected")
        return [{"name": path.name} | row for row in record["rows"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PyampError(f"{path}: no record of benchmarks/f_eff.py ({error})") from None
