"""What the studies of accuracy and uncertainty share: datasets, trainings that are timed, finished rows, figures."""

import argparse
import contextlib
import datetime
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import _common
import numpy as np
import torch
from rich.progress import Progress

from pyamp import Evaluator
from pyamp.calibration import accuracy, effective_number, weighted_quantile
from pyamp.datasets import Dataset, generate
from pyamp.errors import PyampError
from pyamp.model_file import SELF_TEST_POINTS, ModelInfo, write_model
from pyamp.surrogate import Surrogate
from pyamp.training import TrainingConfig
from pyamp.training.fit import fit, make_surrogate
from pyamp.training.loop import RunFiles
from pyamp.training.run import training_points
from pyamp.training.sample import predicted
from pyamp.unweighting import budget_maximum

SEED = 1
QUICK = 10  # by which --quick divides points and steps
EVALUATION_BATCH = 1024
CHUNK = 5000
POINTS_PER_SHARD = 5000  # and no more than are wanted, as each shard is computed to its end
HISTORY = 40

TEST_SEED = 1000  # added to the seed of the training points
OVERWEIGHT_BUDGET = 1e-3

Rows = list[dict[str, Any]]

ACCURACY_COLUMNS = {
    "name": "configuration",
    "sample": "sample",
    "n_eff": "N_eff",
    "median_abs_delta": "median |Δ|",
    "rms_delta": "RMS Δ",
    "q99_abs_delta": "99 %",
    "top1pct_abs_delta": "1 % largest",
    "top01pct_abs_delta": "0.1 % largest",
    "pull_width": "pull",
    "coverage68": "68 %",
    "coverage95": "95 %",
    "x_max": "x_max",
    "n_parameters": "weights",
    "train_cpu_s": "CPU s",
    "ns_per_point": "ns/point",
}


@dataclass(frozen=True)
class Standard:
    """The points on which surrogates of a process are compared.

    Attributes
    ----------
    card : str
        Process card.
    title : str
        For figures.
    n_train, n_validation : int
    n_flat, n_amplitude : int
        Of the test samples.
    importance : mapping
        How :func:`pyamp.datasets.generate` draws points that are not flat.
    """

    card: str
    title: str
    n_train: int
    n_validation: int
    n_flat: int
    n_amplitude: int
    importance: Mapping[str, Any] = field(default_factory=dict)


GG_TO_AAG = Standard("gg_to_aag_1tev", "gg → γγg", 90_000, 5_000, 50_000, 50_000)
ALL_LEGS = {"importance_exponent": 0.8, "importance_legs": "all"}  # truth is slow, phase space is not
GG_TO_AAGG = Standard("gg_to_aagg_1tev", "gg → γγgg", 24_000, 2_000, 10_000, 8_000, ALL_LEGS)


@dataclass(frozen=True)
class Test:
    """Points on which a surrogate is measured, and how much each counts.

    Attributes
    ----------
    name : str
        "flat": in phase space; "amplitude": in proportion to the amplitude, as in a cross section.
    dataset : Dataset
    weights : ndarray or None
        ``(n,)``; None: all the same.
    """

    name: str
    dataset: Dataset
    weights: np.ndarray | None

    @property
    def n_eff(self) -> float:
        return effective_number(len(self.dataset), self.weights)


