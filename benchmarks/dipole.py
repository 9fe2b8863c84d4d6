"""The dipole network against plain ones: tree-level QCD with gluons, the same points and the same time for training.

python benchmarks/dipole.py [--quick] [--only PROCESS …] [--directory DIR] [--json PATH]

e⁺e⁻ → dd̄gg, e⁺e⁻ → dd̄ggg and gg → e⁻e⁺gdd̄ at 1 TeV, truth AMEGIC, flat points. ``naive``: an MLP of ordered invariants;
``features``: an MLP that sees dipoles and their variables too; ``dipole``: the network of dipole coefficients. All are
3×96 tanh trained by natural gradient with two learning rates each, for numbers of steps that take about the same
processor time. ε_2nd: what a second stage accepts of the events that the surrogate has chosen, with overweights of 1e-3
of the cross section.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import _common
import numpy as np

import pyamp
from pyamp.calibration import accuracy
from pyamp.datasets import Dataset, generate
from pyamp.errors import PyampError
from pyamp.model_file import load_surrogate
from pyamp.processes import Process, load_process
from pyamp.training import TrainingConfig, train
from pyamp.unweighting import budget_maximum

SEED = 1
N_TRAIN, N_TEST = 40_000, 10_000
STEPS = {"naive": 260, "features": 240, "dipole": 225}  # of about the same processor time
OVERWEIGHT_BUDGET = 1e-3
LEARNING = {"careful": (0.5, 1e-2), "bold": (1.0, 1e-1)}
COLUMNS = {
    "process": "process",
    "model": "model",
    "learning": "learning",
    "n_features": "features",
    "steps": "steps",
    "train_cpu_s": "CPU s",
    "sample": "sample",
    "median_abs_delta": "median |Δ|",
    "q99_abs_delta": "99 %",
    "rms_delta": "RMS",
    "x_max": "x_max",
    "epsilon_2nd": "ε_2nd",
    "us_per_point": "µs/point",
}


def annihilation(n_gluons: int) -> Process:
    """Card of e⁻e⁺ → dd̄ and gluons."""
    separations = {"1,1": 0.2, "1,21": 0.2, "21,21": 0.2}
    gluons = [21] * n_gluons
    return Process.model_validate(
        {
            "name": f"ee_to_dd{'g' * n_gluons}_1tev",
            "amplitude": f"sherpa:11 -11 -> 1 -1 {' '.join(map(str, gluons))}",
            "pdg_ids": [11, -11, 1, -1, *gluons],
            "energy": {"sqrt_s_hat": 1000.0},
            "cuts": {"pt_min": {"1": 10.0, "21": 10.0}, "delta_r_min": separations},
        }
    )


PROCESSES = {
    "ee_to_ddgg": lambda: annihilation(2),
    "ee_to_ddggg": lambda: annihilation(3),
    "gg_to_eegdd": lambda: load_process("gg_to_eegdd_1tev"),
}
MODELS = {
    "naive": ("ordered_invariants", "mlp"),
    "features": ("dipole", "mlp"),
    "dipole": ("dipole", "dipole"),
}


def configuration(process: Process, model: str, learning: str, steps: int) -> TrainingConfig:
    """Of one training."""
    representation, network = MODELS[model]
    has_leptons = any(abs(p) == 11 for p in process.pdg_ids[2:])
    rate, damping = LEARNING[learning]
    return TrainingConfig.model_validate(
        {
            "representation": {
                "type": representation,
                "factor": "scale",
                "linear": True,
                "resonances": "leptons" if has_leptons else [],
            },
            "network": {
                "type": network,
                "hidden": [96, 96, 96],
                "activation": "tanh",
                "initialisation": "variance_preserving",
            },
            "likelihood": {"type": "mse"},
            "optimizer": "natural_gradient",
            "schedule": "cooldown",
            "steps": steps,
            "batch_size": 1000,
            "learning_rate": rate,
            "warmup_steps": 0,
            "damping": [damping, 1e-5],
            "validation_interval": max(1, steps // 4),
            "test_fraction": 0.05,
            "seed": SEED,
        }
    )


def rows_of(
    process: Process, model: str, learning: str, known: Dataset, test: Dataset, directory: Path, steps: int
) -> list[dict[str, Any]]:
    """Train, unless that was done before, and measure in C++."""
    run = directory / f"{process.name}_{model}_{learning}"
    path, clock = run / "model.safetensors", run / "cpu_s.json"
    if not clock.exists():
        begin = time.thread_time()
        train(known, run, configuration(process, model, learning, steps), resume=run.exists())
        clock.write_text(json.dumps(time.thread_time() - begin))
    evaluator = pyamp.Evaluator(path, alpha_s=1.0, alpha=1.0)
    begin = time.thread_time()
    prediction = evaluator(test.momenta)
    per_point = (time.thread_time() - begin) / len(test)
    chosen, x = prediction.amplitude * test.measure, test.amplitude / prediction.amplitude
    x_max = budget_maximum(x, OVERWEIGHT_BUDGET, weights=chosen)
    shared = {
        "process": process.name,
        "model": model,
        "learning": learning,
        "n_train": len(known),
        "n_features": load_surrogate(path).representation.n_features,
        "steps": steps,
        "train_cpu_s": json.loads(clock.read_text()),
        "backend": evaluator.backend,
        "us_per_point": 1e6 * per_point,
        "x_max": float(x_max),
        "epsilon_2nd": float((chosen * np.minimum(x / x_max, 1.0)).sum() / chosen.sum()),
    }
    return [
        {
            **shared,
            "sample": sample,
            **accuracy(prediction.amplitude, test.amplitude, prediction.sigma_tot, weights).as_dict(),
        }
        for sample, weights in (("flat", None), ("amplitude", test.amplitude * test.measure))
    ]


def study(names: list[str], directory: Path, quick: bool) -> list[dict[str, Any]]:
    """Rows of all processes and models; a training that diverges has none but says so."""
    scale = 10 if quick else 1
    rows = []
    for name in names:
        process = PROCESSES[name]()
        n_train, n_test = N_TRAIN // scale, N_TEST // scale
        known = generate(process, n_train, directory / f"{name}_{n_train}.h5", SEED)
        test = generate(process, n_test, directory / f"{name}_test_{n_test}.h5", SEED + 1000)
        for model in MODELS:
            for learning in LEARNING:
                try:
                    found = rows_of(process, model, learning, known, test, directory, STEPS[model] // scale)
                except PyampError as error:
                    found = [
                        {"process": process.name, "model": model, "learning": learning, "failed": str(error)}
                    ]
                rows += found
                print(found[-1], flush=True)
    return rows


def main() -> None:
    """Measure, print, and write on request."""
    parser = _common.parser(__doc__)
    parser.add_argument("--only", nargs="+", choices=sorted(PROCESSES), default=list(PROCESSES))
    parser.add_argument(
        "--directory", type=Path, help="keep datasets and models there, and go on with what is there"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = options.directory or Path(name)
        directory.mkdir(parents=True, exist_ok=True)
        rows = study(options.only, directory, options.quick)
    _common.print_table("naive and dipole networks, the same points and time", rows, COLUMNS)
    if options.json:
        _common.write(options.json, "dipole", SEED, options.quick, rows)


if __name__ == "__main__":
    main()
