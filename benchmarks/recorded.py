"""Which training points serve an event generator best: Sherpa's own, importance-sampled ones, or flat ones?

python benchmarks/recorded.py [--quick] [--json PATH] [--directory DIR]

gg → γγg in p p at 13 TeV: the same number of points from Sherpa's integrator (`generate --from-sherpa truth.yaml`),
from pyamp's phase space half of them importance-sampled, and flat; the recipe `fast` each; measured on other events of
Sherpa, weighted as they are, parton densities and running α_s included. And u ū → γγg, whose truth is Sherpa's Comix.
Times are wall-clock seconds; datasets are kept in DIR and not made again.
"""

import tempfile
import time
from pathlib import Path

import _common

import pyamp
from pyamp.calibration import accuracy
from pyamp.datasets import Dataset, generate, generate_from_sherpa
from pyamp.sherpa import card_path
from pyamp.training import load_config, train
from pyamp.unweighting import budget_maximum

SEED = 1
N_TRAIN, N_TEST = 60_000, 20_000
COLUMNS = {
    "process": "process",
    "points": "points",
    "n_train": "n",
    "n_eff": "worth events",
    "generate_s": "made in s",
    "train_s": "trained in s",
    "median_abs_delta": "median |Δ|",
    "q99_abs_delta": "99 %",
    "rms_delta": "RMS",
    "pull_width": "pull width",
    "x_max": "x_max",
    "bias": "⟨x⟩ − 1",
}


def effective_number(dataset: Dataset) -> float:
    """Unweighted events that the points are worth for the cross section of their run."""
    w = dataset.amplitude * dataset.measure
    return float(w.sum() ** 2 / (w**2).sum())


def measure(name: str, points: str, dataset: Dataset, made_s: float, test: Dataset, directory: Path) -> dict:
    """Train on a dataset; deviations over the events of another one."""
    begin = time.perf_counter()
    config = load_config("fast")
    model = train(dataset, directory / f"run_{name}_{points}", config).model_path
    train_s = time.perf_counter() - begin
    prediction = pyamp.Evaluator(model, policy="nan")(test.momenta)
    inside = prediction.flags == 0
    stripped = prediction.amplitude[inside] / test.info.couplings
    sigma = prediction.sigma_tot[inside] / test.info.couplings
    truth, weights = test.amplitude[inside], (test.amplitude * test.measure)[inside]
    found = accuracy(stripped, truth, sigma, weights)
    chosen = weights / truth * stripped
    return {
        "process": name,
        "points": points,
        "n_train": len(dataset),
        "n_test": int(inside.sum()),
        "n_outside": int((~inside).sum()),
        "n_eff": effective_number(dataset),
        "generate_s": made_s,
        "train_s": train_s,
        "x_max": budget_maximum(truth / stripped, 1e-3, weights=chosen),
        "bias": float(weights.sum() / chosen.sum()) - 1,
        **found.as_dict(),
    }


def study(directory: Path, quick: bool) -> list[dict]:
    """Rows of all datasets."""
    scale = 20 if quick else 1
    n_train, n_test = N_TRAIN // scale, N_TEST // scale
    short = {"PSI": {"ITMIN": 200}} if quick else {}

    def recorded(card: str, n: int, seed: int) -> Dataset:
        return generate_from_sherpa(
            card_path(card), n, directory / f"{card}_{n}_{seed}.h5", seed, settings=short, progress=True
        )

    def own(n: int, importance: float) -> Dataset:
        path = directory / f"own_{n}_{importance}.h5"
        return generate("gg_to_aag_lhc13", n, path, SEED, 2, importance=importance, progress=True)

    rows = []
    for name, card in (("gg_to_aag", "truth"), ("uu_to_aag", "uu_to_aag")):
        test = recorded(card, n_test, SEED + 1000)
        sources = {"Sherpa": lambda card=card: recorded(card, n_train, SEED)}
        if name == "gg_to_aag":
            sources |= {"importance": lambda: own(n_train, 0.5), "flat": lambda: own(n_train, 0.0)}
        for points, make in sources.items():
            begin = time.perf_counter()
            dataset = make()
            rows.append(measure(name, points, dataset, time.perf_counter() - begin, test, directory))
    return rows


def main() -> None:
    """Measure, print, and write on request."""
    parser = _common.parser(__doc__)
    parser.add_argument("--directory", type=Path, help="keep datasets and models there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = options.directory or Path(name)
        directory.mkdir(parents=True, exist_ok=True)
        rows = study(directory, options.quick)
    _common.print_table("recipe fast, measured on other weighted events of Sherpa", rows, COLUMNS)
    if options.json:
        _common.write(options.json, "recorded", SEED, options.quick, rows)


if __name__ == "__main__":
    main()
