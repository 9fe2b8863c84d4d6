"""``pyamp generate``: exact amplitudes on phase-space points, as a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def generate(
    process: Annotated[
        str, typer.Argument(help="name of a process card, or path of a .yaml file of your own")
    ] = "gg_to_aag_lhc13",
    output: Annotated[Path, typer.Option("--output", "-o", help="HDF5 file to write")] = Path("dataset.h5"),
    points: Annotated[int, typer.Option("--points", "-n", help="number of points within the cuts")] = 100_000,
    seed: Annotated[int, typer.Option(help="seed of the phase space")] = 1,
    workers: Annotated[int, typer.Option("--workers", "-j", help="threads; the content is the same")] = 1,
    importance: Annotated[
        float, typer.Option(help="share of the points where soft and collinear gluons make it large; 0: flat")
    ] = 0.0,
    importance_exponent: Annotated[float, typer.Option(help="power of ŝ/p_T² that these follow")] = 0.6,
    importance_legs: Annotated[
        str, typer.Option(help="gluons, or all outgoing legs: closer to the cross section, more trials")
    ] = "gluons",
    alpha_s: Annotated[float, typer.Option(help="strong coupling, noted in the file")] = 0.118,
    alpha: Annotated[float, typer.Option(help="electromagnetic coupling, noted too")] = 1 / 137.035999084,
) -> None:
    """Evaluate the exact amplitude on phase-space points and write a dataset.

    The process card says which amplitude, which energies and which cuts. With
    pyamp come gg_to_aag_1tev (one partonic energy) and gg_to_aag_lhc13 (all
    that protons at 13 TeV give: take this for event generators).

    Killed at any moment, the same command resumes: finished shards wait in
    OUTPUT.parts until the file is whole. The content depends on the card, the
    number of points, the couplings and the seed alone.

    With --importance 0.5 half of the points follow the soft and collinear
    singularities: better surrogates for cross sections. Every weight knows it.

    Example: pyamp generate gg_to_aag_lhc13 -n 100000 -o aag.h5 -j 2
    """
    import numpy as np

    from pyamp.datasets import generate as generate_dataset

    try:
        dataset = generate_dataset(
            process,
            points,
            output,
            seed,
            workers,
            alpha_s=alpha_s,
            alpha=alpha,
            importance=importance,
            importance_exponent=importance_exponent,
            importance_legs=importance_legs,  # type: ignore[arg-type]  # refused by name
            progress=True,
        )
    except KeyboardInterrupt:
        typer.echo("pyamp: interrupted; the same command resumes", err=True)
        raise typer.Exit(130) from None
    info = dataset.info
    low, high = info.domain["sqrt_s_hat"]
    typer.echo(f"dataset: {output}: {len(dataset)} points of {info.process.name} from {info.n_trials} trials")
    typer.echo(f"  √ŝ from {low:g} to {high:g} GeV, amplitude by {info.provider}")
    typer.echo(
        f"  relative accuracy: median {np.median(dataset.accuracy):.0e}, worst {dataset.accuracy.max():.0e}; "
        f"{len(dataset.failed_trial)} points failed and were left out"
    )
    typer.echo(f"  per point: amplitude {info.t_me_ms:.2g} ms, phase space {info.t_ps_ms:.2g} ms")
