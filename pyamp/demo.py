"""The whole path once: exact amplitudes → dataset → training → model file → C++ evaluator → Sherpa → f_eff."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from pyamp.cli.tables import print_metrics
from pyamp.datasets import Dataset, generate
from pyamp.errors import PyampError
from pyamp.evaluator import Evaluator
from pyamp.model_file import load_surrogate
from pyamp.networks import MLPConfig
from pyamp.sherpa import SherpaResult, run_card
from pyamp.training import SigmaNetworkConfig, StageConfig, TrainingConfig, load_config, train

PROCESS = "gg_to_aag_lhc13"
N_POINTS = 100_000
IMPORTANCE = 0.5
# The recipe "accurate" with a network small enough to be cheap in an event generator, and in seconds.
CONFIG = load_config("accurate").model_copy(
    update={
        "network": MLPConfig(hidden=[64, 64, 64], activation="tanh", initialisation="variance_preserving"),
        "steps": 250,
        "batch_size": 1500,
        "damping": (1e-3, 1e-8),
        "evaluation_dtype": "float32",
        "test_fraction": 0.1,
        "sigma_network": SigmaNetworkConfig(
            network=MLPConfig(hidden=[32, 32]), training=StageConfig(steps=4000, learning_rate=4e-3)
        ),
    }
)
MODES = ("truth", "surrogate", "two_stage")


def run_demo(
    directory: Path,
    n_points: int = N_POINTS,
    config: TrainingConfig = CONFIG,
    n_events: int | None = None,
) -> None:
    """Run every step into a directory; dataset and training are kept where they are done already.

    Parameters
    ----------
    directory : Path
    n_points : int
        Points of the dataset.
    config : TrainingConfig
    n_events : int, optional
        Events of each Sherpa run, instead of the cards'.

    Raises
    ------
    PyampError
        A step failed, or the C++ evaluator differs from the Python network.
    """
    console = Console()
    directory.mkdir(parents=True, exist_ok=True)
    console.rule("1. exact amplitudes of g g → γ γ g, 13 TeV")
    dataset = generate(
        PROCESS, n_points, directory / "points.h5", workers=2, importance=IMPORTANCE, progress=True
    )
    print(f"{len(dataset)} points in {directory / 'points.h5'}")

    console.rule("2. training")
    result = train(dataset, directory / "run", config, resume=True, show_progress=True)
    print(f"model file {result.model_path}, trained in {result.metrics['train_s']:.0f} s")

    assert result.model_path is not None, "the configuration of the demo exports its model"

    console.rule("3. the model in C++")
    compare_with_python(result.model_path, dataset)
    print_metrics(result.metrics)
    print(f"pull plot: {directory / 'run' / 'pulls.png'}")

    console.rule("4. Sherpa, p p at 13 TeV")
    runs: dict[str, SherpaResult] = {}
    for mode in MODES:
        overrides = {}
        if mode == "two_stage":
            overrides["PYAMP"] = {"EPSILON_FULL": runs["truth"].summary["gain"]["epsilon_full"]}
        with console.status(f"Sherpa, MODE: {mode} …"):
            runs[mode] = run_card(
                mode, result.model_path, directory / f"sherpa_{mode}", overrides, n_events=n_events
            )
        print(f"MODE {mode}: {runs[mode].wall_s:.0f} s, log {runs[mode].log}")
    print_cross_sections(console, runs)


def compare_with_python(model: Path, dataset: Dataset, n_points: int = 5000) -> None:
    """Print the largest deviation of the C++ evaluator, in float32 and float64, from PyTorch in float64."""
    momenta = dataset.momenta[-n_points:]
    with torch.inference_mode():
        stripped = load_surrogate(model, torch.float64)(torch.from_numpy(momenta)).amplitude.numpy()
    expected = dataset.info.couplings * stripped
    # In float32 the rounding of a network whose weights cancel, some 1e-5; as the self-test of model files.
    for dtype, tolerance in (("float32", 1e-4), ("float64", 1e-12)):
        evaluator = Evaluator(model, dtype=dtype)  # type: ignore[arg-type]
        deviation = float(np.abs(evaluator(momenta).amplitude / expected - 1).max())
        print(f"{evaluator.backend}: largest deviation from PyTorch on {n_points} points {deviation:.1e}")
        if deviation > tolerance:
            raise PyampError(
                f"{model}: C++ and PyTorch differ by {deviation:.1e} in {dtype}, at most {tolerance:.0e} expected; "
                "please report it"
            )


def print_cross_sections(console: Console, runs: dict[str, SherpaResult]) -> None:
    """The cross sections with errors, and how far each is from that of the truth."""
    table = Table(title="p p → γ γ g through g g, 13 TeV, cuts of arXiv:2206.14831")
    for heading in ("MODE", "σ [pb]", "error [pb]", "deviation from truth [σ]", "events", "time [s]"):
        table.add_column(heading, justify="right")
    truth = runs["truth"]
    for mode, run in runs.items():
        combined = np.hypot(run.error_pb, truth.error_pb)
        deviation = (run.cross_section_pb - truth.cross_section_pb) / combined
        table.add_row(
            mode,
            f"{run.cross_section_pb:.5f}",
            f"{run.error_pb:.5f}",
            "" if mode == "truth" else f"{deviation:+.1f}",
            str(run.n_events),
            f"{run.wall_s:.0f}",
        )
    console.print(table)
