"""``pyamp inspect``: a model file for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def inspect(
    model: Annotated[Path, typer.Argument(help="model file NAME.safetensors")],
    as_json: Annotated[bool, typer.Option("--json", help="print the whole header as JSON")] = False,
) -> None:
    """Show what a model file is: process, domain, network, accuracy, provenance.

    The file is checked completely (hashes, shapes, finite weights, self-test) before anything is shown.
    """
    from pyamp.evaluator import Evaluator

    evaluator = Evaluator(model)
    header = evaluator.header
    if as_json:
        print(json.dumps(header, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=str(model), show_header=False)
    for name, value in _rows(header):
        table.add_row(name, value)
    table.add_row("backend", f"{evaluator.backend}: {evaluator.backend_reason}")
    table.add_row("self-test", f"{len(header['self_test']['amplitude'])} points agree")
    Console().print(table)


def _rows(header: dict[str, Any]) -> list[tuple[str, str]]:
    process, couplings, domain = header["process"], header["couplings"], header["domain"]
    network, training, metrics = header["network"], header["training"], header["metrics"]
    legs = [str(i) for i in process["pdg_ids"]]
    n_in = process["n_incoming"]
    rows = [
        ("process", f"{process['name']}: {' '.join(legs[:n_in])} -> {' '.join(legs[n_in:])}"),
        (
            "amplitude",
            f"|M|² in {header['amplitude']['unit']}, averaged over "
            f"{header['amplitude']['spin_colour_average']:g} initial states, no identical-particle factor",
        ),
        (
            "couplings",
            f"α_s^{couplings['alpha_s_power']} α^{couplings['alpha_power']}, by default α_s = "
            f"{couplings['alpha_s']:g}, 1/α = {1 / couplings['alpha']:.9g}",
        ),
        ("√ŝ", f"{domain['sqrt_s_hat'][0]:g} to {domain['sqrt_s_hat'][1]:g} GeV"),
        *((f"cut {name}", json.dumps(cut)) for name, cut in domain["cuts"].items()),
        ("representation", _representation(header["representation"])),
        ("network", f"{network['type']} {'→'.join(map(str, network['widths']))}, {network['activation']}"),
        ("likelihood", header["likelihood"]["type"]),
        ("posterior", " ".join(str(value) for value in header["posterior"].values())),
        ("dtype", header["dtype"]),
        ("written by", f"pyamp {header['pyamp_version']}"),
    ]
    rows += [(f"training {key}", json.dumps(value)) for key, value in training.items() if key != "config"]
    for key, value in metrics.items():
        if isinstance(value, dict):
            rows += [(f"{key}: {name}", f"{number:.3g}") for name, number in value.items()]
        else:
            rows.append((key, value if isinstance(value, str) else f"{value:.6g}"))
    return rows


def _representation(header: dict[str, Any]) -> str:
    """Its type, and what it has besides."""
    options = ("linear", "energy", "multiparticle", "conjugation", "resonances", "dipoles", "antenna")
    return ", ".join([header["type"], *(name for name in options if header.get(name))])
