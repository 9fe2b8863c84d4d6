"""Every combination that a model file can name: the C++ evaluator against an independent NumPy implementation."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pyamp
from tests import reference_evaluator
from tests.handmade_models import (
    LIKELIHOODS,
    NETWORKS,
    REPRESENTATIONS,
    STRIPPED,
    TARGETS,
    Y_CUT,
    make_model,
    self_test,
    write_container,
    write_model,
)

# The features of dipoles are for the network of that name; one other shows that any network may see them.
FREE = [
    choice
    for choice in itertools.product(REPRESENTATIONS, NETWORKS, TARGETS, LIKELIHOODS)
    if choice[0] != "dipoles" or choice[1:3] == ("mlp", "log")
]
DSI = list(itertools.product(["unordered"], ["dsi"], TARGETS, LIKELIHOODS))
DIPOLE = [
    ("dipoles", "dipole", "log", likelihood)
    for likelihood in ("heteroskedastic_gaussian", "mse", "evidential")
]
FKS = [("unordered", "fks", "log", "heteroskedastic_gaussian")]
POSTERIORS = ("deterministic", "ensemble", "repulsive_ensemble", "bayesian")
# Relative errors of the amplitude and of the uncertainties.
TOLERANCES = {"float64": (1e-10, 1e-10), "float32": (1e-5, 2e-4)}


def rounding_scale(header: dict[str, Any], momenta: np.ndarray, amplitude: np.ndarray) -> np.ndarray:
    """What rounding in the network is relative to, in units of the amplitude, ``(n,)``."""
    target = header["target"]
    of_type = {"log": 0.0, "log1p": target.get("scale"), "linear": abs(target["mean"]) + target["std"]}
    factor = reference_evaluator.singular_factor(header["representation"], momenta)
    return np.abs(amplitude) + of_type[target["type"]] * factor


def compare(
    evaluator: pyamp.Evaluator, header: dict[str, Any], momenta: np.ndarray, expected: tuple[np.ndarray, ...]
) -> None:
    prediction = evaluator(momenta)
    assert not prediction.flags.any()
    of_amplitude, of_sigma = TOLERANCES[evaluator.backend.split()[-1]]
    # A spread is a difference of amplitudes, and an amplitude may be a difference of larger numbers.
    absolute = of_amplitude * rounding_scale(header, momenta, expected[0])
    results = (prediction.amplitude, prediction.sigma_syst, prediction.sigma_stat)
    for result, values, relative in zip(results, expected, (0, of_sigma, of_sigma), strict=True):
        error = np.abs(result / STRIPPED - values)
        assert (error <= absolute + relative * np.abs(values)).all(), (error / absolute).max()


def check(
    path: Path, momenta: np.ndarray, *, dtype: str = "float64", **choices: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The evaluator agrees with NumPy on all points, and so with the self-test; returns NumPy's answers."""
    header, tensors = make_model(momenta, dtype=dtype, **choices)
    expected = reference_evaluator.evaluate(header, tensors, momenta)
    write_model(path, header, tensors, momenta)
    evaluator = pyamp.Evaluator(path)
    compare(evaluator, header, momenta, expected)
    if evaluator.backend.startswith("fused"):
        compare(pyamp.Evaluator(path, backend="libtorch"), header, momenta, expected)
    if dtype == "float32":
        compare(pyamp.Evaluator(path, dtype="float64"), header, momenta, expected)
    return expected


@pytest.mark.parametrize("posterior", ["deterministic", "ensemble"])
@pytest.mark.parametrize(
    ("representation", "network", "target", "likelihood"), FREE + DSI + FKS + DIPOLE, ids=lambda value: value
)
def test_agrees_with_numpy(
    tmp_path: Path,
    momenta: np.ndarray,
    representation: str,
    network: str,
    target: str,
    likelihood: str,
    posterior: str,
) -> None:
    _, sigma_syst, sigma_stat = check(
        tmp_path / "m.safetensors",
        momenta[:60],
        representation=representation,
        network=network,
        target=target,
        likelihood=likelihood,
        posterior=posterior,
    )
    assert (sigma_syst > 0).all()
    assert (sigma_stat > 0).all() == (posterior == "ensemble" or likelihood == "evidential")