@dataclass
class Data:
    """The standard points of a process, made when they are asked for and kept in a directory."""

    directory: Path
    scale: float = 1.0
    seed: int = SEED
    standard: Standard = GG_TO_AAG
    _tests: list[Test] = field(default_factory=list)

    def points(self, n_points: int, importance: float = 0.0, seed: int | None = None) -> Dataset:
        """``n_points / scale`` points, a share of which follows the soft and collinear singularities."""
        n = max(100, round(n_points / self.scale))
        seed = self.seed if seed is None else seed
        card = self.standard.card
        path = self.directory / f"{card}_{n}_importance{importance:g}_seed{seed}.h5"
        shard = min(n, POINTS_PER_SHARD)
        options = self.standard.importance if importance else {}
        return generate(card, n, path, seed, importance=importance, points_per_shard=shard, **options)

    def training(self, n_train: int | None = None, importance: float = 0.5) -> tuple[Dataset, Dataset]:
        """Training and validation points of one distribution, by default the standard number."""
        standard = self.standard
        dataset = self.points((n_train or standard.n_train) + standard.n_validation, importance)
        n_validation = min(
            len(dataset) // 5, round(max(standard.n_validation, 100 * self.scale) / self.scale)
        )
        return dataset.split(len(dataset) - n_validation, n_validation)

    def tests(self) -> list[Test]:
        """Flat points, and points that carry the cross section, of another seed than those for training.

        Flat points weighted with the amplitude would have an effective number of a handful; so the second sample is
        drawn where amplitudes are large, and weighted.
        """
        if not self._tests:
            flat = self.points(self.standard.n_flat, seed=self.seed + TEST_SEED)
            important = self.points(self.standard.n_amplitude, importance=0.5, seed=self.seed + TEST_SEED + 1)
            weights = important.amplitude * important.measure
            self._tests = [Test("flat", flat, None), Test("amplitude", important, weights)]
        return self._tests


class Watch(Progress):
    """Looks at the median |Δ| on validation points whenever training validates; its own time is not counted.

    Attributes
    ----------
    history : list of dict
        ``step``, ``cpu_s``, ``wall_s``, ``median_abs_delta``.
    spent_s : float
        Wall time of looking.
    """

    def __init__(self, surrogate: Surrogate, validation: Dataset) -> None:
        super().__init__(disable=True)
        self.history: Rows = []
        self.spent_s = 0.0
        self._spent_cpu_s = 0.0
        self._surrogate = surrogate
        self._validation = validation
        self._start = time.perf_counter(), time.process_time()
        self._features: torch.Tensor | None = None
        self._target: torch.Tensor | None = None
        self._last_step: float = 0

    def clock(self) -> tuple[float, float]:
        """Wall and processor seconds since the start, without those of looking."""
        wall, cpu = self._start
        return (
            time.perf_counter() - wall - self.spent_s,
            time.process_time() - cpu - self._spent_cpu_s,
        )

    def update(self, task_id: Any, *, completed: float | None = None, **options: Any) -> None:
        description = options.get("description")
        if completed is None or description is None or "sigma" in description or completed == self._last_step:
            return
        self._last_step = completed
        wall, cpu = self.clock()
        median = self._median()
        self.history.append(
            {"step": int(completed), "cpu_s": cpu, "wall_s": wall, "median_abs_delta": median}
        )
        wall_now, cpu_now = self.clock()
        self.spent_s += wall_now - wall
        self._spent_cpu_s += cpu_now - cpu

    def time_to(self, median: float) -> dict[str, float | None]:
        """Wall and processor seconds of the first entry that is as accurate; None if there is none."""
        found = next((entry for entry in self.history if entry["median_abs_delta"] <= median), {})
        return {"floor_wall_s": found.get("wall_s"), "floor_cpu_s": found.get("cpu_s")}

    def _median(self) -> float:
        surrogate, validation = self._surrogate, self._validation
        if self._features is None:
            momenta, amplitude = (torch.from_numpy(a) for a in (validation.momenta, validation.amplitude))
            self._features, self._target = surrogate.preprocess(momenta, amplitude)
        mean, _ = predicted(surrogate.posterior, surrogate.likelihood, self._features)
        deviation = surrogate.target.std * (mean - self._target)  # of ln A
        delta = torch.expm1(deviation).abs().numpy()
        return float(weighted_quantile(delta, 0.5, validation.sampling_weight))


@dataclass(frozen=True)
class Trained:
    """A surrogate that was trained, with what that cost.

    Attributes
    ----------
    surrogate : Surrogate
    train_s : float
        Wall seconds of everything, the σ-network included; of an interrupted training, of its stages alone.
    train_cpu_s : float or None
        Processor seconds; None if the training was interrupted.
    watch : Watch
    """

    surrogate: Surrogate
    train_s: float
    train_cpu_s: float | None
    watch: Watch


