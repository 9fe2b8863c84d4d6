"""Importance sampling of training points: weights undo it exactly, and the content depends on the request alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pyamp.calibration import effective_number
from pyamp.datasets import Dataset, Importance, generate
from pyamp.errors import PyampError
from pyamp.phase_space import PhaseSpace
from pyamp.processes import load_process

SEED = 11


def eikonal(momenta: np.ndarray) -> np.ndarray:
    """s_01²/(s_04 s_14) of the one gluon, from dot products."""
    metric = np.diag([1.0, -1.0, -1.0, -1.0])

    def dot(i: int, j: int) -> np.ndarray:
        return np.einsum("na,ab,nb->n", momenta[:, i], metric, momenta[:, j])

    return dot(0, 1) ** 2 / (dot(0, 4) * dot(1, 4))


@pytest.fixture(scope="module")
def flat() -> np.ndarray:
    return PhaseSpace("gg_to_aag_1tev").trials(400_000, seed=5).momenta


def inverse_transverse_momenta(momenta: np.ndarray) -> np.ndarray:
    """∏ ŝ/p_T² of all outgoing legs, beams along z with equal energies."""
    s_hat = (momenta[:, 0, 0] + momenta[:, 1, 0]) ** 2
    return np.prod(s_hat[:, None] / (momenta[:, 2:, 1] ** 2 + momenta[:, 2:, 2] ** 2), axis=1)


@pytest.mark.parametrize(("legs", "density"), [("gluons", eikonal), ("all", inverse_transverse_momenta)])
def test_keep_probability_is_the_stated_one(flat: np.ndarray, legs: str, density: Callable) -> None:
    process = load_process("gg_to_aag_1tev")
    importance = Importance.from_pilot(process, flat, share=0.5, exponent=0.6, legs=legs)
    space = PhaseSpace("gg_to_aag_1tev")
    sample = space.trials(100_000, seed=SEED)
    kept, weight = importance.thin(space, sample, SEED)
    g = density(kept.momenta)
    p = importance.base + (1 - importance.base) * np.minimum(1.0, (g / importance.reference) ** 0.6)
    # dot products of massless momenta lose digits for collinear legs
    np.testing.assert_allclose(weight, 1 / p, rtol=1e-9)
    np.testing.assert_allclose(kept.weights, weight * sample.weights[0], rtol=1e-9)
    again, _ = importance.thin(space, space.trials(3000, seed=SEED, start=50_000), SEED)
    inside = (kept.trials >= 50_000) & (kept.trials < 53_000)
    np.testing.assert_array_equal(again.trials, kept.trials[inside])


def test_weighted_points_are_flat_and_as_many_as_wanted_are_important(flat: np.ndarray) -> None:
    """Counts in bins of ln g against flat ones. 12 bins and a share within 5 σ: false alarm below 1e-5."""
    process = load_process("gg_to_aag_1tev")
    importance = Importance.from_pilot(process, flat, share=0.5, exponent=0.6)
    space = PhaseSpace(process)
    sample = space.trials(400_000, seed=SEED)
    kept, weight = importance.thin(space, sample, SEED)
    edges = np.quantile(np.log(eikonal(flat)), np.linspace(0, 1, 13))
    edges[0], edges[-1] = -np.inf, np.inf
    log_all, log_kept = np.log(eikonal(sample.momenta)), np.log(eikonal(kept.momenta))
    expected = np.histogram(log_all, edges)[0]
    found = np.histogram(log_kept, edges, weights=weight)[0]
    # A kept point counts 1/p with variance (1 − p)/p of its parent, which is in `expected` too.
    variance = np.histogram(log_kept, edges, weights=weight * (weight - 1))[0]
    assert np.all(np.abs(found - expected) < 5 * np.sqrt(variance + 1))
    share_flat = importance.base * weight
    n = len(weight)
    assert (
        abs(share_flat.sum() / n - 0.5) < 5 * share_flat.std() / np.sqrt(n) + 0.01
    )  # 1 %: the pilot's error


def test_dataset_has_the_same_integral_and_does_not_depend_on_workers(tmp_path: Path) -> None:
    one = generate("gg_to_aag_1tev", 20_000, tmp_path / "one.h5", seed=SEED, importance=0.5)
    two = generate(
        "gg_to_aag_1tev",
        20_000,
        tmp_path / "two.h5",
        seed=SEED,
        importance=0.5,
        workers=2,
        points_per_shard=3000,
    )
    assert one.sha256() == two.sha256()
    assert json.loads(Dataset.open(tmp_path / "one.h5").info.importance)["share"] == 0.5
    # Of a bounded integrand, so that the errors are Gaussian: the volume within the cuts, and the mean of a cosine.
    flat = PhaseSpace("gg_to_aag_1tev").trials(one.info.n_trials, seed=77)
    for function in (lambda m: np.ones(len(m)), lambda m: (m[:, 2, 3] / m[:, 2, 0]) ** 2):
        means, errors = [], []
        for momenta, weights in ((one.momenta, one.phase_space_weight), (flat.momenta, flat.weights)):
            values = weights * function(momenta)
            means.append(values.sum() / one.info.n_trials)
            errors.append(np.sqrt((values**2).sum()) / one.info.n_trials)
        assert abs(means[0] - means[1]) < 4 * np.hypot(*errors)  # false alarm 1e-4, seeds fixed
    part = one.split(1000, 500)[1]
    np.testing.assert_array_equal(part.sampling_weight, one.sampling_weight[1000:1500])


def test_points_after_all_legs_are_closer_to_the_cross_section(tmp_path: Path) -> None:
    """Effective number of points of a cross section; some 1 and 5 % of the points, which scatter by less than 2."""
    found = {}
    for legs in ("gluons", "all"):
        dataset = generate(
            "gg_to_aag_1tev",
            20_000,
            tmp_path / f"{legs}.h5",
            seed=SEED,
            importance=0.5,
            importance_legs=legs,
        )
        found[legs] = effective_number(len(dataset), dataset.amplitude * dataset.phase_space_weight)
    assert found["all"] > 2 * found["gluons"]
    assert "legs" not in json.loads(Dataset.open(tmp_path / "gluons.h5").info.importance)


def test_flat_datasets_are_as_before(tmp_path: Path) -> None:
    dataset = generate("gg_to_aag_1tev", 200, tmp_path / "flat.h5", seed=SEED)
    assert dataset.info.importance == ""
    assert np.all(dataset.sampling_weight == 1.0)
    with pytest.raises(PyampError, match="exists and is something else"):
        generate("gg_to_aag_1tev", 200, tmp_path / "flat.h5", seed=SEED, importance=0.5)


def test_bad_shares_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PyampError, match=r"importance is 1\.5; expected a share"):
        generate("gg_to_aag_1tev", 100, tmp_path / "x.h5", importance=1.5)
    with pytest.raises(PyampError, match="importance_exponent is 2"):
        generate("gg_to_aag_1tev", 100, tmp_path / "x.h5", importance=0.5, importance_exponent=2)
    with pytest.raises(PyampError, match="importance_legs is 'photons'; expected one of gluons, all"):
        generate("gg_to_aag_1tev", 100, tmp_path / "x.h5", importance=0.5, importance_legs="photons")
    assert not list(tmp_path.iterdir())