@pytest.mark.parametrize("posterior", POSTERIORS)
@pytest.mark.parametrize("network", [*NETWORKS, "dsi", "fks", "dipole"])
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_networks_with_every_posterior_and_dtype(
    tmp_path: Path, momenta: np.ndarray, network: str, posterior: str, dtype: str
) -> None:
    representation = "dipoles" if network == "dipole" else "unordered"
    choices = {"representation": representation, "network": network, "posterior": posterior}
    check(tmp_path / "m.safetensors", momenta, dtype=dtype, **choices)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_float32(
    tmp_path: Path, momenta: np.ndarray, representation: str, target: str, likelihood: str
) -> None:
    path = tmp_path / "m.safetensors"
    choices = {"representation": representation, "target": target, "likelihood": likelihood}
    check(path, momenta, dtype="float32", posterior="ensemble", sigma_network=True, **choices)


def test_one_member_is_the_point_estimate(tmp_path: Path, momenta: np.ndarray) -> None:
    one = check(tmp_path / "m.safetensors", momenta, posterior="bayesian", members=1)
    assert (one[2] == 0).all()


@pytest.mark.parametrize("posterior", ["deterministic", "ensemble"])
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("target", TARGETS)
def test_sigma_network(
    tmp_path: Path, momenta: np.ndarray, target: str, likelihood: str, posterior: str
) -> None:
    choices = {"target": target, "likelihood": likelihood, "posterior": posterior}
    with_it = check(tmp_path / "m.safetensors", momenta, sigma_network=True, **choices)
    without = check(tmp_path / "n.safetensors", momenta, **choices)
    np.testing.assert_array_equal(with_it[0], without[0])
    np.testing.assert_array_equal(with_it[2], without[2])
    assert not np.isclose(with_it[1], without[1], atol=0).all()


@pytest.mark.parametrize("network", ["kan", "dsi", "fks"])
def test_sigma_network_beside_other_networks(tmp_path: Path, momenta: np.ndarray, network: str) -> None:
    check(tmp_path / "m.safetensors", momenta, network=network, sigma_network=True, posterior="ensemble")


@pytest.mark.parametrize("sigma_network", [False, True])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "recalibration",
    [
        {"type": "scale", "scale": 1.7},
        # Points below, between and above.
        {"type": "isotonic", "sigma": [0.3, 0.4, 0.5, 0.6], "calibrated": [0.2, 0.5, 0.5, 0.9]},
        {"type": "isotonic", "sigma": [1e-9, 2e-9], "calibrated": [1e-9, 4e-9]},
        {"type": "isotonic", "sigma": [1e9, 2e9], "calibrated": [2e9, 2e9]},
    ],
)
def test_recalibration(
    tmp_path: Path, momenta: np.ndarray, recalibration: dict[str, Any], target: str, sigma_network: bool
) -> None:
    choices = {"target": target, "posterior": "ensemble", "sigma_network": sigma_network}
    after = check(tmp_path / "m.safetensors", momenta, recalibration=recalibration, **choices)
    before = check(tmp_path / "n.safetensors", momenta, **choices)
    np.testing.assert_array_equal(after[0], before[0])
    np.testing.assert_allclose(after[1] / before[1], after[2] / before[2], rtol=1e-12)
    assert not np.isclose(after[1], before[1], atol=0).all()


@pytest.mark.parametrize("activation", sorted(reference_evaluator.ACTIVATIONS))
@pytest.mark.parametrize("residual", [None, False, True])
def test_activations(tmp_path: Path, momenta: np.ndarray, activation: str, residual: bool | None) -> None:
    network: dict[str, Any] = {"type": "mlp", "widths": [9, 8, 8, 8, 2], "activation": activation}
    if residual is not None:
        network["residual"] = residual
    check(tmp_path / "m.safetensors", momenta, network=network, posterior="ensemble")


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("intervals", [1, 2, 9])
@pytest.mark.parametrize("posterior", ["deterministic", "ensemble"])
def test_splines(tmp_path: Path, momenta: np.ndarray, order: int, intervals: int, posterior: str) -> None:
    widths = [9, 5, 5, 2]
    network = {"type": "kan", "widths": widths, "intervals": intervals, "order": order, "range": 1.3}
    check(tmp_path / "m.safetensors", momenta, network=network, posterior=posterior)


