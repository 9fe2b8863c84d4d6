"""Deep ensembles of 1 to 128 members: precision, bias, and two ways to their σ_syst.

python benchmarks/ensemble_size.py [--quick] [--json PATH] [--directory DIR]

One ensemble is trained; smaller ones are disjoint parts of it, so that every size but the largest has several, whose
spread is the error. The mean over members takes the noise of single trainings away and leaves the bias that they share
(arXiv:2509.00155). The members' σ_syst knows of their own deviations; their mean is too large for the ensemble, whose
pulls become too narrow. A separate network for σ, trained around the mean of the ensemble, is to restore the width 1.
"""

import functools
import math
import tempfile
from pathlib import Path

import _studies
import numpy as np
import torch
from _uncertainty import Prediction, configuration, noisy, over_runs
from rich.progress import Progress

from pyamp.calibration import core_width
from pyamp.datasets import Dataset
from pyamp.posteriors import DeepEnsemble, Deterministic, Posterior
from pyamp.surrogate import Surrogate
from pyamp.training import RunFiles, Sample, SigmaNetworkConfig, TrainingConfig, fit, make_surrogate
from pyamp.training.sigma_network import train_sigma_network

LARGEST, QUICK_LARGEST = 128, 8
HIDDEN = [32, 32]
STEPS = 1500
MOST_PARTS = 3
SIGMA_STEPS = 1500
KEYS = (
    "median_abs_delta",
    "mean_delta",
    "sigma_syst",
    "sigma_stat",
    "members_pull_width",
    "members_coverage68",
    "network_sigma_syst",
    "network_pull_width",
    "network_coverage68",
)


