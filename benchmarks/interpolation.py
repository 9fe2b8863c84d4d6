"""Classical interpolation against networks, with few and with many points of gg → γγg (compare arXiv:2412.09534).

python benchmarks/interpolation.py [--quick] [--only NAME …] [--directory DIR] [--json PATH]

Radial basis functions of the nearest points and Chebyshev polynomials of ``pyamp.interpolation``, and networks on the
same points: the recipe ``fast``, and the default network with fewer steps of Adam. Half of the points follow the soft
and collinear singularities. Names are METHOD_POINTS. ``build_cpu_s``: processor time to fit or train; ``ns_per_point``:
of a prediction in batches of 1024, by SciPy or NumPy on one core, by the C++ evaluator for networks; ``n_bytes``:
points, coefficients or weights.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _common
import _studies
import numpy as np
from _studies import Rows, Study, Test

from pyamp.calibration import accuracy
from pyamp.datasets import Dataset
from pyamp.interpolation import Interpolation, Polynomial, RadialBasis
from pyamp.training import TrainingConfig
from pyamp.training.recipes import load_config

NUMBERS = (1000, 3000, 10_000, 30_000, 90_000)
N_TEST = 5000  # of each sample for interpolations, which are slow
ADAM_STEPS = 5_000

CLASSICAL: dict[str, Callable[[tuple[int, ...]], Interpolation]] = {
    "rbf_gaussian": lambda pdg_ids: RadialBasis(pdg_ids),
    "rbf_cubic": lambda pdg_ids: RadialBasis(pdg_ids, kernel="cubic"),
    "polynomial_3": lambda pdg_ids: Polynomial(pdg_ids, degree=3),
    "polynomial_4": lambda pdg_ids: Polynomial(pdg_ids, degree=4),
}
NETWORKS: dict[str, Callable[[], TrainingConfig]] = {
    "fast": lambda: load_config("fast"),
    "adam": lambda: TrainingConfig(steps=ADAM_STEPS),
}

LABELS = {
    "rbf_gaussian": "RBF, Gaussian",
    "rbf_cubic": "RBF, cubic",
    "polynomial_3": "polynomial, degree 3",
    "polynomial_4": "polynomial, degree 4",
    "fast": "MLP, natural gradient (fast)",
    "adam": f"MLP, Adam, {ADAM_STEPS} steps",
}


def interpolate(method: str, training: Dataset, tests: list[Test]) -> Rows:
    """A row of a classical method for each test sample."""
    interpolation = CLASSICAL[method](training.info.process.pdg_ids)
    start = time.process_time()
    interpolation.fit(training.momenta, training.amplitude)
    build = time.process_time() - start
    batch = tests[0].dataset.momenta[: _studies.EVALUATION_BATCH]
    times = _common.seconds(lambda: interpolation.predict(batch), 3)
    rows = []
    for test in tests:
        n = min(N_TEST, len(test.dataset))
        asked = test.dataset.select(slice(0, n))
        weights = None if test.weights is None else test.weights[:n]
        found = interpolation.predict(asked.momenta)
        measured = accuracy(found, asked.amplitude, np.ones(n), weights).as_dict()
        deviations = {key: value for key, value in measured.items() if key.endswith("delta")}
        rows.append(
            {
                "sample": test.name,
                "n_test": n,
                "n_eff": Test(test.name, asked, weights).n_eff,
                **deviations,
                "build_cpu_s": build,
                "ns_per_point": 1e9 * float(np.median(times)) / len(batch),
                "n_bytes": interpolation.n_bytes,
            }
        )
    return rows


def train(method: str, training: Dataset, validation: Dataset, study: Study) -> Rows:
    """A row of a network for each test sample."""
    config = _studies.scaled(NETWORKS[method](), study.scale)
    batch_size = min(config.batch_size, len(training) // 2)
    config = config.model_copy(update={"seed": study.data.seed, "batch_size": batch_size})
    rows = _studies.run_configuration(method, config, training, validation, study.data.tests())
    size = 8 if config.dtype == "float64" else 4
    return [{**row, "build_cpu_s": row["train_cpu_s"], "n_bytes": size * row["n_parameters"]} for row in rows]


def measure(study: Study) -> Rows:
    """Rows of every method with every number of points."""
    numbers = NUMBERS[:2] if study.quick else NUMBERS
    cases = {f"{method}_{n}": (method, n) for n in numbers for method in (*CLASSICAL, *NETWORKS)}

    def make(name: str) -> Rows:
        method, n = cases[name]
        training, validation = study.data.training()
        # Numbers of points are what is studied: --quick and --scale leave out the large ones, if need be.
        training = training.select(slice(0, min(n, len(training))))
        if method in NETWORKS:
            rows = train(method, training, validation, study)
        else:
            rows = interpolate(method, training, study.data.tests())
        common: dict[str, Any] = {
            "process": training.info.process.name,
            "n_train": len(training),
            "method": method,
        }
        return [{**row, **common, "name": name} for row in rows]

    return study.rows(list(cases), make)


def draw(path: Path, rows: Rows) -> None:
    """Accuracy, time to build, time per point and memory against the number of points."""
    panels = (
        ("median_abs_delta", r"median $|\Delta|$", "flat"),
        ("median_abs_delta", r"median $|\Delta|$, as the amplitude", "amplitude"),
        ("q99_abs_delta", r"99 % quantile of $|\Delta|$", "flat"),
        ("build_cpu_s", "processor time to build in s", "flat"),
        ("ns_per_point", "ns per point", "flat"),
        ("n_bytes", "bytes", "flat"),
    )
    with _studies.figure(path, 2, 3, "gg → γγg at 1 TeV, one core") as axes:
        for ax, (key, label, sample) in zip(axes.flatten(), panels, strict=True):
            for method in LABELS:
                chosen = [row for row in rows if row["method"] == method and row["sample"] == sample]
                chosen = sorted((row for row in chosen if row[key]), key=lambda row: row["n_train"])
                if chosen:
                    x, y = ([row[name] for row in chosen] for name in ("n_train", key))
                    style = "o-" if method in NETWORKS else "s--"
                    ax.plot(x, y, style, label=LABELS[method], markersize=5)
            ax.set_xscale("log")
            ax.set_yscale("log")
            ax.set_xlabel("known points")
            ax.set_ylabel(label)
        axes[0, 0].legend()


COLUMNS = {
    "method": "method",
    "n_train": "points",
    "sample": "sample",
    "n_eff": "N_eff",
    "median_abs_delta": "median |Δ|",
    "q99_abs_delta": "99 %",
    "top1pct_abs_delta": "1 % largest",
    "build_cpu_s": "build s",
    "ns_per_point": "ns/point",
    "n_bytes": "bytes",
}

if __name__ == "__main__":
    _studies.main("interpolation", __doc__, measure, COLUMNS, draw)
