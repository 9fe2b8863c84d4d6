"""The command line: ``pyamp --help``."""

from __future__ import annotations

import signal
import sys

import typer

from pyamp.cli.calibrate import calibrate
from pyamp.cli.demo import demo
from pyamp.cli.doctor import doctor
from pyamp.cli.generate import generate
from pyamp.cli.inspect import inspect
from pyamp.cli.refine import refine
from pyamp.cli.report import report
from pyamp.cli.train import train
from pyamp.cli.unweight import unweight
from pyamp.errors import PyampError

app = typer.Typer(
    name="pyamp",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="""Neural surrogates for matrix elements that know their own uncertainty.

The usual way: [bold]generate[/bold] exact amplitudes, [bold]train[/bold] a surrogate on them, [bold]calibrate[/bold]
its uncertainties, [bold]inspect[/bold] the model file, [bold]unweight[/bold] events with it and [bold]report[/bold]
what that gains. Or load it with pyamp.Evaluator in Python, or name it in a Sherpa run card.""",
)
for command in (generate, train, refine, calibrate, inspect, unweight, report, demo, doctor):
    app.command()(command)


def main() -> None:
    """Run the command line; bad input ends with one line on standard error and exit code 2."""
    # As batch systems end jobs: what was started is ended too, instead of running on by itself.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        app()
    except PyampError as error:
        print(f"pyamp: {error}", file=sys.stderr)
        sys.exit(2)
