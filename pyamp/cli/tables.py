"""Tables that several commands print."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

EXPLANATIONS = {
    "median_abs_delta": "median |Δ|",
    "rms_delta": "RMS Δ",
    "q99_abs_delta": "99 % quantile of |Δ|",
    "top1pct_abs_delta": "median |Δ|, 1 % largest amplitudes",
    "top01pct_abs_delta": "median |Δ|, 0.1 % largest amplitudes",
    "pull_width": "pull width (1 if calibrated)",
    "coverage68": "within 1σ (0.683)",
    "coverage95": "within 2σ (0.954)",
}


def print_metrics(metrics: dict[str, Any]) -> None:
    """Accuracy and calibration on the test points, flat in phase space and as the amplitude distributes them."""
    table = Table(title=f"accuracy on {metrics['n_test']} test points, Δ = A/A_true − 1")
    table.add_column("")
    table.add_column("flat", justify="right")
    table.add_column("as the amplitude", justify="right")
    for key, text in EXPLANATIONS.items():
        table.add_row(text, f"{metrics['flat'][key]:.3g}", f"{metrics['amplitude'][key]:.3g}")
    Console().print(table)
    budget = metrics["x_max_overweight_budget"]
    if metrics["x_max"] is None:
        print("x_max of a second stage: none, since some predictions are not positive; target log is, always")
        return
    print(f"x_max of a second stage (overweights hold {budget:.1%} of the weight): {metrics['x_max']:.3f}")


def print_sweep(rows: list[dict[str, Any]]) -> None:
    """The runs of a sweep, best first, and the errors of those that failed."""
    table = Table(title="sweep, on test points flat in phase space")
    table.add_column("run")
    shown = {key: text for key, text in EXPLANATIONS.items() if not key.startswith("top")} | {
        "train_s": "seconds"
    }
    for heading in shown.values():
        table.add_column(heading, justify="right")
    for row in rows:
        values = [f"{row[key]:.3g}" if key in row else "" for key in shown]
        table.add_row(row["run"], *values)
    Console().print(table)
    for row in rows:
        if row["error"]:
            print(f"{row['run']}: {row['error']}")
