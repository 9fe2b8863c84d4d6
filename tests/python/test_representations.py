"""Representations: their formulae, Lorentz invariance, symmetry in identical legs, and the factor taken out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

import pyamp
from pyamp.errors import PyampError
from pyamp.phase_space import PhaseSpace
from pyamp.representations import (
    LogInvariants,
    Representation,
    RepresentationConfig,
    Resonance,
    conjugation_of,
    leg_classes,
)
from tests.support import PDG_IDS
from tests.transformations import exchanged, lorentz_transformation

INVARIANT = ["ordered_invariants", "log_invariants", "deep_sets_invariants"]
PAIRS = [(0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)]

# Invariants of collinear pairs lose about E²/s_ij ~ 1e3, boosted ones another e^(2·1.5) ~ 20, of the 16 digits of
# transformed momenta.
ROUNDING = 1e-10

# s_ij and s_ji are the same product in another order.
LAST_DIGITS = 1e-13


def fitted(kind: str, momenta: np.ndarray) -> Representation:
    representation = RepresentationConfig(type=kind).build(PDG_IDS)
    representation.fit(torch.from_numpy(momenta))
    return representation


def features(representation: Representation, momenta: np.ndarray) -> np.ndarray:
    return representation(torch.from_numpy(np.ascontiguousarray(momenta))).numpy()


def mass_squared(momenta: np.ndarray, i: int, j: int) -> np.ndarray:
    """|2 p_i·p_j| in long double."""
    p, q = momenta[:, i].astype(np.longdouble), momenta[:, j].astype(np.longdouble)
    return np.abs(2 * (p[:, 0] * q[:, 0] - (p[:, 1:] * q[:, 1:]).sum(axis=1)))


def test_log_invariants_are_logarithms_of_scaled_products(momenta: np.ndarray) -> None:
    representation = RepresentationConfig(type="log_invariants").build(PDG_IDS)
    s = mass_squared(momenta, 0, 1)
    expected = np.stack([np.log(mass_squared(momenta, i, j) / s) for i, j in PAIRS], axis=1)
    raw = representation.raw_features(torch.from_numpy(momenta)).numpy()
    # The product of nearly massless momenta is known to 1e-16 E²/s_ij.
    np.testing.assert_allclose(raw, expected.astype(float), rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", [*INVARIANT, "momenta"])
def test_features_are_standardised(kind: str, momenta: np.ndarray) -> None:
    values = features(fitted(kind, momenta), momenta)
    if kind == "deep_sets_invariants":  # pairs of the same classes together
        classes = leg_classes(PDG_IDS, 2)
        kinds: dict[tuple[int, ...], list[int]] = {}
        for index, (i, j) in enumerate(PAIRS):
            kinds.setdefault(tuple(sorted((classes[i], classes[j]))), []).append(index)
        columns = [values[:, indices].ravel() for indices in kinds.values()]
    else:
        columns = list(values.T)
    varying = [c for c in columns if np.ptp(c) > 0]
    np.testing.assert_allclose([c.mean() for c in columns], 0.0, atol=1e-12)
    np.testing.assert_allclose([c.std(ddof=1) for c in varying], 1.0, rtol=1e-12)


@pytest.mark.parametrize("kind", INVARIANT)
@pytest.mark.parametrize("seed", range(3))
def test_invariants_do_not_change_under_lorentz_transformations(
    kind: str, seed: int, momenta: np.ndarray
) -> None:
    representation = fitted(kind, momenta)
    transformed = momenta @ lorentz_transformation(seed).T
    np.testing.assert_allclose(
        features(representation, transformed), features(representation, momenta), rtol=0, atol=ROUNDING
    )
    factors = [representation.log_factor(torch.from_numpy(p)).numpy() for p in (transformed, momenta)]
    np.testing.assert_allclose(*factors, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("seed", range(3))
def test_four_vectors_transform_as_vectors(seed: int, momenta: np.ndarray) -> None:
    representation = fitted("four_vectors", momenta)
    transformation = lorentz_transformation(seed)
    before = features(representation, momenta).reshape(momenta.shape)
    after = features(representation, momenta @ transformation.T).reshape(momenta.shape)
    np.testing.assert_allclose(after, before @ transformation.T, rtol=0, atol=1e-11)


@pytest.mark.parametrize("kind", [*INVARIANT, "momenta", "four_vectors"])
def test_features_have_no_scale(kind: str, momenta: np.ndarray) -> None:
    representation = fitted(kind, momenta)
    np.testing.assert_allclose(
        features(representation, 7.0 * momenta), features(representation, momenta), rtol=0, atol=1e-11
    )


@pytest.mark.parametrize("legs", [(0, 1), (2, 3)])
def test_ordered_invariants_are_symmetric_in_identical_legs(
    legs: tuple[int, int], momenta: np.ndarray
) -> None:
    representation = fitted("ordered_invariants", momenta)
    np.testing.assert_allclose(
        features(representation, exchanged(momenta, *legs)),
        features(representation, momenta),
        rtol=0,
        atol=LAST_DIGITS,
    )


@pytest.mark.parametrize("legs", [(0, 1), (2, 3)])
def test_features_for_deep_sets_are_exchanged_with_identical_legs(
    legs: tuple[int, int], momenta: np.ndarray
) -> None:
    """The pairs that go over into each other share their standardisation."""
    representation = fitted("deep_sets_invariants", momenta)
    other = dict(zip(legs, legs[::-1], strict=True))
    moved = [tuple(sorted((other.get(i, i), other.get(j, j)))) for i, j in PAIRS]
    columns = [PAIRS.index(pair) for pair in moved]
    np.testing.assert_allclose(
        features(representation, exchanged(momenta, *legs)),
        features(representation, momenta)[:, columns],
        rtol=0,
        atol=LAST_DIGITS,
    )


def test_factors_are_the_eikonal_one_and_the_power_of_s(momenta: np.ndarray) -> None:
    eikonal = RepresentationConfig(factor="eikonal").build(PDG_IDS)
    s01, s04, s14 = (mass_squared(momenta, *pair) for pair in ((0, 1), (0, 4), (1, 4)))
    expected = {"eikonal": s01 / (s04 * s14), "scale": 1 / s01}
    scale = RepresentationConfig(factor="scale").build(PDG_IDS)
    for representation, value in ((eikonal, expected["eikonal"]), (scale, expected["scale"])):
        found = representation.log_factor(torch.from_numpy(momenta)).numpy()
        np.testing.assert_allclose(found, np.log(value).astype(float), rtol=0, atol=1e-10)


def test_eikonal_factor_of_another_dimension_is_refused() -> None:
    with pytest.raises(PyampError, match="set factor: scale"):
        RepresentationConfig(factor="eikonal").build([21, 21, 22, 22, 22])


def test_a_representation_knows_its_name_and_legs() -> None:
    for kind in (*INVARIANT, "momenta", "four_vectors"):
        representation = RepresentationConfig(type=kind).build(PDG_IDS)
        assert representation.kind == kind
        assert representation.pdg_ids == tuple(PDG_IDS)


EEG = [1, -1, 11, -11, 21]


def propagator(momenta: np.ndarray, legs: list[int], mass: float, width: float) -> np.ndarray:
    total = momenta[:, legs].astype(np.longdouble).sum(axis=1)
    s = (total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)).astype(float)
    return s / (s - mass**2 + 1j * mass * width)


@pytest.mark.parametrize(
    ("pdg_ids", "orders"),
    [
        ([21, 21, 22, 22, 21, 21], [(0, 1, 4, 5), (0, 1, 5, 4), (0, 4, 1, 5)] * 2),  # rings, both ways round
        ([11, -11, 1, -1, 21], [(2, 4, 3)]),
        ([11, -11, 21, 1, 21, -1], [(3, 2, 4, 5), (3, 4, 2, 5)]),
    ],
)
def test_antenna_is_the_sum_over_colour_orders(pdg_ids: list[int], orders: list[tuple[int, ...]]) -> None:
    momenta = PhaseSpace("gg_to_aagg_1tev").sample(50, seed=3).momenta[:, : len(pdg_ids)]
    representation = RepresentationConfig(type="log_invariants", factor="antenna").build(pdg_ids)
    s = mass_squared(momenta, 0, 1)
    expected = np.zeros(len(momenta), dtype=np.longdouble)
    is_ring = 1 not in pdg_ids
    for order in orders:
        legs = [*order, order[0]] if is_ring else order
        expected += np.prod([s / mass_squared(momenta, i, j) for i, j in pairwise(legs)], axis=0)
    found = representation.log_factor(torch.from_numpy(momenta)).numpy()
    dimension = 4 - len(pdg_ids)
    np.testing.assert_allclose(found, (np.log(expected) + dimension * np.log(s)).astype(float), atol=1e-9)


@pytest.mark.parametrize("process", ["21 21 -> 11 -11 21 1 -1", "1 -1 -> 11 -11 21", "11 -11 -> 21 2 21 -2"])
def test_exchange_of_particles_and_antiparticles_changes_nothing(process: str) -> None:
    """Neither the features nor the amplitude, which has CP symmetry and, with spins summed, parity."""
    truth = pyamp.truth(f"tree:{process}")
    pdg_ids = list(truth.pdg_ids)
    momenta = PhaseSpace("gg_to_eegdd_1tev").sample(300, seed=3).momenta
    if len(pdg_ids) < 7:
        card = "gg_to_aag_1tev" if len(pdg_ids) == 5 else "gg_to_aagg_1tev"
        momenta = PhaseSpace(card).sample(300, seed=3).momenta
    partners = [k if i == 21 else pdg_ids.index(-i) for k, i in enumerate(pdg_ids)]
    exchanged_momenta = np.ascontiguousarray(momenta[:, partners])
    np.testing.assert_allclose(truth.stripped(exchanged_momenta), truth.stripped(momenta), rtol=1e-8)
    plain, symmetric = (
        RepresentationConfig(factor="scale", linear=True, conjugation=choice).build(pdg_ids)
        for choice in (False, True)
    )
    for representation, expected in ((plain, False), (symmetric, True)):
        representation.fit(torch.from_numpy(momenta))
        a, b = (features(representation, p) for p in (momenta, exchanged_momenta))
        assert np.allclose(a, b, rtol=0, atol=1e-9) == expected


@pytest.mark.parametrize(
    "pdg_ids",
    [[21, 21, 22, 22, 21], [2, -1, 11, -12, 21], [1, 1, 1, 1, 21], [21, 1, 11, -11, 1], [1, -1, 21, 21, 21]],
)
def test_processes_without_that_exchange(pdg_ids: list[int]) -> None:
    assert conjugation_of(pdg_ids, 2) is None


@pytest.mark.parametrize("pdg_ids", [[21, 21, 22, 22], [1, -1, 11, -11], [1, 1, 1, 1, 21]])
def test_antenna_needs_one_quark_line_or_a_ring(pdg_ids: list[int]) -> None:
    with pytest.raises(
        PyampError, match="expected: one quark line with 1 to 6 gluons, or no quark and 3 to 6"
    ):
        RepresentationConfig(factor="antenna").build(pdg_ids)


@pytest.mark.parametrize(
    ("card", "n_sets"), [("gg_to_aag_1tev", 0), ("gg_to_aagg_1tev", 10), ("gg_to_eegdd_1tev", 35)]
)
def test_multiparticle_invariants_are_squares_of_sums(card: str, n_sets: int) -> None:
    momenta = PhaseSpace(card).sample(50, seed=3).momenta
    n_legs = momenta.shape[1]
    representation = LogInvariants(n_legs, 2, [], [], multiparticle=True)
    assert len(set(representation.sets)) == n_sets
    raw = representation.raw_features(torch.from_numpy(momenta)).numpy()[:, len(representation.pairs) :]
    outgoing = momenta.astype(np.longdouble) * np.array([-1, -1] + [1] * (n_legs - 2))[:, None]
    for feature, legs in zip(raw.T, representation.sets, strict=True):
        total = outgoing[:, list(legs)].sum(axis=1)
        s = total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)
        assert (s < 0).all() if legs[0] < 2 else (s > 0).all()
        np.testing.assert_allclose(
            feature, np.log(np.abs(s) / mass_squared(momenta, 0, 1)).astype(float), atol=1e-8
        )


def test_resonance_adds_phase_and_strength_of_its_propagator(momenta: np.ndarray) -> None:
    plain = RepresentationConfig(type="log_invariants", factor="scale").build(EEG)
    config = RepresentationConfig.model_validate(
        {"type": "log_invariants", "factor": "scale", "resonances": "leptons"}
    )
    representation = config.build(EEG)
    points = torch.from_numpy(momenta)
    chi = propagator(momenta, [2, 3], 91.1876, 2.4952)
    raw = representation.raw_features(points).numpy()
    np.testing.assert_array_equal(raw[:, :-2], plain.raw_features(points).numpy())
    strength = np.log1p(np.abs(chi) ** 2)
    # The mass of two legs is a difference of energies here, known to 1e-16 E²/s, times the slope of the peak.
    np.testing.assert_allclose(raw[:, -2], np.angle(1j * chi), rtol=0, atol=1e-9)
    np.testing.assert_allclose(raw[:, -1], strength, rtol=0, atol=1e-9)
    difference = (representation.log_factor(points) - plain.log_factor(points)).numpy()
    np.testing.assert_allclose(difference, strength, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("pdg_ids", "expected"),
    [
        ([1, -1, 11, -11, 21], {(2, 3): 91.1876}),
        ([21, 1, -11, 12, 1, 21], {(2, 3): 80.379}),
        ([2, -2, 14, -14, 21], {(2, 3): 91.1876}),
        ([2, -2, 11, -11, 13, -13], {(2, 3): 91.1876, (4, 5): 91.1876}),
        ([2, -2, 11, -11, 11, -11], dict.fromkeys(((2, 3), (2, 5), (3, 4), (4, 5)), 91.1876)),
        ([2, -1, 13, -14, -11, 11], {(2, 3): 80.379, (4, 5): 91.1876}),
    ],
)
def test_leptons_that_a_boson_decays_to(pdg_ids: list[int], expected: dict[tuple[int, ...], float]) -> None:
    config = RepresentationConfig.model_validate({"type": "log_invariants", "resonances": "leptons"})
    found = config.build(pdg_ids)
    assert isinstance(found, LogInvariants)
    assert {r.legs: r.mass for r in found.resonances} == expected


def test_resonances_by_species_and_by_position_are_the_same() -> None:
    def build(entry: dict[str, object]) -> object:
        choice = {"type": "ordered_invariants", "factor": "scale", "resonances": [entry]}
        found = RepresentationConfig.model_validate(choice).build(EEG)
        assert isinstance(found, LogInvariants)
        return found.resonances

    assert build({"pdg_ids": [-11, 11]}) == build({"legs": [3, 2]}) == (Resonance((2, 3), 91.1876, 2.4952),)
    own = build({"legs": [2, 3, 4], "mass": 125.0, "width": 0.004})
    assert own == (Resonance((2, 3, 4), 125.0, 0.004),)


@pytest.mark.parametrize(
    ("resonances", "message"),
    [
        ([{"legs": [1, 2]}], "outgoing legs of"),
        ([{"legs": [2, 2]}], "different outgoing legs of"),
        ([{"legs": [4]}], "two or more"),
        ([{}], "give their positions in legs or their species in pdg_ids"),
        ([{"pdg_ids": [13, -13]}], "outgoing legs of"),
        ([{"legs": [2, 3]}] * 5, "at most 4"),
    ],
)
def test_resonances_of_other_legs_are_refused(resonances: list[dict[str, object]], message: str) -> None:
    config = RepresentationConfig.model_validate({"type": "log_invariants", "resonances": resonances})
    with pytest.raises(PyampError, match=message):
        config.build(EEG)


@pytest.mark.parametrize("entry", [{"legs": [2, 3], "pdg_ids": [11, -11]}, {"legs": [2, 3], "mass": 91.0}])
def test_incomplete_resonances_are_refused(entry: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="resonances: "):
        RepresentationConfig.model_validate({"type": "log_invariants", "resonances": [entry]})


def test_resonances_of_leptons_need_leptons_and_invariants() -> None:
    config = RepresentationConfig.model_validate({"type": "log_invariants", "resonances": "leptons"})
    with pytest.raises(PyampError, match="a pair of outgoing leptons expected"):
        config.build(PDG_IDS)
    with pytest.raises(ValueError, match="resonances is 'leptons' for type 'momenta'"):
        RepresentationConfig.model_validate({"type": "momenta", "resonances": "leptons"})


def test_resonances_of_leptons_if_there_are_any() -> None:
    config = RepresentationConfig.model_validate({"type": "log_invariants", "resonances": "auto"})
    for pdg_ids, number in ((PDG_IDS, 0), ([1, -1, 11, -11, 21], 1)):
        found = config.build(pdg_ids)
        assert isinstance(found, LogInvariants)
        assert len(found.resonances) == number


def test_resonances_of_identical_legs_are_symmetric() -> None:
    """Four leptons of one flavour: the four pairs that a Z may come from go over into each other."""
    points = PhaseSpace("gg_to_aagg_1tev").sample(50, seed=4).momenta
    config = RepresentationConfig.model_validate({"factor": "scale", "resonances": "leptons"})
    representation = config.build([2, -2, 11, -11, 11, -11])
    for legs in ((2, 4), (3, 5)):
        for value in (representation, representation.log_factor):
            found = [value(torch.from_numpy(p)).numpy() for p in (exchanged(points, *legs), points)]
            np.testing.assert_allclose(*found, rtol=0, atol=1e-11)


def test_many_points_part_by_part(momenta: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    representation = fitted("ordered_invariants", momenta)
    points = torch.from_numpy(momenta)
    expected = representation(points), representation.log_factor(points)
    monkeypatch.setattr("pyamp.representations.representation.CHUNK", 7)
    for found, whole in zip(
        (representation(points), representation.log_factor(points)), expected, strict=True
    ):
        assert torch.equal(found, whole)