def measure(study: _studies.Study) -> _studies.Rows:
    """A row for every number of members."""
    largest = QUICK_LARGEST if study.quick or study.scale > 1 else LARGEST
    training, validation = study.data.training(importance=0.0)
    test = study.data.tests()[0].dataset
    network = {"type": "mlp", "hidden": HIDDEN, "activation": "gelu"}
    config = configuration(
        {"type": "ensemble", "members": largest},
        None,
        study.scale,
        network=network,
        steps=STEPS,
        sigma_network={
            "network": {"type": "mlp", "hidden": HIDDEN},
            "training": {"steps": SIGMA_STEPS, "batch_size": 256, "learning_rate": 4e-3},
        },
        seed=study.data.seed,
    )

    @functools.cache
    def trained() -> tuple[Surrogate, list[Sample]]:
        whole = _trained(config.model_copy(update={"sigma_network": None}), training, validation)
        points = noisy(training, config, config.seed), noisy(validation, config, config.seed + 1)
        return whole, [Sample(*whole.preprocess(p.momenta, p.amplitude)) for p in points]

    def make(name: str) -> _studies.Rows:
        size = int(name.split()[0])
        whole, samples = trained()
        parts = [range(size * k, size * (k + 1)) for k in range(min(MOST_PARTS, largest // size))]
        found = [_measured(whole, list(part), config.sigma_network, samples, test) for part in parts]
        row = {
            "name": name,
            "members": size,
            "parts": len(parts),
            "n_train": len(training),
            "n_test": len(test),
        }
        for key in KEYS:
            row[key], row[f"{key}_err"] = over_runs([entry[key] for entry in found])
        return [row]

    names = [f"{2**k} of {largest} members" for k in range(int(math.log2(largest)) + 1)]
    return study.rows(names, make, lambda name: config.sha256())


def _trained(config: TrainingConfig, training: Dataset, validation: Dataset) -> Surrogate:
    process = training.info.process
    known, held_out = noisy(training, config, config.seed), noisy(validation, config, config.seed + 1)
    surrogate = make_surrogate(config, list(process.pdg_ids), process.n_incoming, len(training))
    with tempfile.TemporaryDirectory() as directory, Progress(disable=True) as progress:
        fit(surrogate, config, known, held_out, RunFiles(Path(directory), "checkpoint.pt", {}), progress)
    return surrogate


def _part(whole: Surrogate, members: list[int]) -> Surrogate:
    """The surrogate of some of the members; they share memory with the whole."""
    posterior = whole.posterior
    assert isinstance(posterior, DeepEnsemble)
    weights = {name: value[members] for name, value in posterior.tensors().items()}
    part: Posterior
    if len(members) == 1:
        part = Deterministic(_network(whole))
        part.architecture.load_state_dict({name: value[0] for name, value in weights.items()})
    else:
        part = DeepEnsemble([_network(whole) for _ in members])
        part.load_tensors(weights)
    return Surrogate(whole.representation, whole.target, part, whole.likelihood)


def _network(whole: Surrogate) -> torch.nn.Module:
    header = whole.posterior.architecture.header()
    return type(whole.posterior.architecture)(header["widths"], header["activation"])


def _measured(
    whole: Surrogate,
    members: list[int],
    config: SigmaNetworkConfig,
    samples: list[Sample],
    test: Dataset,
) -> dict[str, float]:
    surrogate = _part(whole, members)
    of_members = Prediction.of(surrogate, test)
    with tempfile.TemporaryDirectory() as directory, Progress(disable=True) as progress:
        files = RunFiles(Path(directory), "sigma.pt", {})
        train_sigma_network(
            surrogate,
            config,
            *samples,
            files=files,
            progress=progress,
            seed=members[0] + 1,
            device="cpu",
            first_step=0,
        )
    of_network = Prediction.of(surrogate, test)
    delta = of_members.delta
    result = {
        "median_abs_delta": float(np.median(np.abs(delta))),
        "mean_delta": float(np.mean(delta)),
        "sigma_syst": float(np.median(of_members.relative("syst"))),
        "sigma_stat": float(np.median(of_members.relative("stat"))),
        "network_sigma_syst": float(np.median(of_network.relative("syst"))),
    }
    for name, found in (("members", of_members), ("network", of_network)):
        t = found.pulls("syst")
        result[f"{name}_pull_width"] = core_width(t)
        result[f"{name}_coverage68"] = float(np.mean(np.abs(t) < 1))
    return result


def draw(path: Path, rows: _studies.Rows) -> None:
    """Precision, both uncertainties and their pulls against the number of members."""
    title = "gg → γγg: ensembles and a separate σ-network, as in arXiv:2509.00155"
    members = [row["members"] for row in rows]

    with _studies.figure(path, 1, 3, title) as axes:

        def line(ax: object, key: str, label: str) -> None:
            values = [abs(row[key]) for row in rows]
            ax.errorbar(members, values, [row[f"{key}_err"] or 0.0 for row in rows], fmt="o-", label=label)

        left, middle, right = axes[0]
        line(left, "median_abs_delta", "median |Δ|")
        line(left, "mean_delta", "|mean Δ|")
        line(middle, "sigma_syst", "mean of the members' σ_syst")
        line(middle, "network_sigma_syst", "σ-network")
        line(middle, "sigma_stat", "σ_stat, spread of the members")
        line(right, "members_pull_width", "mean of the members' σ_syst")
        line(right, "network_pull_width", "σ-network")
        right.axhspan(0.98, 1.02, color="lightgrey", label="goal")
        for ax, label in zip(axes[0], ("Δ", "median σ/A", "width of the core of t_syst"), strict=True):
            ax.set_xscale("log", base=2)
            ax.set_xlabel("members")
            ax.set_ylabel(label)
            ax.legend()
        left.set_yscale("log")


COLUMNS = {
    "members": "members",
    "parts": "ensembles",
    "median_abs_delta": "median |Δ|",
    "median_abs_delta_err": "±",
    "mean_delta": "mean Δ",
    "mean_delta_err": "±",
    "sigma_syst": "σ members",
    "members_pull_width": "width",
    "members_coverage68": "68 %",
    "network_sigma_syst": "σ network",
    "network_pull_width": "width",
    "network_pull_width_err": "±",
    "network_coverage68": "68 %",
}

if __name__ == "__main__":
    _studies.main("ensemble_size", __doc__, measure, COLUMNS, draw)
