"""What wide networks gain for eight legs, what products in bfloat16 save, and what weights in the loss do.

python benchmarks/wide_networks.py [--quick] [--only ROW …] [--directory DIR] [--json PATH]

gg → e⁻e⁺ggdd̄ in p p at 13 TeV, tree level, points of Sherpa's integrator as in many_legs.py: 1,000,000 for training
and 100,000 of another run for tests. Each row is one training of GELU layers with SOAP (5e-3, cosine) on squared
errors, on ordered invariants with `linear`, `energy`, `multiparticle`, `conjugation`, `resonances: leptons` and
`factor: antenna`, with two threads: "DEPTHxWIDTH", "all" without `event_weighting`, otherwise 0.5, and "bf16" with
`bfloat16_steps: 0.95`. Measured on test points: |ln x|, x = A_true/A, of all points alike, and weighted as events;
N_eff/N, where all events of the first stage get the weight x (p = 1); x_max and ε_2nd of two stages with overweights
of 1e-3. Wall seconds of the training alone; time for a point in batches of 1000 with one thread. Points and models are
kept in DIR and not made again.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import _common
import torch
from many_legs import SEED, configuration, recorded, trained_and_measured

from pyamp.training import TrainingConfig

PROCESS = "gg_to_eeggdd"
N_TRAIN, N_TEST = 1_000_000, 100_000
QUICK = 50  # by which --quick divides points and steps


@dataclass(frozen=True)
class Row:
    """A training: what differs between them."""

    depth: int
    width: int
    steps: int = 2000
    batch_size: int = 4096
    bfloat16_steps: float = 0.0
    event_weighting: float = 0.5

    def config(self, scale: int) -> TrainingConfig:
        return configuration(
            {"factor": "antenna", "multiparticle": True, "conjugation": True},
            {"hidden": self.depth * [self.width]},
            scale,
            steps=self.steps,
            validations=10,
            likelihood={"type": "mse"},
            optimizer="soap",
            learning_rate=5e-3,
            batch_size=self.batch_size,
            bfloat16_steps=self.bfloat16_steps,
            event_weighting=self.event_weighting,
            threads=2,
        )


ROWS = {
    "3x128_all": Row(3, 128, event_weighting=0.0),
    "3x128": Row(3, 128),
    "4x256": Row(4, 256),
    "4x256_bf16": Row(4, 256, bfloat16_steps=0.95),
    "4x512": Row(4, 512),
    "4x512_bf16": Row(4, 512, bfloat16_steps=0.95),
    "6x512_bf16": Row(6, 512, batch_size=8192, bfloat16_steps=0.95),
}
COLUMNS = {
    "row": "row",
    "n_parameters": "parameters",
    "steps": "steps",
    "batch_size": "batch",
    "train_s": "s",
    "median_abs_log": "median |ln x|",
    "event_median_abs_log": "of events",
    "event_q99_abs_log": "99 %",
    "n_eff_over_n": "N_eff/N",
    "x_max": "x_max",
    "epsilon_2nd": "ε_2nd",
    "us_per_point": "µs/point",
}


def study(names: list[str], directory: Path, quick: bool) -> list[dict[str, Any]]:
    """Rows of all trainings; one that fails says why."""
    scale, itmin = (QUICK, 300) if quick else (1, 5000)
    known = recorded(PROCESS, N_TRAIN // scale, SEED, directory, itmin)
    test = recorded(PROCESS, N_TEST // scale, SEED + 1000, directory, itmin)
    rows = []
    for name in names:
        config, run = ROWS[name].config(scale), directory / f"{PROCESS}_{len(known)}_{name}"
        row = {"row": name, "steps": config.steps, "batch_size": config.batch_size}
        rows.append(row | trained_and_measured(known, test, config, run))
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Measure, print, and write on request."""
    torch.set_num_threads(1)  # beside the trainings, which have their own number
    parser = _common.parser(__doc__)
    parser.add_argument("--only", nargs="+", choices=list(ROWS), metavar="ROW", help="only these trainings")
    parser.add_argument("--directory", type=Path, help="keep points and models there, and go on")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = options.directory or Path(folder)
        directory.mkdir(parents=True, exist_ok=True)
        rows = study(options.only or list(ROWS), directory, options.quick)
    _common.print_table("gg → e⁻e⁺ggdd̄, measured on points of another run", rows, COLUMNS)
    if options.json:
        _common.write(options.json, "wide_networks", SEED, options.quick, rows)


if __name__ == "__main__":
    main()
