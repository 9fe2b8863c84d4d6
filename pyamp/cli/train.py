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
        str | None,
        typer.Option(
            "--config",
            "-c",
            help="YAML file (--defaults prints one with every key), or a recipe: accurate, fast, many_legs",
        ),
    ] = None,
    sweep: Annotated[
        Path | None,
        typer.Option(
            help="train many configurations: YAML file with base, and grid or runs of changes to it"
        ),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", "-j", min=1, help="of --sweep: processes")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="of --sweep: address of a Dask scheduler, instead of own processes")
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

    With --config accurate the mean is exact to 1e-5 in minutes (best on a dataset with --importance 0.5); with
    --config fast to 1e-4 in seconds. --sweep trains a grid of configurations, each in a directory of its own:

    \b
    base: {steps: 10000}
    grid: {network.activation: [gelu, tanh], seed: [1, 2]}
    """
    from pyamp.cli.tables import print_metrics, print_sweep
    from pyamp.configuration import load_yaml, validated
    from pyamp.datasets import Dataset
    from pyamp.errors import PyampError
    from pyamp.training import SweepConfig, TrainingConfig, load_config
    from pyamp.training import sweep as run_sweep
    from pyamp.training import train as run_training

    if sweep:
        if config or steps or seed or resume:
            raise PyampError(
                "--sweep: found with --config, --steps, --seed or --resume; put them under base (runs always resume)"
            )
        rows = run_sweep(
            dataset,
            output,
            load_yaml(sweep, SweepConfig),
            source=str(sweep),
            workers=workers,
            scheduler=scheduler,
            show_progress=True,
        )
        print_sweep(rows)
        print(f"table: {output / 'sweep.csv'}")
        if any(row["error"] for row in rows):
            raise typer.Exit(1)
        return
    settings = load_config(config) if config else TrainingConfig()
    given = {"steps": steps, "seed": seed}
    overrides = {key: value for key, value in given.items() if value is not None}
    settings = validated({**settings.model_dump(), **overrides}, TrainingConfig, "command line")
    result = run_training(Dataset.open(dataset), output, settings, resume=resume, show_progress=True)
    print_metrics(result.metrics)
    if result.model_path:
        print(f"model: {result.model_path}")
    print(f"pulls: {output / 'pulls.png'}")
