"""``pyamp calibrate``: do the uncertainties of a model file mean what they say?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from pyamp.calibration import CalibrationReport, PullSummary
    from pyamp.calibration.run import Calibration

# Attribute of a pull summary, its meaning, and what the standard normal gives.
_PULL_ROWS = (
    ("mean", "mean", "0"),
    ("core_width", "width of the central 68.27 %", "1"),
    ("rms", "RMS", "1"),
    ("coverage68", "within 1σ", "0.6827"),
    ("coverage95", "within 2σ", "0.9545"),
    ("beyond_3", "beyond 3σ", "0.0027"),
    ("beyond_5", "beyond 5σ", "5.7e-07"),
)


def calibrate(
    model: Annotated[Path, typer.Argument(help="model file NAME.safetensors")],
    dataset: Annotated[Path, typer.Argument(help="HDF5 file with points that the model was not trained on")],
    output: Annotated[Path, typer.Option("--output", "-o", help="directory of the results")] = Path(
        "calibration"
    ),
    recalibrate: Annotated[
        str | None, typer.Option(help="correct the uncertainties: scale or isotonic", metavar="KIND")
    ] = None,
    fraction: Annotated[
        float, typer.Option(help="share of the points that the correction is fitted on")
    ] = 0.5,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N")] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="print the results as JSON")] = False,
) -> None:
    """Compare the uncertainties of a model with its true errors: pulls, coverage, reliability.

    The points must not have been trained on: a surrogate errs less there, and
    would look better calibrated than it is. Of the dataset that the model was
    trained on, the test split is taken. A dataset with the same process and
    --seed as that one, but with another number of points, begins with the
    same points: generate with another seed. Larger ones are recognised and
    refused, smaller ones cannot be.

    OUTPUT gets calibration.json and calibration.png. With --recalibrate, the
    first part of the points (--fraction) fixes a correction of both
    uncertainties, the tables show before and after on the other part, and
    OUTPUT gets NAME.recalibrated.safetensors, the same model with the
    correction. scale is one factor; isotonic a monotonic function of σ_tot/A
    that needs 400 points or more.

    Example: pyamp calibrate run/model.safetensors other.h5 --recalibrate isotonic
    """
    from pyamp.calibration.run import calibrate as run_calibration
    from pyamp.configuration import nearest
    from pyamp.errors import PyampError
    from pyamp.recalibration import RecalibrationKind

    kinds = list(get_args(RecalibrationKind))
    if recalibrate is not None and recalibrate not in kinds:
        raise PyampError(
            f"--recalibrate is '{recalibrate}'; did you mean '{nearest(recalibrate, kinds)}'? Known: {', '.join(kinds)}"
        )
    result = run_calibration(
        model,
        dataset,
        output,
        recalibrate=recalibrate,  # type: ignore[arg-type]
        fraction=fraction,
        device=device,
    )
    if as_json:
        print(json.dumps(result.as_dict(), indent=1))
        return
    _print(result, output)


def _print(result: Calibration, output: Path) -> None:
    from rich.console import Console

    console = Console()
    left_out = f"; {result.n_left_out} outside its domain left out" if result.n_left_out else ""
    print(f"{result.model} on {result.n_points} points of {result.dataset} ({result.points}{left_out})")
    console.print(_pull_table("pulls t = (A − A_true)/σ", result.reports))
    if result.recalibrated_reports is None:
        console.print(_reliability_table("width of t_tot in ten quantiles", result.reports["flat"]))
    else:
        console.print(_pull_table("pulls after recalibration", result.recalibrated_reports))
        for when, reports in (("before", result.reports), ("after", result.recalibrated_reports)):
            console.print(_reliability_table(f"width of t_tot in ten quantiles, {when}", reports["flat"]))
        assert result.recalibration is not None
        what = f"scale {result.recalibration['scale']:.4g}" if "scale" in result.recalibration else "isotonic"
        print(f"recalibration: {what}, fitted on {result.n_fitted} other points")
        print(f"model: {result.recalibrated_model}")
    print(f"results: {output / 'calibration.json'}, {output / 'calibration.png'}")


def _pull_table(title: str, reports: dict[str, CalibrationReport]) -> Table:
    from rich.table import Table

    flat, weighted = reports["flat"], reports["amplitude"]
    table = Table(title=title)
    for heading in ("", "normal", "t_syst", "t_stat", "t_tot", "t_tot as the amplitude"):
        table.add_column(heading, justify="right" if heading else "left")
    columns = [flat.pulls["syst"], flat.pulls["stat"], flat.pulls["tot"], weighted.pulls["tot"]]
    for name, text, expected in _PULL_ROWS:
        table.add_row(text, expected, *(_number(summary, name) for summary in columns))
    table.add_row(
        "Kolmogorov–Smirnov distance",
        f"< {flat.ks_limit:.2g}",
        *(_number(summary, "ks_distance") for summary in columns),
    )
    effective = [f"{report.n_eff:.0f}" for report in (flat, flat, flat, weighted)]
    table.add_row("effective points", "", *effective)
    median = (f"{report.accuracy.median_abs_delta:.2e}" for report in (flat, weighted))
    table.add_row("median |A/A_true − 1|", "", "", "", *median)
    return table


def _number(summary: PullSummary | None, name: str) -> str:
    return "no σ" if summary is None else f"{getattr(summary, name):.4g}"


def _reliability_table(title: str, report: CalibrationReport) -> Table:
    from rich.table import Table

    table = Table(title=title)
    table.add_column("")
    table.add_column("from lowest to highest, 1 if calibrated")
    table.add_column("error", justify="right")
    for name, curve in report.reliability.items():
        widths = " ".join(f"{width:5.2f}" for width in curve.core_width)
        table.add_row(name, widths, f"{max(curve.core_width_error):.2f}")
    return table
