"""Catani-Seymour dipoles: momentum mappings, splitting kernels, and soft and collinear limits of amplitudes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pyamp.errors import PyampError
from pyamp.representations import Dipole, RepresentationConfig, dipoles_of
from tests.dipole_points import matrix, three_body
from tests.transformations import exchanged, lorentz_transformation

# e and quark lines with one gluon, in every crossing.
FINAL = [11, -11, 1, -1, 21]
MIXED = [11, 1, 11, 1, 21]
GLUON_IN = [11, 21, 11, 1, -1]
DRELL_YAN = [1, -1, 11, -11, 21]
COMPTON = [1, 21, 11, -11, 1]
C_F, T_R = 4.0 / 3.0, 0.5


def lines(pdg_ids: list[int]) -> tuple[list[int], list[int], list[int]]:
    """Legs of leptons, of quarks and of gluons."""
    return (
        [i for i, p in enumerate(pdg_ids) if abs(p) == 11],
        [i for i, p in enumerate(pdg_ids) if abs(p) == 1],
        [i for i, p in enumerate(pdg_ids) if p == 21],
    )


def averaged(pdg_ids: list[int]) -> float:
    """Colours of the incoming legs; all have two helicities."""
    return float(np.prod([{1: 3.0, 11: 1.0, 21: 8.0}[abs(p)] for p in pdg_ids[:2]]))


def four_legs(pdg_ids: list[int], momenta: torch.Tensor) -> torch.Tensor:
    """|M|² of leptons and quarks by photon exchange, crossed, in units of 4 e⁴ Q² N_c."""
    (a, b), (q, r), _ = lines(pdg_ids)
    s = matrix(momenta)
    return 2.0 * (s[:, a, q] ** 2 + s[:, a, r] ** 2) / s[:, a, b] ** 2 / averaged(pdg_ids)


def five_legs(pdg_ids: list[int], momenta: torch.Tensor) -> torch.Tensor:
    """The same with a gluon (Ellis, Stirling, Webber, eq. 3.11), over g²."""
    (a, b), (q, r), (g,) = lines(pdg_ids)
    s = matrix(momenta)
    squares = sum(s[:, lepton, quark] ** 2 for lepton in (a, b) for quark in (q, r))
    return 4.0 * C_F * squares / (s[:, a, b] * s[:, q, g] * s[:, r, g]) / averaged(pdg_ids)


def factorised(pdg_ids: list[int], momenta: torch.Tensor) -> torch.Tensor:
    """Sum over dipoles times the amplitude at mapped momenta; two partons are left, so all colours are Casimirs."""
    s = matrix(momenta)
    total = torch.zeros(len(momenta), dtype=torch.float64)
    for dipole in dipoles_of(pdg_ids, 2):
        i, j = dipole.emitter
        reduced = list(pdg_ids)
        reduced[i] = pdg_ids[i] if abs(pdg_ids[i]) == 1 else -pdg_ids[j]
        del reduced[j]
        colour = T_R if dipole.splitting == "gq" else C_F
        value = dipole.evaluate(s)[0] / s[:, 0, 1]
        total += 2.0 * colour * value * four_legs(reduced, dipole.mapped_momenta(momenta, s))
    return total


@pytest.mark.parametrize(
    ("pdg_ids", "legs", "is_soft"),
    [
        (FINAL, [4, 2, 3], True),
        (MIXED, [4, 2, 3], True),
        (DRELL_YAN, [4, 2, 3], True),
        (FINAL, [2, 3, 4], False),  # the other two become collinear
        (FINAL, [3, 2, 4], False),
        (MIXED, [2, 3, 4], False),
    ],
)
def test_soft_gluons_and_collinear_pairs(pdg_ids: list[int], legs: list[int], is_soft: bool) -> None:
    rng = np.random.default_rng(5)
    deviations = []
    for small in (1e-2, 1e-4, 1e-6):
        cos = rng.uniform(-0.8, 0.8, 200)
        fraction = np.full(200, small if is_soft else 1 - small)
        momenta = three_body(rng, legs, fraction, cos)
        ratio = five_legs(pdg_ids, momenta) / factorised(pdg_ids, momenta)
        deviations.append(float((ratio - 1).abs().median()))
    assert deviations[2] < 1e-3
    assert deviations[2] < 0.2 * deviations[1] < 0.04 * deviations[0]


@pytest.mark.parametrize(
    ("pdg_ids", "leg", "sign"),
    [
        (DRELL_YAN, 4, 1),
        (DRELL_YAN, 4, -1),
        (MIXED, 4, -1),
        (COMPTON, 4, -1),
        (GLUON_IN, 3, -1),
        (GLUON_IN, 4, -1),
    ],
)
def test_collinear_to_a_beam(pdg_ids: list[int], leg: int, sign: int) -> None:
    rng = np.random.default_rng(6)
    legs = [leg, *(k for k in (2, 3, 4) if k != leg)]
    deviations = []
    for small in (1e-3, 1e-5, 1e-7):
        momenta = three_body(rng, legs, rng.uniform(0.2, 0.8, 200), np.full(200, sign * (1 - small)))
        ratio = five_legs(pdg_ids, momenta) / factorised(pdg_ids, momenta)
        deviations.append(float((ratio - 1).abs().median()))
    assert deviations[2] < 1e-2
    assert deviations[2] < 0.2 * deviations[1] < 0.04 * deviations[0]


def test_kernels_of_gluons_are_those_of_altarelli_and_parisi() -> None:
    """In the collinear limit, of z for the first leg of a pair or x of what remains of a beam."""
    rng = np.random.default_rng(7)
    z = rng.uniform(0.1, 0.9, 50)
    kernels = {
        "gg": 2 * (z / (1 - z) + (1 - z) / z + z * (1 - z)),
        "qq": z**2 + (1 - z) ** 2,
        "qg": (1 + z**2) / (1 - z),
    }
    initial = kernels | {"gq": z**2 + (1 - z) ** 2, "qq": (1 + (1 - z) ** 2) / z}
    pair = 1e-9
    s = torch.zeros((50, 5, 5), dtype=torch.float64)
    s[:, 0, 1] = s[:, 1, 0] = 1.0

    def set_pair(i: int, j: int, values: np.ndarray | float) -> None:
        s[:, i, j] = s[:, j, i] = torch.as_tensor(values)

    for k in (1, 4):
        set_pair(2, 3, pair)
        set_pair(2, k, z)
        set_pair(3, k, 1 - z)
        for splitting, expected in kernels.items():
            value = Dipole((2, 3), k, splitting).evaluate(s)[0].numpy()  # type: ignore[arg-type]
            np.testing.assert_allclose(value * pair, expected, rtol=1e-6)
        # A beam: x is what is left of it, s_ik ~ p_a·p_k before, s_jk = (1 − x) of that.
        set_pair(0, 3, pair)
        set_pair(0, k, 1.0)
        set_pair(3, k, 1 - z)
        for splitting, expected in initial.items():
            value = Dipole((0, 3), k, splitting).evaluate(s)[0].numpy()  # type: ignore[arg-type]
            np.testing.assert_allclose(value * pair, expected / z, rtol=1e-6)


SEVEN = [21, 21, 11, -11, 21, 1, -1]


@pytest.mark.parametrize("pdg_ids", [FINAL, MIXED, GLUON_IN, DRELL_YAN, COMPTON])
def test_mapped_momenta_are_on_shell_and_conserved(pdg_ids: list[int]) -> None:
    rng = np.random.default_rng(8)
    momenta = three_body(rng, [2, 3, 4], rng.uniform(0.1, 0.9, 100), rng.uniform(-0.9, 0.9, 100))
    for dipole in dipoles_of(pdg_ids, 2):
        mapped = dipole.mapped_momenta(momenta, matrix(momenta))
        off_shell = mapped[..., 0] ** 2 - (mapped[..., 1:] ** 2).sum(dim=-1)
        np.testing.assert_allclose(off_shell.numpy(), 0.0, atol=1e-6)  # of 1e6 GeV²
        balance = mapped[:, :2].sum(dim=1) - mapped[:, 2:].sum(dim=1)
        np.testing.assert_allclose(balance.numpy(), 0.0, atol=1e-9)
        assert (mapped[..., 0] > 0).all()


def test_dipoles_are_lorentz_invariant_and_symmetric() -> None:
    """Identical gluons, exchanged, leave the features: both slots have the same dipoles."""
    from pyamp.phase_space import PhaseSpace

    points = PhaseSpace("gg_to_aagg_1tev").sample(60, seed=2).momenta
    representation = RepresentationConfig(type="dipole", linear=True).build([11, -11, 1, -1, 21, 21])
    moved = points @ lorentz_transformation(3).T
    values = [representation.raw_features(torch.from_numpy(p.copy())).numpy() for p in (points, moved)]
    np.testing.assert_allclose(*values, rtol=1e-9, atol=1e-9)
    swapped = representation.raw_features(torch.from_numpy(exchanged(points, 4, 5).copy())).numpy()
    np.testing.assert_allclose(swapped, values[0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("pdg_ids", "expected"),
    [
        (FINAL, {"ff": 2}),
        (MIXED, {"fi": 1, "if": 1}),
        (GLUON_IN, {"if": 2}),
        (DRELL_YAN, {"ii": 2}),
        (COMPTON, {"ii": 1}),
        (SEVEN, {"ff": 2, "fi": 4, "if": 12, "ii": 6}),
        ([11, -11, 1, -1, 21, 21], {"ff": 10}),
    ],
)
def test_which_dipoles_a_process_has(pdg_ids: list[int], expected: dict[str, int]) -> None:
    found: dict[str, int] = {}
    for dipole in dipoles_of(pdg_ids, 2):
        kind = "fi"[dipole.is_initial] + "fi"[dipole.has_initial_spectator]
        found[kind] = found.get(kind, 0) + 1
    assert found == expected


@pytest.mark.parametrize(
    "pdg_ids", [[21, 21, 22, 22, 21], [11, -11, 13, -13], [21, 21, *[21] * 7], [11, -11, 1, -1]]
)
def test_processes_without_dipoles_are_refused(pdg_ids: list[int]) -> None:
    with pytest.raises(PyampError, match="1 to 64 expected"):
        dipoles_of(pdg_ids, 2)


def test_a_representation_of_dipoles_takes_no_eikonal_factor() -> None:
    with pytest.raises(ValueError, match="whose dipoles are the singular factors"):
        RepresentationConfig(type="dipole", factor="eikonal")
