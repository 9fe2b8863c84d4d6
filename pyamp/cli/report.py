"""``pyamp report``: tables and figures of unweighted events."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    events: Annotated[
        list[Path], typer.Argument(help="files of 'pyamp unweight'; .json: records of benchmarks/f_eff.py")
    ],
    reference: Annotated[
        Path | None,
        typer.Option(
            help="events or dataset to compare distributions with", show_default="the first of several files"
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="HTML file to write")] = Path("report.html"),
) -> None:
    """Show what a surrogate gains and that its events are right, as one HTML page.

    The page is self-contained: figures are part of it, and lie as PNG in the
    folder OUTPUT_figures beside it as well. It has

    - the table of speed factors: times of truth, phase space and surrogate,
      efficiencies, maxima, N_eff/N, f_eff and its limits;
    - the ratio x = w/s, and weights before and after;
    - with a reference, about ten distributions and their ratios to it, with
      bands for statistical errors, χ² and p-values;
    - f_eff over x_max and over p_min, and where the time goes.

    The direct sample of the same process is a good reference:

    Example: pyamp unweight run/model.safetensors points.h5 --mode direct -o direct.h5
    Example: pyamp report events.h5 --reference direct.h5 -o report.html
    """
    from pyamp.report import write_report

    write_report(events, output, reference)
    typer.echo(f"report: {output}, figures: {output.with_name(output.stem + '_figures')}")
