"""``pyamp refine``: the truth where a surrogate limits unweighting, round by round."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pyamp.refinement import Round


def refine(
    model: Annotated[
        Path, typer.Argument(help="directory of a 'pyamp train' run, or a model file: where to begin")
    ],
    data: Annotated[
        Path,
        typer.Option(
            "--data", "-d", help="dataset to train on beside the new points; its card is the process"
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="directory of all rounds")] = Path("refined"),
    points: Annotated[int, typer.Option("--points", "-n", help="evaluations of the truth in a round")] = 2000,
    truth_budget: Annotated[
        int | None,
        typer.Option(help="stop after so many evaluations of the truth, those of the test included"),
    ] = None,
    target_mean_p: Annotated[
        float | None,
        typer.Option(help="stop when a roulette with N_eff/N = 0.99 asks the truth no more often"),
    ] = None,
    target_epsilon_2nd: Annotated[
        float | None, typer.Option(help="stop when the second stage accepts that share")
    ] = None,
    target_f_eff: Annotated[float | None, typer.Option(help="stop at that speed factor")] = None,
    target_sigma: Annotated[
        float | None, typer.Option(help="stop when the mean of σ_tot/A over events is as small")
    ] = None,
    rounds: Annotated[int, typer.Option(help="most rounds")] = 10,
    candidates: Annotated[
        int, typer.Option(help="trials of phase space in a round, from which its points are chosen")
    ] = 1_000_000,
    test: Annotated[
        Path | None, typer.Option(help="dataset to measure on, of another seed; by default one is drawn")
    ] = None,
    test_points: Annotated[
        int, typer.Option(help="of the test that is drawn, as events are distributed")
    ] = 2000,
    config: Annotated[
        str | None,
        typer.Option("--config", "-c", help="recipe or YAML file", show_default="that of the model"),
    ] = None,
    weight_power: Annotated[float, typer.Option(help="points follow (event weight)^this …")] = 1.0,
    sigma_power: Annotated[float, typer.Option(help="… times (σ_tot/A)^this")] = 1.0,
    flat_share: Annotated[
        float, typer.Option(help="share of the points that are chosen evenly instead")
    ] = 0.1,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="random weights in every round, not those of the last")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(help="of phase space and choice", show_default="one of its own")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", "-j", help="threads for the truth")] = 1,
) -> None:
    """Ask the truth where the surrogate limits unweighting, and train with it, round by round.

    Unweighting wants a surrogate that is right where events lie, at the
    largest event weights. Each round draws cheap points of phase space,
    evaluates the surrogate with its uncertainty on all, chooses a few at
    random in proportion to event weight × σ_tot/A, asks the truth at these
    alone, trains on all points so far, and measures on a test that is
    distributed as events are. The points' weights know how they were chosen.

    It stops when all targets that are given are reached, or the budget is
    spent, or after --rounds. Killed at any moment, the same command goes on,
    and so it does with other targets or a larger budget.

    OUTPUT gets model.safetensors (of the best round), data.h5 (all points),
    history.json and history.png, and a directory for each round.

    Example: pyamp refine run --data aag.h5 --target-mean-p 0.01 --truth-budget 20000
    """
    from pyamp.refinement import RefineSettings, Targets
    from pyamp.refinement import refine as run_refinement
    from pyamp.refinement.report import plot_rounds
    from pyamp.training import load_config

    settings = RefineSettings(
        points_per_round=points,
        candidates=candidates,
        test_points=test_points,
        weight_power=weight_power,
        sigma_power=sigma_power,
        flat_share=flat_share,
        warm_start=not from_scratch,
        seed=seed,
    )
    targets = Targets(
        epsilon_2nd=target_epsilon_2nd,
        mean_p=target_mean_p,
        f_eff=target_f_eff,
        sigma=target_sigma,
        truth_budget=truth_budget,
        rounds=rounds,
    )
    try:
        result = run_refinement(
            model,
            data,
            output,
            targets,
            settings,
            config=load_config(config) if config else None,
            test=test,
            workers=workers,
            show_progress=True,
            after_round=lambda done: typer.echo(_line(done[-1]), err=True),
        )
    except KeyboardInterrupt:
        typer.echo("pyamp: interrupted; the same command goes on", err=True)
        raise typer.Exit(130) from None
    plot_rounds(output / "history.png", result.rounds, f"{data}: points chosen round by round")
    _print(result.rounds, result.best)
    reasons = {
        "targets": "all targets reached",
        "truth_budget": "the budget of the truth is spent",
        "rounds": "all rounds done",
    }
    print(f"stopped: {reasons[result.stopped]}")
    print(f"model: {output / 'model.safetensors'} (round {result.best.number})")
    print(f"history: {output / 'history.json'}, {output / 'history.png'}; all points: {output / 'data.h5'}")


def _line(done: Round) -> str:
    m = done.measured
    return (
        f"round {done.number}: {done.n_truth} evaluations, median |Δ| {m.median_abs_delta:.2g}, "
        f"ε_2nd {m.epsilon_2nd:.4f}, mean p {m.mean_p:.3g}"
    )


def _print(rounds: list[Round], best: Round) -> None:
    from rich.console import Console
    from rich.table import Table

    n_eff = rounds[0].measured.n_eff
    table = Table(title=f"on test points worth {n_eff:.0f} events; mean p at N_eff/N = 0.99")
    rows = [_row(r) for r in rounds]
    for heading in rows[0]:
        table.add_column(heading, justify="right")
    for r, row in zip(rounds, rows, strict=True):
        table.add_row(*row.values(), style="bold" if r is best else "")
    Console(width=None if Console().is_terminal else 160).print(table)


def _row(r: Round) -> dict[str, str]:
    m = r.measured
    return {
        "round": str(r.number),
        "truth": str(r.n_truth),
        "trained on": str(r.n_train or ""),
        "median |Δ|": f"{m.median_abs_delta:.2e}",
        "99 %": f"{m.q99_abs_delta:.2e}",
        "σ/A": f"{m.mean_relative_sigma:.2e}",
        "pull": f"{m.pull_rms:.2f}",
        "x_max": f"{m.x_max:.4f}",
        "ε_2nd": f"{m.epsilon_2nd:.4f} ± {m.epsilon_2nd_err:.4f}",
        "mean p": f"{m.mean_p:.3g}",
        "f_eff": "" if m.f_eff is None else f"{m.f_eff:.3g}",
    }
