"""``pyamp train``: a dataset to a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def _print_defaults(wanted: bool) -> None:
    if wanted:
        from pyamp.configuration import explained
        from pyamp.training import TrainingConfig

        print(explained(TrainingConfig))
        raise typer.Exit


def train(
    dataset: Annotated[Path, typer.Argument(help="HDF5 file written by 'pyamp generate'")],
    output: Annotated[Path, typer.Option("--output", "-o", help="directory of the run")] = Path("run"),
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="YAML file; --defaults prints one with every key")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="optimiser steps, instead of the configuration's")] = None,
    seed: Annotated[int | None, typer.Option(help="seed of weights and batches")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="continue an interrupted run")] = False,
    _defaults: Annotated[
        bool,
        typer.Option(
            "--defaults",
            is_eager=True,
            callback=_print_defaults,
            help="print every configuration key with its default and meaning, as YAML, and stop",
        ),
    ] = False,
) -> None:
    """Train a surrogate with a learned uncertainty and write its model file.

    The run directory gets model.safetensors, metrics.json, pulls.png, log.csv and TensorBoard events. It can be
    killed at any moment: --resume continues from the last checkpoint and ends with the same weights.

    The configuration chooses representation, target, network, likelihood and posterior independently of each other:

    \b
    network: {type: mlp, hidden: [128, 128, 128], activation: gelu}
    likelihood: {type: heteroskedastic_gaussian}
    posterior: {type: ensemble, members: 8}
    steps: 40000
    """
    from pyamp.cli.report import print_metrics
    from pyamp.configuration import load_yaml, validated
    from pyamp.datasets import Dataset
    from pyamp.training import TrainingConfig
    from pyamp.training import train as run_training

    settings = load_yaml(config, TrainingConfig) if config else TrainingConfig()
    given = {"steps": steps, "seed": seed}
    overrides = {key: value for key, value in given.items() if value is not None}
    settings = validated({**settings.model_dump(), **overrides}, TrainingConfig, "command line")
    result = run_training(Dataset.open(dataset), output, settings, resume=resume, show_progress=True)
    print_metrics(result.metrics)
    print(f"model: {result.model_path}\npulls: {output / 'pulls.png'}")