def train_surrogate(
    config: TrainingConfig, training: Dataset, validation: Dataset, directory: Path | None = None
) -> Trained:
    """Train on points; checkpoints and logs go to a directory, from which an interrupted training continues."""
    with contextlib.ExitStack() as stack:
        if directory is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        directory.mkdir(parents=True, exist_ok=True)
        process = training.info.process
        surrogate = make_surrogate(config, list(process.pdg_ids), process.n_incoming, len(training))
        identity = {"configuration": config.sha256(), "dataset": training.sha256()}
        files = RunFiles(directory, "checkpoint.pt", identity, config.checkpoint_seconds, resume=True)
        resumed = files.load() is not None
        watch = Watch(surrogate, validation)
        known = training_points(training, config, config.seed)
        held_out = training_points(validation, config, config.seed + 1)
        seconds = fit(surrogate, config, known, held_out, files, watch)
        wall, cpu = watch.clock()
    return Trained(surrogate, *((seconds, None) if resumed else (wall, cpu)), watch)


def predict(surrogate: Surrogate, momenta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stripped amplitude, σ_syst and σ_stat ``(n,)`` of momenta ``(n, legs, 4)``, in chunks."""
    parts = []
    with torch.inference_mode():
        for chunk in torch.from_numpy(momenta).split(CHUNK):
            p = surrogate(chunk)
            parts.append(torch.stack([p.amplitude, p.sigma_syst, p.sigma_stat]))
    amplitude, sigma_syst, sigma_stat = torch.cat(parts, dim=1).numpy()
    return amplitude, sigma_syst, sigma_stat


def run_configuration(
    name: str,
    config: TrainingConfig,
    training: Dataset,
    validation: Dataset,
    tests: Sequence[Test],
    directory: Path | None = None,
    evaluate: bool = True,
    history: bool = False,
    floor: float | None = None,
) -> Rows:
    """Train, and measure on every test sample.

    Parameters
    ----------
    name : str
        Of the configuration.
    config : TrainingConfig
    training, validation : Dataset
    tests : sequence of Test
    directory : Path, optional
        Keeps checkpoints, logs and the model file.
    evaluate : bool
        Also time the evaluator.
    history : bool
        Also rows of the validation points in the course of training, of the sample "validation".
    floor : float, optional
        Also the time until the median |Δ| of validation points was as small.

    Returns
    -------
    list of dict
        A row for each test sample.
    """
    trained = train_surrogate(config, training, validation, directory)
    common = {
        **describe(name, config, training, trained),
        **({} if floor is None else trained.watch.time_to(floor)),
        "ns_per_point": evaluation_time(trained.surrogate, training, directory) if evaluate else None,
    }
    rows = []
    for test in tests:
        amplitude, sigma_syst, sigma_stat = predict(trained.surrogate, test.dataset.momenta)
        sigma = np.hypot(sigma_syst, sigma_stat)
        found = accuracy(amplitude, test.dataset.amplitude, sigma, test.weights).as_dict()
        if test.weights is not None:
            found["x_max"] = x_max(test.dataset, amplitude)
        rows.append(
            {**common, "sample": test.name, "n_test": len(test.dataset), "n_eff": test.n_eff, **found}
        )
    if history:
        rows += [{"name": name, "sample": "validation", **entry} for entry in _thinned(trained.watch.history)]
    return rows


def x_max(dataset: Dataset, amplitude: np.ndarray) -> float | None:
    """Of the second unweighting stage, with amplitudes ``(n,)`` of a surrogate; None if some cannot choose events."""
    if not (np.isfinite(amplitude) & (amplitude > 0)).all():
        return None
    weights = amplitude * dataset.measure
    return budget_maximum(dataset.amplitude / amplitude, OVERWEIGHT_BUDGET, weights)


def describe(name: str, config: TrainingConfig, training: Dataset, trained: Trained) -> dict[str, Any]:
    """What the rows of a configuration have in common."""
    first, *_ = stages = config.stages()
    network = config.network.model_dump()
    kind = network.pop("type")
    return {
        "name": name,
        "process": training.info.process.name,
        "n_train": len(training),
        "importance": json.loads(training.info.importance)["share"] if training.info.importance else 0.0,
        "representation": config.representation.type
        + (" + linear" if getattr(config.representation, "linear", False) else ""),
        "network": " ".join([kind, *(f"{key}={value}" for key, value in network.items())]),
        "likelihood": config.likelihood.type,
        "posterior": config.posterior.type,
        "optimizer": first.optimizer,
        "dtype": first.dtype,
        "steps": sum(stage.steps for stage in stages),
        "batch_size": first.batch_size,
        "n_parameters": sum(p.numel() for p in trained.surrogate.parameters()),
        "train_s": trained.train_s,
        "train_cpu_s": trained.train_cpu_s,
        "threads": config.threads,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "load": round(os.getloadavg()[0], 2),
    }


def evaluation_time(
    surrogate: Surrogate, dataset: Dataset, directory: Path | None = None, repeats: int = 11
) -> float | None:
    """ns per point of the C++ evaluator, one thread, batches of 1024; None if it cannot run the model.

    The model file stays in the directory, if there is one.
    """
    momenta = dataset.momenta[:EVALUATION_BATCH]
    with contextlib.ExitStack() as stack:
        directory = directory or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        path = directory / "model.safetensors"
        try:
            write_model(path, surrogate, model_info(dataset), torch.from_numpy(momenta[:SELF_TEST_POINTS]))
            evaluator = Evaluator(path)
            times = _common.seconds(lambda: evaluator(momenta), repeats)
        except PyampError as error:
            print(f"no evaluation time: {error}")
            return None
    return 1e9 * float(np.median(times)) / len(momenta)


def model_info(dataset: Dataset) -> ModelInfo:
    """What a model file says about a surrogate of these points."""
    info = dataset.info
    process = info.process
    return ModelInfo(
        process={
            "name": process.amplitude,
            "pdg_ids": list(process.pdg_ids),
            "n_incoming": process.n_incoming,
        },
        couplings={
            "alpha_s": info.alpha_s,
            "alpha": info.alpha,
            "alpha_s_power": info.alpha_s_power,
            "alpha_power": info.alpha_power,
        },
        spin_colour_average=info.spin_colour_average,
        domain=info.domain,
        training={"n_train": len(dataset), "truth": info.provider},
        metrics={},
    )


def scaled(config: TrainingConfig, scale: float) -> TrainingConfig:
    """The configuration with fewer steps in every stage."""
    if scale == 1.0:
        return config
    values = config.model_dump()
    inner = [values, *values["then"]]
    inner += [section["training"] for key in ("boosting", "sigma_network") if (section := values[key])]
    for stage in inner:
        stage["steps"] = max(10, round(stage["steps"] / scale))
        stage["warmup_steps"] = round(stage["warmup_steps"] / scale)
        stage["validation_interval"] = max(5, round(stage["validation_interval"] / scale))
        stage["batch_size"] = min(stage["batch_size"], max(64, round(4 * stage["batch_size"] / scale)))
    return TrainingConfig.model_validate(values)


class RowStore:
    """Finished rows in a file, by name and by what determines them; a study that is started again goes on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, dict[str, Any]] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                entry = json.loads(line)
                self._entries[entry["name"]] = entry

    def get(self, name: str, identity: object = None) -> Rows | None:
        """The rows of this name; None if there are none, or of something else than ``identity`` (JSON-able)."""
        entry = self._entries.get(name)
        if entry is None or (identity is not None and entry["identity"] != _hash(identity)):
            return None
        return list(entry["rows"])

    def add(self, name: str, rows: Sequence[_common.Row], identity: object = None) -> None:
        """Append rows to the file."""
        plain = [{key: _common._plain(value) for key, value in row.items()} for row in rows]
        entry = {"name": name, "identity": _hash(identity), "rows": plain}
        self._entries[name] = entry
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def compute(self, name: str, make: Callable[[], Rows], identity: object = None) -> Rows:
        """The rows of this name, made if need be."""
        found = self.get(name, identity)
        if found is None:
            print(f"{datetime.datetime.now():%H:%M:%S} {name}", flush=True)
            self.add(name, make(), identity)
            found = self.get(name, identity)
            assert found is not None
        return found


