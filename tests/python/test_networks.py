"""Networks: their formulae by hand, their symmetries, ensembles of them, what they refuse, and that they learn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline

from pyamp.configuration import validated
from pyamp.datasets import Dataset, generate
from pyamp.errors import PyampError
from pyamp.networks import (
    DSI,
    FKS,
    KAN,
    MLP,
    AnyNetworkConfig,
    DSIConfig,
    FKSConfig,
    GroupKAN,
    GroupKANConfig,
    KANConfig,
    LGATrConfig,
    MLPConfig,
    Network,
    network_from_header,
)
from pyamp.networks.fks import singular_pairs
from pyamp.networks.group_kan import Rational
from pyamp.networks.kan import b_splines
from pyamp.networks.stacked_linear import StackedLinear
from pyamp.posteriors import DeepEnsemble
from pyamp.representations import Representation, RepresentationConfig
from pyamp.targets import Linear, Log, Log1p
from pyamp.training import TrainingConfig, train
from tests.support import PDG_IDS
from tests.transformations import exchanged, lorentz_transformation

SMALL: dict[str, tuple[str, AnyNetworkConfig]] = {
    "mlp": ("ordered_invariants", MLPConfig(hidden=[16, 16], residual=True)),
    "kan": ("ordered_invariants", KANConfig(hidden=[8], intervals=5)),
    "group_kan": ("ordered_invariants", GroupKANConfig(hidden=[16, 16], groups=4)),
    "dsi": ("deep_sets_invariants", DSIConfig(pair=[8], particle=[12, 8], hidden=[16])),
    "fks": ("log_invariants", FKSConfig(hidden=[12, 12], y_cut=0.05)),
    "lgatr": ("four_vectors", LGATrConfig(blocks=1, multivectors=4, scalars=8, heads=2)),
}

# Sums of up to 100 terms of order 1 in another order.
REORDERED = 1e-13


def fitted(kind: str, momenta: np.ndarray) -> Representation:
    representation = RepresentationConfig(type=kind).build(PDG_IDS)
    representation.fit(torch.from_numpy(momenta))
    return representation


def log_target(std: float = 0.8) -> Log:
    target = Log()
    target.std.fill_(std)
    return target


def build(name: str, momenta: np.ndarray, seed: int = 1, n: int = 40) -> tuple[Network, torch.Tensor]:
    """A small float64 network with random weights, and features for it."""
    kind, config = SMALL[name]
    representation = fitted(kind, momenta)
    torch.manual_seed(seed)
    network = config.build(representation, 2)
    network.fit(representation, log_target())
    return network.double(), representation(torch.from_numpy(momenta[:n]))


# What all networks share.


@pytest.mark.parametrize("name", SMALL)
def test_an_ensemble_is_its_members_side_by_side(name: str, momenta: np.ndarray) -> None:
    built = [build(name, momenta, seed) for seed in range(3)]
    networks, features = [network for network, _ in built], built[0][1]
    alone = torch.stack([network(features) for network in networks])
    assert (alone[0] - alone[1]).abs().max() > 1e-3  # the members differ
    together = DeepEnsemble(networks)(features)
    torch.testing.assert_close(together, alone, rtol=0, atol=REORDERED)


@pytest.mark.parametrize("name", SMALL)
def test_points_do_not_see_each_other(name: str, momenta: np.ndarray) -> None:
    network, features = build(name, momenta)
    one_by_one = torch.cat([network(point[None]) for point in features])
    torch.testing.assert_close(network(features), one_by_one, rtol=0, atol=REORDERED)
    assert network(features[:0]).shape == (0, 2)


@pytest.mark.parametrize("name", SMALL)
def test_single_precision_is_double_precision_rounded(name: str, momenta: np.ndarray) -> None:
    network, features = build(name, momenta)
    exact = network(features)
    rounded = network.float()(features.float())
    assert rounded.dtype == torch.float32
    # 6e-8 for each rounding; features of up to 5 go through polynomials and logarithms of some ten steps.
    torch.testing.assert_close(rounded.double(), exact, rtol=0, atol=3e-5)


@pytest.mark.parametrize("name", SMALL)
def test_a_network_is_its_header_and_its_weights(name: str, momenta: np.ndarray) -> None:
    network, features = build(name, momenta)
    again = network_from_header(network.header()).double()
    again.load_state_dict(dict(network.named_parameters()))
    assert torch.equal(again(features), network(features))
    # The weights are the whole state: constants stand in the header.
    assert network.state_dict().keys() == dict(network.named_parameters()).keys()


@pytest.mark.parametrize("name", ["kan", "group_kan", "dsi", "fks"])
def test_gradients_are_those_of_finite_differences(name: str, momenta: np.ndarray) -> None:
    network, features = build(name, momenta, n=6)
    weights = {key: value.detach().requires_grad_() for key, value in network.named_parameters()}

    def outputs(*values: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = torch.func.functional_call(
            network, dict(zip(weights, values, strict=True)), (features,)
        )
        return result

    # Along one random direction of all weights and outputs together.
    assert torch.autograd.gradcheck(outputs, tuple(weights.values()), fast_mode=True)


@pytest.mark.parametrize("name", SMALL)
def test_it_learns_a_smooth_function(name: str, momenta: np.ndarray) -> None:
    """A quadratic form of invariants, of unit variance, to a fraction of it."""
    network, features = build(name, momenta, n=64)
    invariants = fitted("log_invariants", momenta)(torch.from_numpy(momenta[:64]))
    value = invariants[:, 6] + 0.5 * invariants[:, 2] * invariants[:, 5]  # s_23, s_04, s_14
    target = (value - value.mean()) / value.std()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    losses = []
    for _ in range(60 if name == "lgatr" else 200):
        loss = (network(features)[:, 0] - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]


# Multilayer perceptron.


@pytest.mark.parametrize("residual", [False, True])
def test_mlp_by_hand(residual: bool) -> None:
    torch.manual_seed(2)
    network = MLP([3, 5, 5, 4, 4, 2], "tanh", residual).double()
    x = np.random.default_rng(1).normal(size=(7, 3))
    weights = [
        (layer.weight.detach().numpy(), layer.bias.detach().numpy())
        for layer in network.layers
        if isinstance(layer, torch.nn.Linear)
    ]
    h = np.tanh(x @ weights[0][0].T + weights[0][1])
    for layer, adds in zip(weights[1:-1], (True, False, True), strict=True):
        step = np.tanh(h @ layer[0].T + layer[1])
        h = h + step if residual and adds else step
    expected = h @ weights[-1][0].T + weights[-1][1]
    np.testing.assert_allclose(network(torch.from_numpy(x)).detach().numpy(), expected, rtol=0, atol=1e-14)


# Kolmogorov–Arnold network.


@pytest.mark.parametrize(("intervals", "order"), [(1, 3), (4, 1), (8, 3), (5, 5)])
def test_b_splines_are_those_of_scipy(intervals: int, order: int) -> None:
    limit = 2.5
    step = 2 * limit / intervals
    knots = -limit + step * np.arange(-order, intervals + order + 1)
    u = np.linspace(-limit, limit, 203)[1:-1]
    found = b_splines(torch.from_numpy(u), intervals, order, limit).numpy()
    for j in range(intervals + order):
        expected = BSpline(knots, np.eye(intervals + order)[j], order)(u)
        np.testing.assert_allclose(found[:, j], expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_b_splines_add_up_to_one_on_the_grid(order: int) -> None:
    u = torch.linspace(-3.0, 3.0, 101, dtype=torch.float64)[:-1]  # the last knot belongs to the next interval
    total = b_splines(u, 6, order, 3.0).sum(dim=-1)
    torch.testing.assert_close(total, torch.ones_like(u), rtol=0, atol=1e-13)


def test_kan_by_hand() -> None:
    intervals, order, limit = 4, 3, 2.0
    torch.manual_seed(3)
    network = KAN([2, 3, 1], intervals, order, limit).double()
    knots = -limit + 2 * limit / intervals * np.arange(-order, intervals + order + 1)
    x = 3 * np.random.default_rng(1).normal(size=(20, 2))
    h = x
    for layer in network.layers:
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        n_in = h.shape[1]
        linear, splines = weight[:, :n_in], weight[:, n_in:].reshape(len(weight), n_in, intervals + order)
        u = limit * np.tanh(h / limit)
        h = bias + np.stack(
            [
                sum(
                    linear[o, i] * h[:, i] / (1 + np.exp(-h[:, i]))
                    + BSpline(knots, splines[o, i], order)(u[:, i])
                    for i in range(n_in)
                )
                for o in range(len(weight))
            ],
            axis=1,
        )
    np.testing.assert_allclose(network(torch.from_numpy(x)).detach().numpy(), h, rtol=0, atol=1e-12)


# GroupKAN.


def test_group_kan_by_hand() -> None:
    generator = np.random.default_rng(4)
    network = GroupKAN([3, 5, 1], groups=2, numerator=3, denominator=2).double()
    for parameter in network.parameters():
        parameter.data.copy_(torch.from_numpy(generator.normal(size=tuple(parameter.shape))))
    weights = {key: value.detach().numpy() for key, value in network.named_parameters()}
    x = generator.normal(size=(11, 3))
    z = x @ weights["layers.0.weight"].T + weights["layers.0.bias"]
    hidden = np.empty_like(z)
    for unit, group in enumerate([0, 0, 0, 1, 1]):  # unit · 2 // 5
        a, b = weights["activations.0.numerator"][group], weights["activations.0.denominator"][group]
        above = np.polynomial.polynomial.polyval(z[:, unit], a)
        below = np.polynomial.polynomial.polyval(z[:, unit], [0.0, *b])
        hidden[:, unit] = above / (1 + np.abs(below))
    expected = hidden @ weights["layers.1.weight"].T + weights["layers.1.bias"]
    found = network(torch.from_numpy(x)).detach().numpy()
    # Powers up to z³ of inputs up to 6: terms of some 100.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("degrees", "error"), [((5, 4), 1e-4), ((4, 2), 1e-3), ((3, 2), 0.03), ((6, 6), 1e-4)]
)
def test_activations_start_as_silu(degrees: tuple[int, int], error: float) -> None:
    """Within what a rational function of these degrees can do."""
    x = torch.linspace(-4.0, 4.0, 333)[:, None]
    found = Rational(1, 1, *degrees)(x).detach()
    torch.testing.assert_close(found, torch.nn.functional.silu(x), rtol=0, atol=error)


# Deep sets of invariants.


@pytest.mark.parametrize("legs", [(0, 1), (2, 3)])
def test_dsi_is_symmetric_in_identical_legs(legs: tuple[int, int], momenta: np.ndarray) -> None:
    network, _ = build("dsi", momenta)
    representation = fitted("deep_sets_invariants", momenta)
    outputs = [
        network(representation(torch.from_numpy(p))) for p in (momenta, exchanged(momenta, *legs).copy())
    ]
    torch.testing.assert_close(*outputs, rtol=0, atol=REORDERED)


def test_dsi_tells_different_legs_apart(momenta: np.ndarray) -> None:
    network, features = build("dsi", momenta)
    representation = fitted("deep_sets_invariants", momenta)
    other = network(representation(torch.from_numpy(exchanged(momenta[:40], 3, 4).copy())))
    assert (other - network(features)).abs().max() > 1e-3


def test_dsi_by_hand() -> None:
    """Legs one after the other: gluons 0 and 1, photons 2 and 3, gluon 4."""
    classes = [0, 0, 1, 1, 2]
    torch.manual_seed(5)
    network = DSI(classes, [3, 4], [5], [6, 2], "tanh").double()
    weights = {key: value.detach().numpy() for key, value in network.named_parameters()}

    def mlp(name: str, x: np.ndarray, n_layers: int, ends_linear: bool = False) -> np.ndarray:
        for number in range(n_layers):
            x = x @ weights[f"{name}.layers.{number}.weight"].T + weights[f"{name}.layers.{number}.bias"]
            x = x if ends_linear and number == n_layers - 1 else np.tanh(x)
        return x

    features = np.random.default_rng(6).normal(size=9)
    pairs = [(i, j) for i in range(5) for j in range(i + 1, 5) if (i, j) != (0, 1)]
    x = {}
    for value, (i, j) in zip(features, pairs, strict=True):
        x[i, j] = x[j, i] = np.array([value])
    sums: dict[int, np.ndarray] = {}
    for i, c in enumerate(classes):
        blocks = []
        for d in range(3):
            terms = [mlp(f"pair.{c}_{d}", x[i, j], 2) for j in range(5) if classes[j] == d and (i, j) in x]
            blocks += [sum(terms)] if terms else []
        sums[c] = sums.get(c, 0.0) + mlp(f"particle.{c}", np.concatenate(blocks), 1)
    expected = mlp("head", np.concatenate([sums[c] for c in range(3)]), 2, ends_linear=True)
    found = network(torch.from_numpy(features)[None])[0].detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


# FKS-partitioned network.


def s_matrix(momenta: np.ndarray) -> Callable[[int, int], np.ndarray]:
    def s(i: int, j: int) -> np.ndarray:
        p, q = momenta[:, i], momenta[:, j]
        return 2 * np.abs(p[:, 0] * q[:, 0] - (p[:, 1:] * q[:, 1:]).sum(axis=1))

    return s


def fks(momenta: np.ndarray, **options: Any) -> tuple[FKS, Representation]:
    representation = fitted("log_invariants", momenta)
    torch.manual_seed(7)
    network = FKSConfig(hidden=[12], **options).build(representation, 2)
    network.fit(representation, log_target())
    return network.double(), representation


@pytest.mark.parametrize("pairs", [None, [[0, 4], [4, 1], [2, 4], [3, 4]]])
def test_fks_partition_is_that_of_the_invariants(pairs: list[list[int]] | None, momenta: np.ndarray) -> None:
    network, representation = fks(momenta, pairs=pairs)
    partition = network.partition(representation(torch.from_numpy(momenta))).numpy()
    np.testing.assert_allclose(partition.sum(axis=1), 1.0, rtol=0, atol=1e-14)
    s = s_matrix(momenta)
    inverse = np.stack([1 / s(i, j) for i, j in network.pairs], axis=1)
    np.testing.assert_allclose(partition, inverse / inverse.sum(axis=1, keepdims=True), rtol=1e-9)


def test_fks_adds_amplitudes_below_the_cut_and_is_one_network_above(momenta: np.ndarray) -> None:
    """In amplitude units: A = Σ S_k exp(d μ_k), σ_A² = Σ (∂A/∂μ_k σ_k)²."""
    y_cut, d = 0.05, 0.8
    network, representation = fks(momenta, y_cut=y_cut)
    features = representation(torch.from_numpy(momenta)).numpy()
    s = s_matrix(momenta)
    y = np.stack([s(i, j) / s(0, 1) for i, j in network.pairs], axis=1)
    finite = y.min(axis=1) >= y_cut
    assert 0.1 < finite.mean() < 0.9  # both regions are there
    (w0, b0), (w1, b1) = [
        (layer.weight.detach().numpy(), layer.bias.detach().numpy())
        for layer in network.layers
        if isinstance(layer, StackedLinear)
    ]
    parts = []
    for k in range(1 + len(network.pairs)):
        z = torch.from_numpy(features @ w0[k].T + b0[k])
        parts.append(torch.nn.functional.gelu(z).numpy() @ w1[k].T + b1[k])
    partition = (1 / y) / (1 / y).sum(axis=1, keepdims=True)
    amplitudes = [partition[:, k] * np.exp(d * part[:, 0]) for k, part in enumerate(parts[1:])]
    amplitude = np.sum(amplitudes, axis=0)
    errors = [a * d * np.exp(part[:, 1]) for a, part in zip(amplitudes, parts[1:], strict=True)]
    sigma = np.sqrt(np.sum(np.square(errors), axis=0))
    expected = np.stack([np.log(amplitude) / d, np.log(sigma / (amplitude * d))], axis=1)
    expected[finite] = parts[0][finite]
    found = network(torch.from_numpy(features)).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_fks_of_equal_sub_networks_is_one_network(momenta: np.ndarray) -> None:
    network, representation = fks(momenta)
    mlp = MLP(network.widths, "gelu").double()
    for stacked, layer in zip(network.layers, mlp.layers, strict=True):
        stacked.weight.data.copy_(layer.weight.data.expand_as(stacked.weight))
        stacked.bias.data.copy_(layer.bias.data.expand_as(stacked.bias))
    features = representation(torch.from_numpy(momenta))
    torch.testing.assert_close(network(features)[:, 0], mlp(features)[:, 0], rtol=0, atol=REORDERED)


@pytest.mark.parametrize(
    ("pdg_ids", "expected"),
    [
        ([21, 21, 22, 22, 21], [(0, 4), (1, 4)]),
        ([21, 21, 22, 22, 21, 21], [(0, 4), (0, 5), (1, 4), (1, 5), (4, 5)]),
        ([11, -11, 1, -1, 21], [(2, 3), (2, 4), (3, 4)]),  # γ* → d d̄ too
        ([1, -1, 22, 22], [(0, 2), (0, 3), (1, 2), (1, 3)]),
        ([1, 21, 1, 22], [(0, 2), (0, 3), (1, 2), (2, 3)]),
        ([21, 21, 25, 25], []),
    ],
)
def test_singular_pairs_are_those_that_a_vertex_joins(
    pdg_ids: list[int], expected: list[tuple[int, int]]
) -> None:
    assert singular_pairs(pdg_ids, 2) == expected


# L-GATr.


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("reflected", [False, True])
def test_lgatr_does_not_change_under_lorentz_transformations(
    seed: int, reflected: bool, momenta: np.ndarray
) -> None:
    network, features = build("lgatr", momenta, n=30)
    parity = np.diag([1.0, -1.0, -1.0, -1.0]) if reflected else np.eye(4)
    transformed = momenta[:30] @ (lorentz_transformation(seed) @ parity).T
    other = network(fitted("four_vectors", momenta)(torch.from_numpy(transformed)))
    # Components grow by e^1.5 and cancel in invariants of invariants: 16 digits less some four.
    torch.testing.assert_close(other, network(features), rtol=0, atol=1e-11)


def test_lgatr_is_symmetric_in_identical_legs_only(momenta: np.ndarray) -> None:
    network, features = build("lgatr", momenta, n=30)
    representation = fitted("four_vectors", momenta)

    def after(i: int, j: int) -> torch.Tensor:
        outputs: torch.Tensor = network(
            representation(torch.from_numpy(exchanged(momenta[:30], i, j).copy()))
        )
        return outputs

    torch.testing.assert_close(after(2, 3), network(features), rtol=0, atol=REORDERED)
    assert (after(3, 4) - network(features)).abs().max() > 1e-4


def test_lgatr_is_trained_after_an_evaluation_without_gradients(momenta: np.ndarray) -> None:
    network, features = build("lgatr", momenta)
    with torch.inference_mode():
        network(features)
    network(features).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


# What does not go together.


@pytest.mark.parametrize(
    ("kind", "config", "message"),
    [
        ("ordered_invariants", DSIConfig(), "ordered_invariants found.*set type: deep_sets_invariants"),
        ("log_invariants", DSIConfig(), "log_invariants found.*set type: deep_sets_invariants"),
        ("momenta", DSIConfig(), "momenta found.*set type: deep_sets_invariants"),
        ("ordered_invariants", FKSConfig(), "ordered_invariants found.*set type: log_invariants"),
        ("four_vectors", FKSConfig(), "four_vectors found.*set type: log_invariants"),
        ("log_invariants", FKSConfig(pairs=[(0, 1)]), r"pairs \[\[0, 1\]\] found.*legs 0 to 4"),
        ("log_invariants", FKSConfig(pairs=[(0, 4), (4, 0)]), "different pairs"),
        ("log_invariants", FKSConfig(pairs=[(2, 7)]), "legs 0 to 4"),
        ("momenta", LGATrConfig(), "momenta found.*set type: four_vectors"),
        ("log_invariants", LGATrConfig(), "log_invariants found.*set type: four_vectors"),
    ],
)
def test_representations_that_a_network_cannot_use_are_refused(
    kind: str, config: DSIConfig | FKSConfig | LGATrConfig, message: str
) -> None:
    with pytest.raises(PyampError, match=message) as error:
        config.build(RepresentationConfig(type=kind).build(PDG_IDS), 2)
    assert "\n" not in str(error.value)


def test_fks_refuses_other_likelihoods_and_targets_and_processes_without_singularities(
    momenta: np.ndarray,
) -> None:
    representation = fitted("log_invariants", momenta)
    with pytest.raises(PyampError, match="4 outputs found, heteroskedastic_gaussian expected"):
        FKSConfig().build(representation, 4)
    network = FKSConfig().build(representation, 2)
    for target, kind in ((Linear(), "linear"), (Log1p(), "log1p")):
        with pytest.raises(PyampError, match=f"target {kind} found, log expected"):
            network.fit(representation, target)
    with pytest.raises(PyampError, match="no singular pair of legs found"):
        FKSConfig().build(RepresentationConfig(type="log_invariants").build([21, 21, 25, 25]), 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"type": "group_kan", "hidden": [4], "groups": 8}, "groups is 8 for hidden \\[4\\]"),
        ({"type": "group_kan", "numerator": 3, "denominator": 4}, "denominator is 4 for numerator 3"),
        ({"type": "dsi", "pair": [0]}, "positive widths expected"),
        ({"type": "fks", "y_cut": 0.0}, "y_cut"),
        ({"type": "lgat"}, "did you mean 'lgatr'"),
    ],
)
def test_bad_options_are_refused_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PyampError, match=message):
        validated({"network": options}, TrainingConfig, "train.yaml")


# From a configuration to a model file.


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return generate("gg_to_aag_1tev", 400, tmp_path_factory.mktemp("data") / "points.h5", seed=3)


def training_config(name: str, **options: Any) -> TrainingConfig:
    kind, network = SMALL[name]
    content = {
        "representation": {"type": kind},
        "network": network.model_dump(),
        "steps": 50,
        "batch_size": 64,
        "validation_interval": 10,
        "warmup_steps": 5,
        **options,
    }
    return validated(content, TrainingConfig, "train.yaml")


@pytest.mark.parametrize(
    "posterior", [{"type": "deterministic"}, {"type": "ensemble", "members": 2}], ids=lambda p: p["type"]
)
@pytest.mark.parametrize("name", sorted(SMALL.keys() - {"lgatr"}))
def test_it_trains_from_a_configuration(
    name: str, posterior: dict[str, Any], dataset: Dataset, tmp_path: Path
) -> None:
    result = train(dataset, tmp_path, training_config(name, posterior=posterior))
    rows = (tmp_path / "log.csv").read_text().splitlines()
    losses = [float(row.split(",")[2]) for row in rows[1:]]
    assert len(losses) == 5
    assert losses[-1] < losses[0]
    assert np.isfinite(result.metrics["flat"]["median_abs_delta"])
    assert result.model_path.exists()


@pytest.mark.parametrize("members", [1, 2])
def test_lgatr_trains_and_is_not_written(members: int, dataset: Dataset, tmp_path: Path) -> None:
    posterior = {"type": "ensemble", "members": 2} if members == 2 else {"type": "deterministic"}
    with pytest.raises(PyampError, match=r"network: network lgatr .*; set export: false"):
        train(dataset, tmp_path / "run", training_config("lgatr", posterior=posterior))
    assert not (tmp_path / "run").exists()
    config = training_config("lgatr", posterior=posterior, ema_decay=0.5, export=False)
    assert train(dataset, tmp_path, config).model_path is None
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 6
    assert (tmp_path / "metrics.json").exists()
    assert not (tmp_path / "model.safetensors").exists()
