"""What surrogates of seven and eight legs gain from antennas, invariants of many legs and SOAP.

python benchmarks/many_legs.py [--quick] [--process NAME …] [--only ROW …] [--directory DIR] [--json PATH]

gg → e⁻e⁺gdd̄ and gg → e⁻e⁺ggdd̄ in p p at 13 TeV, tree level, points of Sherpa's integrator (`truth.yaml` with TRUTH
"tree:…"), 600,000 for training and 200,000 of another run for tests. Each row is one training of 3×128 GELU, 4000
steps of 1024, learning rate 2e-3 for Adam unless the row says another and 5e-3 for SOAP, on ordered invariants with
`linear`, `energy` and `resonances: leptons`; "dipole" is the representation and network of that name; "soap_events" is
"soap_antenna_multiparticle" with `event_weighting: 0.5`; "soap_long" is 3×256 with 12,000 steps of 2048, left out of
--quick. Measured on test points: |ln x|, x = A_true/A, of all points alike, and weighted as events; N_eff/N, where all
events of the first stage get the weight x (p = 1); x_max and ε_2nd of two stages with overweights of 1e-3. "spread":
standard deviation of what the factor leaves of ln A. Seconds of the processor with preprocessing and tests of the
training; time for a point in batches of 1000 with one thread. Points and models are kept in DIR and not made again.
"""

import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import _common
import numpy as np
import torch

from pyamp import Evaluator
from pyamp.calibration import accuracy, effective_number, weighted_quantile
from pyamp.datasets import Dataset, generate_from_sherpa
from pyamp.errors import PyampError
from pyamp.model_file import load_surrogate
from pyamp.sherpa import card_path
from pyamp.training import TrainingConfig, train
from pyamp.unweighting import Roulette, Times
from pyamp.unweighting.measurement import WeightSample, evaluation_time

SEED = 1
N_TRAIN, N_TEST = 600_000, 200_000
QUICK = 20  # by which --quick divides points and steps
REPEATS = 21
PROCESSES = {
    "gg_to_eegdd": "tree:21 21 -> 11 -11 21 1 -1",
    "gg_to_eeggdd": "tree:21 21 -> 11 -11 21 21 1 -1",
}


@dataclass(frozen=True)
class Row:
    """A training: what differs between them."""

    optimizer: str = "adam"
    factor: str = "scale"
    multiparticle: bool = False
    dipole: bool = False
    learning_rate: float = 2e-3
    width: int = 128
    steps: int = 4000
    batch_size: int = 1024
    event_weighting: float = 0.0

    def config(self, scale: int) -> TrainingConfig:
        kind = {"type": "dipole"} if self.dipole else {}
        return configuration(
            {"factor": self.factor, "multiparticle": self.multiparticle, **kind},
            {"hidden": 3 * [self.width], **kind},
            scale,
            steps=self.steps,
            validations=20,
            likelihood={"type": "heteroskedastic_gaussian"},
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            event_weighting=self.event_weighting,
        )