@dataclass(frozen=True)
class Study:
    """A study as its command line asked for it: where it works, how large it is, what of it is wanted."""

    directory: Path
    options: argparse.Namespace
    store: RowStore
    data: Data

    @property
    def quick(self) -> bool:
        return bool(self.options.quick)

    @property
    def scale(self) -> float:
        """By which points and steps are divided."""
        return self.data.scale

    def wanted(self, name: str) -> bool:
        """Is this configuration to be run?"""
        return not self.options.only or name in self.options.only

    def rows(
        self,
        names: Sequence[str],
        make: Callable[[str], Rows],
        identity: Callable[[str], object] = lambda name: None,
    ) -> Rows:
        """Rows of all configurations that are wanted, or were finished before.

        Parameters
        ----------
        names : sequence of str
        make : callable
            A name to its rows.
        identity : callable
            A name to what determines its rows, as JSON, beside the scale and the seed.
        """
        unknown = set(self.options.only or []) - set(names)
        if unknown:
            raise SystemExit(f"--only {' '.join(sorted(unknown))}: known are {' '.join(names)}")
        rows: Rows = []
        for name in names:
            settings = [self.scale, self.data.seed, identity(name)]
            if self.wanted(name):
                try:
                    rows += self.store.compute(name, lambda name=name: make(name), settings)
                except PyampError as error:  # such as a training that diverged
                    print(f"{name} failed: {error}", flush=True)
            else:
                rows += self.store.get(name, settings) or []
        return rows