def test_splines_far_outside_their_range(tmp_path: Path, momenta: np.ndarray) -> None:
    """tanh rounds to 1: the last spline of the last interval, in its end point."""
    network = {"type": "kan", "widths": [9, 4, 2], "intervals": 4, "order": 3, "range": 0.01}
    check(tmp_path / "m.safetensors", momenta, network=network)


@pytest.mark.parametrize("groups", [1, 2, 5, 6, 9])
def test_groups(tmp_path: Path, momenta: np.ndarray, groups: int) -> None:
    widths = [9, 6, 5, 2]
    network = {"type": "group_kan", "widths": widths, "groups": groups, "numerator": 5, "denominator": 4}
    check(tmp_path / "m.safetensors", momenta, network=network, posterior="ensemble")


@pytest.mark.parametrize(
    "classes",
    [
        [0, 0, 1, 1, 2],
        [0, 1, 2, 3, 4],
        [7, 7, 11, 11, 11],
        [0, 0, 0, 0, 0],
        # Legs 0 and 1 have fewer partners than others of their class.
        [1, 1, 0, 0, 1],
        [0, 1, 1, 2, 2],
    ],
)
def test_classes_of_deep_sets(tmp_path: Path, momenta: np.ndarray, classes: list[int]) -> None:
    network = {
        "type": "dsi",
        "classes": classes,
        "pair_widths": [3],
        "particle_widths": [4],
        "widths": [2],
        "activation": "gelu",
    }
    for posterior in ("deterministic", "ensemble"):
        check(tmp_path / "m.safetensors", momenta, network=network, posterior=posterior)


def test_deep_sets_do_not_see_the_order_of_identical_legs(tmp_path: Path, momenta: np.ndarray) -> None:
    header, tensors = make_model(momenta, network="dsi")
    representation = header["representation"]
    # One mean and one width for the invariants that change places: (0,k) with (1,k), (i,2) with (i,3).
    for values in (representation["mean"], representation["std"]):
        for columns in ([0, 1, 3, 4], [2, 5], [7, 8]):
            for k in columns:
                values[k] = values[columns[0]]
    path = write_model(tmp_path / "m.safetensors", header, tensors, momenta)
    evaluator = pyamp.Evaluator(path)
    expected = evaluator(momenta).amplitude
    for order in ([1, 0, 2, 3, 4], [0, 1, 3, 2, 4], [1, 0, 3, 2, 4]):
        np.testing.assert_allclose(evaluator(momenta[:, order]).amplitude, expected, rtol=1e-12)
    swapped = pyamp.Evaluator(path, policy="nan")(momenta[:, [0, 1, 4, 3, 2]])
    assert not np.isclose(swapped.amplitude, expected, atol=0)[swapped.flags == 0].any()


@pytest.mark.parametrize("y_cut", [1e-6, Y_CUT, 2.0])
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_regions_of_the_fks_partition(tmp_path: Path, momenta: np.ndarray, y_cut: float, dtype: str) -> None:
    header, _ = make_model(momenta, network="fks")
    network = {**header["network"], "y_cut": y_cut}
    s = reference_evaluator.abs_invariants(momenta)
    is_finite = (s[:, :4, 4].min(axis=1) / s[:, 0, 1]) >= y_cut
    # The cut in the middle leaves points on both sides.
    assert {1e-6: is_finite.all(), Y_CUT: 0.1 < is_finite.mean() < 0.9, 2.0: not is_finite.any()}[y_cut]
    for posterior in ("deterministic", "ensemble"):
        check(tmp_path / "m.safetensors", momenta, network=network, posterior=posterior, dtype=dtype)


def test_wide_gaussians_are_cut(tmp_path: Path, momenta: np.ndarray) -> None:
    """Large outputs for the widths: every sigma of the target is 1 and not more."""
    for likelihood in ("heteroskedastic_gaussian", "gaussian_mixture", "evidential"):
        header, tensors = make_model(momenta, likelihood=likelihood, sigma_network=True)
        n_widths = {"heteroskedastic_gaussian": 1, "gaussian_mixture": 3, "evidential": 1}[likelihood]
        tensors["layers.2.bias"][-n_widths:] = 30.0
        tensors["sigma_network.layers.1.bias"][:] = 30.0
        for name in ("sigma_network", None):
            if name is None:
                del header["sigma_network"]
                tensors = {key: values for key, values in tensors.items() if "sigma_network" not in key}
            path = write_model(tmp_path / "m.safetensors", header, tensors, momenta)
            expected = reference_evaluator.evaluate(header, tensors, momenta)
            np.testing.assert_allclose(
                pyamp.Evaluator(path)(momenta).sigma_syst, STRIPPED * expected[1], rtol=1e-10
            )
        if likelihood != "gaussian_mixture":
            np.testing.assert_allclose(expected[1] / expected[0], np.sqrt(np.expm1(0.49)), rtol=1e-10)


