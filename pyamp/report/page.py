"""One HTML page of tables and figures, self-contained, and the figures as PNG beside it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import jinja2

from pyamp.errors import PyampError
from pyamp.files import rename_durably, require_parent
from pyamp.report.comparison import Distribution, Sample, compare
from pyamp.report.factors import both_modes, f_eff_over_p_min, f_eff_over_x_max, measured_factors
from pyamp.report.figures import (
    curve_figure,
    distribution_figure,
    ratio_figure,
    timing_figure,
    weight_figure,
)
from pyamp.report.observables import observables_of
from pyamp.report.table import COLUMNS, cells, rows_of_benchmark
from pyamp.unweighting import EventFile
from pyamp.unweighting.event_file import FORMAT
from pyamp.unweighting.event_summary import summary_rows


@dataclass(frozen=True)
class _Figure:
    name: str
    png: bytes
    caption: str

    @property
    def base64(self) -> str:
        return base64.b64encode(self.png).decode("ascii")


@dataclass
class _Section:
    title: str
    summary: list[tuple[str, str]]
    reference: str = ""
    notes: list[str] = field(default_factory=list)
    tests: list[dict[str, Any]] = field(default_factory=list)
    figures: list[_Figure] = field(default_factory=list)


def write_report(
    paths: Sequence[str | Path], output: str | Path, reference: str | Path | None = None
) -> list[dict[str, Any]]:
    """Write the report of files of events.

    Parameters
    ----------
    paths : sequence of path-like
        Files of ``pyamp unweight``; those that end in .json are records of ``benchmarks/f_eff.py``, for the table.
    output : path-like
        HTML file; the figures go to the folder of that name without ``.html`` and with ``_figures``.
    reference : path-like, optional
        Events or dataset that distributions are compared with; by default the first of several files of events.

    Returns
    -------
    list of dict
        Rows of the table of speed factors, as the page has them.

    Raises
    ------
    PyampError
        No files, or none that can be read; a reference of another process.
    """
    output = Path(output)
    require_parent(output)
    records = [Path(path) for path in paths if str(path).endswith(".json")]
    files = {Path(path): EventFile.open(path) for path in paths if not str(path).endswith(".json")}
    if not files and not records:
        raise PyampError("report: no file given; name events of `pyamp unweight`")
    for path, events in files.items():
        if len(events) == 0:
            raise PyampError(f"{path}: no events; unweight more points")
    if reference is None and len(files) > 1:
        reference = next(iter(files))
    other = None if reference is None else _reference(Path(reference))
    rows: list[dict[str, Any]] = []
    sections = []
    for path, events in files.items():
        factors = measured_factors(events)
        names = {"name": path.name, "process": events.info.process.name, "mode": events.info.mode}
        rows.append(names | factors.as_row() | {"x_max": events.info.x_max})
        compared = other if reference is None or path != Path(reference) else None
        sections.append(_section(path, events, compared))
    rows += [row for path in records for row in rows_of_benchmark(path)]
    text = _template().render(
        version=version("pyamp"),
        columns=[(column.heading, column.bar) for column in COLUMNS],
        rows=[cells(row) for row in rows],
        sections=sections,
    )
    _write(output, text, sections)
    return rows


def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.from_string((resources.files("pyamp.report") / "page.html").read_text("utf-8"))


def _write(output: Path, text: str, sections: list[_Section]) -> None:
    folder = output.with_name(output.stem + "_figures")
    folder.mkdir(exist_ok=True)
    for section in sections:
        for figure in section.figures:
            (folder / f"{Path(section.title).stem}_{figure.name}.png").write_bytes(figure.png)
    temporary = output.with_name(output.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    rename_durably(temporary, output)


def _reference(path: Path) -> Sample:
    """Events or a dataset, by what the file says of itself."""
    try:
        with h5py.File(path, "r") as file:
            is_events = file.attrs.get("format") == FORMAT
    except OSError:
        is_events = False  # what is wrong with it, the reader of datasets says
    if is_events:
        return Sample.of_events(EventFile.open(path), path.name)
    return Sample.of_dataset(path)


def _section(path: Path, events: EventFile, reference: Sample | None) -> _Section:
    section = _Section(path.name, summary_rows(events.info))
    info = events.info
    section.figures += [
        _Figure("x", ratio_figure(events), "Truth over surrogate, as often as the first stage accepts it."),
        _Figure("weights", weight_figure(events), "Weights of the pilot's points, and of the events."),
    ]
    if reference is not None:
        _compare(section, events, reference)
    if any(t != t for t in (info.t_me, info.t_ps, info.t_surr)):
        section.notes.append("Times of truth or phase space are not known: no speed factors.")
        return section
    limit = measured_factors(events).as_row()
    over_x_max, over_p_min = f_eff_over_x_max(events), f_eff_over_p_min(events)
    x_max = info.x_max if info.mode == "two_stage" else float("nan")
    section.figures.append(
        _Figure(
            "f_eff_x_max",
            curve_figure(over_x_max, r"$x_\mathrm{max}$", x_max, limit["f_eff_limit"] or float("nan")),
            "Two stages: speed factor over the maximum of the second one, expected by the pilot.",
        )
    )
    largest = limit["f_eff_limit_roulette"] or float("nan")
    section.figures.append(
        _Figure(
            "f_eff_p_min",
            curve_figure(over_p_min, r"$p_\mathrm{min}$", info.p_min, largest),
            "Roulette: speed factor over the smallest probability, expected by the pilot.",
        )
    )
    section.figures.append(
        _Figure("timing", timing_figure(both_modes(events), info.times), "Where the time of one event goes.")
    )
    return section


def _compare(section: _Section, events: EventFile, reference: Sample) -> None:
    same = reference.same_points(events.info)
    section.reference = reference.name
    if same is not None:
        section.notes.append(
            f"The events were drawn from points of {reference.name}: p-values are those of unweighting alone, without "
            "the fluctuations that both share."
        )
    sample = Sample.of_events(events, section.title)
    for observable in observables_of(events.info.process):
        found: Distribution = compare(sample, same or reference, observable, correlated=same is not None)
        section.tests.append(
            {
                "name": observable.name,
                "chi2": found.chi2,
                "n_bins": found.n_bins,
                "p_value": found.p_value,
            }
        )
        section.figures.append(
            _Figure(
                observable.name,
                distribution_figure(found, section.title, reference.name),
                f"{observable.name}: cross section per bin over its width, and ratio; bands are statistical errors.",
            )
        )