def main(
    name: str,
    description: str | None,
    measure: Callable[[Study], Rows],
    columns: Mapping[str, str],
    draw: Callable[[Path, Rows], None],
    argv: Sequence[str] | None = None,
    standards: Mapping[str, Standard] | None = None,
) -> None:
    """The command line of a study: measure, print a table, write ``PATH.json`` and beside it ``PATH.png``.

    Rows of the sample "validation" are written, but not printed. ``standards`` are the processes that may be chosen,
    the first by default.
    """
    standards = standards or {"gg_to_aag": GG_TO_AAG}
    torch.set_num_threads(1)
    parser = _common.parser(description)
    parser.add_argument("--directory", type=Path, help="keep datasets and finished rows there, and go on")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="run only these configurations")
    process = {"choices": list(standards), "default": next(iter(standards))}
    parser.add_argument("--process", help="amplitude to be learned", **process)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--scale", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    scale = options.scale or (QUICK if options.quick else 1.0)
    with contextlib.ExitStack() as stack:
        directory = options.directory or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        directory.mkdir(parents=True, exist_ok=True)
        data = Data(directory, scale, options.seed, standards[options.process])
        study = Study(directory, options, RowStore(directory / f"{name}_{options.process}.jsonl"), data)
        rows = measure(study)
    shown = [row for row in rows if row.get("sample") != "validation"]
    known = {key: heading for key, heading in columns.items() if any(key in row for row in shown)}
    _common.print_table(name, shown, known)
    if options.json:
        _common.write(options.json, name, options.seed, options.quick or scale != 1.0, rows)
        draw(options.json.with_suffix(".png"), rows)


@contextlib.contextmanager
def figure(path: Path, n_rows: int = 1, n_columns: int = 1, title: str = "") -> Iterator[np.ndarray]:
    """Axes ``(n_rows, n_columns)`` of a figure that is saved at the end; pyplot is left alone."""
    import matplotlib.style
    import mplhep
    from matplotlib.figure import Figure

    with matplotlib.style.context([mplhep.style.ATLAS, {"font.size": 13, "legend.fontsize": 10}]):
        drawing = Figure(figsize=(7.5 * n_columns, 5.5 * n_rows))
        yield drawing.subplots(n_rows, n_columns, squeeze=False)
        if title:
            drawing.suptitle(title, fontsize="medium")
        drawing.tight_layout()
        drawing.savefig(path, dpi=100)


def _thinned(history: Rows) -> Rows:
    """At most some 40 entries, equally far apart in the logarithm of the step."""
    if len(history) < HISTORY:
        return history
    chosen = np.unique(np.geomspace(1, len(history), HISTORY).round().astype(int)) - 1
    return [history[k] for k in chosen]


def _hash(identity: object) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()
