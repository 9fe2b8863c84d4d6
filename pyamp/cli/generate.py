"""``pyamp generate``: exact amplitudes on phase-space points, as a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pyamp.errors import PyampError

if TYPE_CHECKING:
    from pyamp.datasets import Dataset

_ALPHA = 1 / 137.035999084


def generate(
    process: Annotated[
        str | None,
        typer.Argument(
            help="name of a process card, or path of a .yaml file of your own",
            show_default="gg_to_aag_lhc13, or what the run card amounts to",
        ),
    ] = None,
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
    alpha: Annotated[float, typer.Option(help="electromagnetic coupling, noted too")] = _ALPHA,
    momenta: Annotated[
        Path | None, typer.Option(help="take the points from a file of LHE or HepMC3 events")
    ] = None,
    from_sherpa: Annotated[
        list[Path] | None,
        typer.Option(help="run card of Sherpa, repeated for several, or a folder of recorded shards"),
    ] = None,
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

    With --from-sherpa CARD, Sherpa's own integrator draws the points and its
    matrix element is the truth: any generator or loop provider that the card
    names. Events are weighted, whatever the card says; phase-space weight,
    parton densities and running couplings are stored with every point. A
    process card beside it narrows legs, energies and cuts down.

    With --momenta FILE the points are those of Les Houches or HepMC3 events.

    Example: pyamp generate gg_to_aag_lhc13 -n 100000 -o aag.h5 -j 2
    Example: pyamp generate --from-sherpa run.yaml -n 100000 -o zj.h5
    """
    import numpy as np

    from pyamp.datasets import generate as generate_dataset
    from pyamp.datasets import generate_from_sherpa

    try:
        if from_sherpa:
            _refuse_options(
                workers=workers != 1,
                importance=importance != 0.0,
                momenta=momenta is not None,
                alpha=alpha != _ALPHA,
            )
            dataset = generate_from_sherpa(
                from_sherpa, points, output, seed, process=process, alpha_s=alpha_s, progress=True
            )
            _report_recorded(dataset, output)
            return
        dataset = generate_dataset(
            process or "gg_to_aag_lhc13",
            points,
            output,
            seed,
            workers,
            alpha_s=alpha_s,
            alpha=alpha,
            importance=importance,
            importance_exponent=importance_exponent,
            importance_legs=importance_legs,  # type: ignore[arg-type]  # refused by name
            momenta=momenta,
            progress=True,
        )
    except KeyboardInterrupt:
        typer.echo("pyamp: interrupted; the same command resumes", err=True)
        raise typer.Exit(130) from None
    info = dataset.info
    _report_head(dataset, output)
    typer.echo(
        f"  relative accuracy: median {np.median(dataset.accuracy):.0e}, worst {dataset.accuracy.max():.0e}; "
        f"{len(dataset.failed_trial)} points failed and were left out"
    )
    typer.echo(f"  per point: amplitude {info.t_me_ms:.2g} ms, phase space {info.t_ps_ms:.2g} ms")


def _refuse_options(**given: bool) -> None:
    for name, is_given in given.items():
        if is_given:
            raise PyampError(
                f"--{name} has no meaning beside --from-sherpa, where the run of Sherpa has its own; drop it"
            )


def _report_head(dataset: Dataset, output: Path) -> None:
    info = dataset.info
    low, high = info.domain["sqrt_s_hat"]
    typer.echo(f"dataset: {output}: {len(dataset)} points of {info.process.name} from {info.n_trials} trials")
    typer.echo(f"  √ŝ from {low:g} to {high:g} GeV, amplitude by {info.provider}")


def _report_recorded(dataset: Dataset, output: Path) -> None:
    import numpy as np

    info = dataset.info
    weights = dataset.me2 * dataset.measure
    cross_section = weights.sum() / info.n_trials
    error = np.sqrt(max((weights**2).sum() - weights.sum() ** 2 / info.n_trials, 0.0)) / info.n_trials
    n_eff = weights.sum() ** 2 / (weights**2).sum()
    _report_head(dataset, output)
    typer.echo(f"  cross section {cross_section:.5g} ± {error:.2g} pb; worth {n_eff:.0f} unweighted events")
    typer.echo(f"  {len(dataset.failed_trial)} events without a positive matrix element were left out")
