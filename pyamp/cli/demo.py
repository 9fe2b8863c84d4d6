"""``pyamp demo``: the whole path once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="directory for everything")] = Path("demo"),
) -> None:
    """Run the whole path once on g g → γ γ g: truth, dataset, training, model file, C++, Sherpa.

    Takes a few minutes on two cores. An interrupted demo continues where it was; remove the directory to start anew.
    """
    from pyamp.demo import run_demo

    run_demo(output)
