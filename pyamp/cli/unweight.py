"""``pyamp unweight``: unweighted events from a surrogate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pyamp.unweighting import EventInfo


def unweight(
    model: Annotated[Path, typer.Argument(help="model file NAME.safetensors")],
    points: Annotated[
        list[Path] | None,
        typer.Argument(
            help="HDF5 files of 'pyamp generate', read one after the other", show_default="new points"
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="HDF5 file to write")] = Path("events.h5"),
    mode: Annotated[str, typer.Option(help="two_stage, roulette, or direct: the truth alone")] = "two_stage",
    n_points: Annotated[
        int | None, typer.Option("--points", "-n", help="stop after so many points within the cuts")
    ] = None,
    n_events: Annotated[
        int | None, typer.Option("--events", help="stop with the event of that number")
    ] = None,
    process: Annotated[
        str | None,
        typer.Option(
            help="process card of new points, name or .yaml file", show_default="the model's domain"
        ),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(
            help="true amplitude, as pyamp.truth takes it", show_default="that of the points, or of the card"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="seed of all decisions, and of new points")] = 1,
    s_max: Annotated[str, typer.Option(help="rule of the first maximum", metavar="RULE")] = "budget:1e-3",
    x_max: Annotated[str, typer.Option(help="rule of the second maximum", metavar="RULE")] = "budget:1e-3",
    screen: Annotated[
        Path | None,
        typer.Option(help="model file of a cheap surrogate in front of MODEL", metavar="SMALL.safetensors"),
    ] = None,
    y_max: Annotated[
        str | None,
        typer.Option(
            help="rule of the maximum of MODEL over --screen", metavar="RULE", show_default="budget:1e-3"
        ),
    ] = None,
    n_eff: Annotated[float, typer.Option(help="roulette: N_eff/N that it must keep")] = 0.99,
    kappa: Annotated[float | None, typer.Option(help="roulette: p over σ_tot/A, with --p-min")] = None,
    p_min: Annotated[float | None, typer.Option(help="roulette: smallest p, with --kappa")] = None,
    pilot: Annotated[
        int, typer.Option(help="events of the first stage that determine maxima and roulette")
    ] = 2000,
    block_size: Annotated[
        int, typer.Option(help="points in memory at a time; the events are the same")
    ] = 20_000,
) -> None:
    """Unweight points by a surrogate and correct the events by the truth, without bias.

    Points come from datasets, whose amplitudes are the truth, or without any
    from the phase space of the model's domain, or of --process. A weight is
    w = |M|² × phase space with the truth, s with the surrogate, x = w/s.

    two_stage accepts with s/s_max, asks the truth for what is left and accepts
    with x/x_max. roulette asks it with the probability
    p = clip(κ σ_tot/A, p_min, 1) and gives those events the weight
    1 + (x − 1)/p, all others 1. direct accepts with w/w_max.

    The first points are a pilot: they give no events but the maxima, by the
    rules --s-max and --x-max, and κ and p_min, unless --kappa and --p-min fix
    them. Rules: budget:1e-3 (overweights carry that share of the cross section
    in their excess), quantile:0.999 (that share of the events lies below),
    n_eff:0.99 (smallest maximum that keeps N_eff/N), largest. What exceeds a
    maximum stays as a weight above 1.

    With --screen SMALL the model is evaluated only for points that have a chance
    to be accepted: by the weight q with the small model, those with
    u < y_max q/s_max, u being the random number that the point is accepted
    with. y_max is a maximum of s/q from the pilot, by the rule --y-max. The
    events are those without a screen, but where s > y_max q they have a weight
    above 1. It pays if SMALL takes far less time and s/q is nearly the same
    everywhere.

    Outside the domain of the model the truth takes the surrogate's place, x = 1.
    Where the truth has no value the weight is 0, and the point is counted.

    Killed at any moment, the same command resumes: what is done waits in
    OUTPUT.part. The events depend on points, model, options and seed alone.
    Take points that the model was not trained on (another --seed), or the
    maxima come out too small and the gain too large.

    Example: pyamp unweight run/model.safetensors points1.h5 points2.h5 -o events.h5
    Example: pyamp unweight run/model.safetensors --process gg_to_aag_1tev --mode roulette --events 10000
    Example: pyamp unweight large.safetensors points1.h5 --screen small.safetensors
    """
    from pyamp.errors import PyampError
    from pyamp.unweighting import MaximumRule, Roulette, UnweightingSettings, generate_events

    roulette = None
    if kappa is not None or p_min is not None:
        if kappa is None or p_min is None:
            raise PyampError("--kappa and --p-min: one of them found, both expected; give both or neither")
        if mode != "roulette":
            raise PyampError("--kappa and --p-min: have no meaning without --mode roulette; drop them")
        roulette = Roulette(kappa, p_min)
    if y_max is not None and screen is None:
        raise PyampError("--y-max: has no meaning without --screen; give a small model, or drop it")
    settings = UnweightingSettings(
        mode=mode,  # type: ignore[arg-type]  # refused by name
        seed=seed,
        s_max=MaximumRule.parse(s_max),
        x_max=MaximumRule.parse(x_max),
        y_max=MaximumRule.parse(y_max or "budget:1e-3"),
        n_eff_over_n=n_eff,
        roulette=roulette,
        pilot=pilot,
    )
    try:
        events = generate_events(
            model,
            output,
            settings,
            screen=screen,
            datasets=points or [],
            process=process,
            truth=truth,
            n_points=n_points,
            n_events=n_events,
            block_size=block_size,
            progress=True,
        )
    except KeyboardInterrupt:
        typer.echo("pyamp: interrupted; the same command resumes", err=True)
        raise typer.Exit(130) from None
    _print(events.info, output)


def _print(info: EventInfo, output: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from pyamp.unweighting.event_summary import summary_rows

    typer.echo(f"{output}: {info.n_events} events of {info.process.name}, {info.mode}")
    table = Table(show_header=False)
    for name, value in summary_rows(info):
        table.add_row(name, value)
    Console().print(table)
    if (
        info.process.energy.sqrt_s is not None
        and info.process.n_incoming == 2
        and "phase_space" in info.request
    ):
        print("hadron beams without parton densities: weights are with x f(x) = 1")