def configuration(
    representation: dict[str, Any],
    network: dict[str, Any],
    scale: int,
    *,
    steps: int,
    validations: int,
    **options: Any,
) -> TrainingConfig:
    """What all trainings of these points share, with what differs; ``scale`` divides the steps."""
    steps //= scale
    common = {"type": "ordered_invariants", "linear": True, "energy": True, "resonances": "leptons"}
    return TrainingConfig.model_validate(
        {
            "representation": {**common, **representation},
            "network": {"type": "mlp", "activation": "gelu", **network},
            "steps": steps,
            "warmup_steps": 200 // scale,
            "validation_interval": max(1, steps // validations),
            "validation_fraction": 0.02,
            "test_fraction": 0.01,
            "seed": SEED,
            **options,
        }
    )


def _soap(factor: str = "scale", multiparticle: bool = False, **others: Any) -> Row:
    return Row("soap", factor, multiparticle, learning_rate=5e-3, **others)


ROWS = {
    "adam": Row(),
    "adam_5e-3": Row(learning_rate=5e-3),
    "adam_antenna": Row(factor="antenna"),
    "adam_antenna_multiparticle": Row(factor="antenna", multiparticle=True),
    "adam_dipole": Row(dipole=True),
    "soap": _soap(),
    "soap_antenna_multiparticle": _soap("antenna", True),
    "soap_events": _soap("antenna", True, event_weighting=0.5),
    "soap_dipole_antenna_multiparticle": _soap("antenna", True, dipole=True),
    "soap_long": _soap("antenna", True, width=256, steps=12_000, batch_size=2048),
}
COLUMNS = {
    "process": "process",
    "row": "row",
    "n_features": "features",
    "spread": "spread",
    "train_cpu_s": "CPU s",
    "median_abs_log": "median |ln x|",
    "event_median_abs_log": "of events",
    "event_q99_abs_log": "99 %",
    "n_eff_over_n": "N_eff/N",
    "x_max": "x_max",
    "epsilon_2nd": "ε_2nd",
    "pull_width": "pull width",
    "us_per_point": "µs/point",
}


def recorded(name: str, n: int, seed: int, directory: Path, itmin: int) -> Dataset:
    """Points of Sherpa's integrator, unless they are there."""
    begin, path = time.perf_counter(), directory / f"{name}_{n}_{seed}.h5"
    settings = {"PYAMP": {"TRUTH": PROCESSES[name]}, "PSI": {"ITMIN": itmin}}
    cards = [card_path("truth"), card_path(name)]
    dataset = generate_from_sherpa(cards, n, path, seed, process=f"{name}_lhc13", settings=settings)
    worth = effective_number(n, dataset.amplitude * dataset.measure)
    print(f"{path.name}: {time.perf_counter() - begin:.0f} s, worth {worth:.0f} events", flush=True)
    return dataset


def measure(model: Path, test: Dataset) -> dict[str, Any]:
    """Deviations of a model, and what they cost in unweighting; outside its domain a generator asks the truth."""
    evaluator = Evaluator(model, policy="nan")
    prediction = evaluator(test.momenta)
    inside = prediction.flags == 0
    amplitude = np.where(inside, prediction.amplitude / test.info.couplings, test.amplitude)
    sigma = np.where(inside, prediction.sigma_tot / test.info.couplings, 0.0)
    events = test.amplitude * test.measure
    abs_log = np.abs(np.log(test.amplitude / amplitude))[inside]
    t_surr, t_surr_error = evaluation_time(evaluator, test.momenta, REPEATS)
    sample = WeightSample(
        events,
        amplitude * test.measure,
        sigma / amplitude,
        np.ones(len(test)),
        Times(np.nan, np.nan, t_surr),
        Times(0.0, 0.0, t_surr_error),
    )
    two_stage = sample.two_stage()
    weighted = sample.roulette(roulette=Roulette(kappa=0.0, p_min=1.0))
    return {
        "n_test": len(test),
        "n_outside": int((~inside).sum()),
        "n_eff": effective_number(len(test), events),
        "median_abs_log": float(np.median(abs_log)),
        "event_median_abs_log": float(weighted_quantile(abs_log, 0.5, events[inside])),
        "event_q99_abs_log": float(weighted_quantile(abs_log, 0.99, events[inside])),
        "n_eff_over_n": weighted.value.n_eff_over_n,
        "n_eff_over_n_err": weighted.error.n_eff_over_n,
        "x_max": two_stage.value.x_max,
        "x_max_err": two_stage.error.x_max,
        "epsilon_2nd": two_stage.value.epsilon_2nd,
        "epsilon_2nd_err": two_stage.error.epsilon_2nd,
        "us_per_point": 1e3 * t_surr,
        "us_per_point_err": 1e3 * t_surr_error,
        "backend": evaluator.backend,
        **accuracy(amplitude[inside], test.amplitude[inside], sigma[inside], events[inside]).as_dict(),
    }


def trained(known: Dataset, config: TrainingConfig, run: Path) -> dict[str, Any]:
    """Train, unless that was done before; what was left to learn and what it took."""
    clock = run / "cpu_s.json"
    if not clock.exists():
        shutil.rmtree(run, ignore_errors=True)  # of a training that was interrupted, whose time is not known
        begin = time.process_time()
        train(known, run, config)
        clock.write_text(json.dumps(time.process_time() - begin))
    surrogate = load_surrogate(run / "model.safetensors")
    metrics = json.loads((run / "metrics.json").read_text())
    return {
        "n_train": len(known),
        "n_features": surrogate.representation.n_features,
        "n_parameters": sum(p.numel() for p in surrogate.parameters()),
        "spread": float(surrogate.target.std),
        "train_s": metrics["train_s"],
        "train_cpu_s": json.loads(clock.read_text()),
    }


def trained_and_measured(known: Dataset, test: Dataset, config: TrainingConfig, run: Path) -> dict[str, Any]:
    """Both, or why it failed."""
    try:
        return trained(known, config, run) | measure(run / "model.safetensors", test)
    except PyampError as error:
        return {"failed": str(error)}


def study(processes: list[str], names: list[str], directory: Path, quick: bool) -> list[dict[str, Any]]:
    """Rows of all trainings; one that fails says why."""
    scale, itmin = (QUICK, 300) if quick else (1, 3000)
    rows = []
    for process in processes:
        known = recorded(process, N_TRAIN // scale, SEED, directory, itmin)
        test = recorded(process, N_TEST // scale, SEED + 1000, directory, itmin)
        for name in names:
            config, run = ROWS[name].config(scale), directory / f"{process}_{len(known)}_{name}"
            row = {"process": process, "row": name, "optimizer": config.optimizer, "steps": config.steps}
            rows.append(row | trained_and_measured(known, test, config, run))
            print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Measure, print, and write on request."""
    torch.set_num_threads(1)
    parser = _common.parser(__doc__)
    parser.add_argument("--process", nargs="+", choices=list(PROCESSES), default=list(PROCESSES))
    parser.add_argument("--only", nargs="+", choices=list(ROWS), metavar="ROW", help="only these trainings")
    parser.add_argument("--directory", type=Path, help="keep points and models there, and go on")
    options = parser.parse_args()
    names = options.only or [name for name in ROWS if not (options.quick and name == "soap_long")]
    with tempfile.TemporaryDirectory() as folder:
        directory = options.directory or Path(folder)
        directory.mkdir(parents=True, exist_ok=True)
        rows = study(options.process, names, directory, options.quick)
    _common.print_table("points of Sherpa's integrator, measured on those of another run", rows, COLUMNS)
    if options.json:
        _common.write(options.json, "many_legs", SEED, options.quick, rows)


if __name__ == "__main__":
    main()