@pytest.mark.parametrize("network", [*NETWORKS, "dsi", "fks"])
def test_flagged_rows_leave_the_others_alone(tmp_path: Path, momenta: np.ndarray, network: str) -> None:
    header, tensors = make_model(momenta, network=network, posterior="ensemble", sigma_network=True)
    path = write_model(tmp_path / "m.safetensors", header, tensors, momenta)
    evaluator = pyamp.Evaluator(path, policy="nan")
    spoiled = momenta[:20].copy()
    spoiled[[3, 7]] = np.nan
    clean, prediction = evaluator(momenta[:20]), evaluator(spoiled)
    sound = prediction.flags == 0
    assert sound.sum() == 18
    for name in ("amplitude", "sigma_syst", "sigma_stat"):
        np.testing.assert_array_equal(getattr(prediction, name)[sound], getattr(clean, name)[sound])


def test_a_nan_within_a_network_stays_with_its_point(tmp_path: Path, momenta: np.ndarray) -> None:
    """Splines of NaN, which is infinity times zero, for points in the first interval of the first feature only."""
    network = {"type": "kan", "widths": [9, 2, 2, 1, 2], "intervals": 9, "order": 3, "range": 1.3}
    header, tensors = make_model(momenta, network=network)
    first = reference_evaluator.features(header["representation"], momenta)[:, 0]
    interval = 4.5 * (1 + np.tanh(first / 1.3))
    momenta = momenta[(interval < 0.9) | (interval > 1)]
    is_first = interval[(interval < 0.9) | (interval > 1)] < 1
    assert 0 < is_first.sum() < 100
    tensors["layers.0.weight"][0, 9] = 1e308  # after SiLU of 9 inputs
    tensors["layers.1.weight"][0, 0] = 1e5
    tensors["layers.2.weight"][0, 0] = 0.0
    path = write_model(tmp_path / "m.safetensors", header, tensors, momenta[~is_first])
    prediction = pyamp.Evaluator(path, policy="nan")(momenta)
    np.testing.assert_array_equal(prediction.flags, np.where(is_first, 32, 0))
    sound = pyamp.Evaluator(path)(momenta[~is_first])
    np.testing.assert_allclose(prediction.amplitude[~is_first], sound.amplitude, rtol=1e-12)


@pytest.mark.parametrize("name", ["amplitude", "sigma_syst", "sigma_stat"])
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_self_test_sees_each_number(tmp_path: Path, momenta: np.ndarray, likelihood: str, name: str) -> None:
    header, tensors = make_model(momenta, likelihood=likelihood, posterior="ensemble")
    path = write_model(tmp_path / "m.safetensors", header, tensors, momenta)
    pyamp.Evaluator(path)
    answers = self_test(header, tensors, momenta)
    answers[name][5] *= 1 + 1e-6
    write_container(path, {**header, "self_test": answers}, tensors)
    with pytest.raises(pyamp.PyampError, match=r"self-test point 5 gives .* 1 expected"):
        pyamp.Evaluator(path)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("posterior", ["deterministic", "ensemble"])
@pytest.mark.parametrize("network", [*NETWORKS, "dsi", "fks"])
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_cuda(tmp_path: Path, momenta: np.ndarray, network: str, posterior: str, dtype: str) -> None:
    choices = {"network": network, "posterior": posterior, "dtype": dtype}
    header, tensors = make_model(momenta, sigma_network=True, **choices)
    path = write_model(tmp_path / "m.safetensors", header, tensors, momenta)
    expected = reference_evaluator.evaluate(header, tensors, momenta)
    compare(pyamp.Evaluator(path, device="cuda"), header, momenta, expected)
