"""Is the recursion for a quark line with leptons and gluons what AMEGIC, textbooks and factorisation say?"""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import pyamp
from pyamp.datasets import generate
from pyamp.errors import PyampError
from pyamp.model_file import write_model
from pyamp.phase_space import PhaseSpace
from pyamp.processes import load_process
from pyamp.training import TrainingConfig, make_surrogate
from tests.support import model_info
from tests.textbook import (
    Floats,
    dot,
    photon_and_z_to_quarks,
    photon_to_quarks,
    photon_to_quarks_and_gluon,
    points,
)
from tests.transformations import lorentz_transformation

AMEGIC = np.load(Path(__file__).parents[1] / "reference" / "quark_line_amegic.npz")
Complexes = NDArray[np.complex128]
NO_Z = {"mz": 1e10, "mw": 0.88e10}  # too heavy to matter


@pytest.mark.parametrize("number", range(len(AMEGIC["processes"])), ids=list(AMEGIC["processes"]))
def test_amegic(number: int) -> None:
    truth = pyamp.truth(f"tree:{AMEGIC['processes'][number]}")
    momenta, expected = AMEGIC[f"{number}_momenta"], AMEGIC[f"{number}_stripped"]
    np.testing.assert_allclose(truth.stripped(momenta), expected, rtol=1e-11)
    _, accuracy = truth.me2(momenta, return_accuracy=True)
    assert accuracy.max() < 1e-11


@pytest.mark.parametrize(
    ("process", "options", "formula"),
    [
        ("11 -11 -> 1 -1", NO_Z, photon_to_quarks),
        ("11 -11 -> 1 -1", {}, photon_and_z_to_quarks),
        ("11 -11 -> 1 -1 21", NO_Z, photon_to_quarks_and_gluon),
    ],
)
def test_textbook(process: str, options: dict[str, float], formula: object) -> None:
    truth = pyamp.truth(f"tree:{process}", **options)
    p = points(truth.n_legs - 2)
    np.testing.assert_allclose(truth.stripped(p), formula(p), rtol=1e-11)  # type: ignore[operator]


def gell_mann() -> Complexes:
    """T^a with tr(T^a T^b) = δ/2, shape (8, 3, 3)."""
    t = np.zeros((8, 3, 3), complex)
    for a, (i, j) in zip((0, 3, 5), ((0, 1), (0, 2), (1, 2)), strict=True):
        t[a, i, j] = t[a, j, i] = 0.5
        t[a + 1, i, j], t[a + 1, j, i] = -0.5j, 0.5j
    t[2] = np.diag([0.5, -0.5, 0])
    t[7] = np.diag([1, 1, -2]) / (2 * np.sqrt(3))
    return t


def angle(p: Floats, q: Floats) -> Complexes:
    """Spinor products ⟨pq⟩, (n,); |⟨pq⟩|² = 2 p·q."""
    plus = np.sqrt([p[:, 0] + p[:, 1], q[:, 0] + q[:, 1]])
    across = [k[:, 2] + 1j * k[:, 3] for k in (p, q)]
    return np.asarray(across[0] * plus[1] / plus[0] - across[1] * plus[0] / plus[1])


@pytest.mark.parametrize("n_gluons", [0, 1, 2, 3, 4])
def test_gluons_of_one_helicity(n_gluons: int) -> None:
    """Berends and Giele: ⟨q l⟩²/(⟨q 1⟩ … ⟨n q̄⟩ ⟨l l̄⟩) with q and l the negative helicities; colours by matrices."""
    truth = pyamp.truth("tree:11 -11 -> 1 -1" + n_gluons * " 21", **NO_Z)
    p = points(2 + n_gluons, n=5)
    electron, positron, quark, antiquark, *gluons = (p[:, i] for i in range(4 + n_gluons))
    # The incoming positron is the outgoing electron.
    photon = 2 * 2 ** (n_gluons / 2) * angle(quark, positron) ** 2 * np.conj(angle(electron, positron)) / 3
    photon /= 2 * dot(electron, positron)
    t = gell_mann()
    sum_ = 0
    for order in itertools.permutations(range(n_gluons)):
        chain = [quark, *(gluons[g] for g in order), antiquark]
        product = np.ones(len(p), complex)
        for a, b in itertools.pairwise(chain):
            product = product / angle(a, b)
        colours = np.eye(3, dtype=complex)
        for _ in order:
            colours = np.einsum("...ij,ajk->...aik", colours, t)
        axes = [order.index(g) for g in range(n_gluons)]
        colours = colours.transpose([*axes, n_gluons, n_gluons + 1])
        sum_ = sum_ + np.multiply.outer(product, colours)
    expected = np.abs(photon) ** 2 * (np.abs(sum_) ** 2).reshape(len(p), -1).sum(1)
    squares = truth.helicity_amplitudes_squared(p)
    np.testing.assert_allclose(squares["+--+" + n_gluons * "+"], expected, rtol=1e-10)
    np.testing.assert_allclose(squares["-++-" + n_gluons * "-"], expected, rtol=1e-10)


@pytest.mark.parametrize("process", ["21 21 -> 11 -11 21 1 -1", "2 -2 -> 13 -13 21"])
def test_helicities_add_up(process: str) -> None:
    truth = pyamp.truth(f"tree:{process}")
    p = points(truth.n_legs - 2, n=5)
    n_gluons = truth.coupling_orders.alpha_s_power
    total = sum(truth.helicity_amplitudes_squared(p).values()) * (4 * np.pi) ** (n_gluons + 2)
    np.testing.assert_allclose(total / truth.spin_colour_average, truth.stripped(p), rtol=1e-13)


@pytest.mark.parametrize("n_gluons", [1, 2, 3])
def test_collinear_gluon(n_gluons: int) -> None:
    """Quark and gluon: 8π α_s/(2 p·k) P_qq(z) times the square without the gluon; corrections fall with the angle."""
    less = (
        "21 21 -> 11 -11 1 -1" + (n_gluons - 2) * " 21"
        if n_gluons > 1
        else "11 -11 -> 1 -1" + n_gluons * " 21"
    )
    without, with_gluon = pyamp.truth(f"tree:{less}"), pyamp.truth(f"tree:{less} 21")
    p = points(without.n_legs - 2, n=5)
    quark, spectator = without.pdg_ids.index(1, 2), without.pdg_ids.index(-1, 2)
    z, y = 0.3, 1e-10
    split = np.concatenate([p, np.empty((len(p), 1, 4))], axis=1)
    # Catani and Seymour, hep-ph/9605323, section 5.3, read backwards
    across = np.cross(p[:, quark, 1:], p[:, spectator, 1:])
    scale = np.sqrt(2 * dot(p[:, quark], p[:, spectator]) * y * z * (1 - z)) / np.linalg.norm(across, axis=1)
    kick = np.concatenate([np.zeros((len(p), 1)), across * scale[:, None]], axis=1)
    split[:, quark] = z * p[:, quark] + y * (1 - z) * p[:, spectator] + kick
    split[:, -1] = (1 - z) * p[:, quark] + y * z * p[:, spectator] - kick
    split[:, spectator] = (1 - y) * p[:, spectator]
    expected = (
        without.stripped(p)
        * 8
        * np.pi
        / (2 * dot(split[:, quark], split[:, -1]))
        * 4
        / 3
        * (1 + z**2)
        / (1 - z)
    )
    np.testing.assert_allclose(with_gluon.stripped(split), expected, rtol=1e-3)


def test_soft_gluon() -> None:
    """The eikonal factor 4π α_s C_F 2 p·p'/(p·k p'·k) for the radiation of a quark pair."""
    p, tiny = points(2, n=5), 1e-7
    k = tiny * points(3, n=5)[:, 4:]
    quark, antiquark = p[:, 2], p[:, 3]
    # The pair recoils along its axis, the beams take the rest: conserved up to what the check of momenta allows.
    total = p[:, 0] + p[:, 1] + k[:, 0]
    mass = np.sqrt(dot(total, total))
    beams = np.stack([p[:, 0], p[:, 1]], axis=1) * (mass / total[:, 0])[:, None, None]
    radiated = np.concatenate([beams, p[:, 2:], k], axis=1)
    eikonal = 4 * np.pi * 4 / 3 * 2 * dot(quark, antiquark) / (dot(quark, k[:, 0]) * dot(antiquark, k[:, 0]))
    expected = eikonal * pyamp.truth("tree:11 -11 -> 1 -1").stripped(p)
    np.testing.assert_allclose(pyamp.truth("tree:11 -11 -> 1 -1 21").stripped(radiated), expected, rtol=1e-4)


@pytest.mark.parametrize("process", ["21 21 -> 11 -11 21 21 1 -1", "1 -1 -> 11 -11 21"])
def test_lorentz_invariance(process: str) -> None:
    truth = pyamp.truth(f"tree:{process}")
    p = points(truth.n_legs - 2, n=10)
    moved = p @ lorentz_transformation(3).T
    np.testing.assert_allclose(truth.stripped(moved), truth.stripped(p), rtol=1e-9)


def test_order_of_legs_and_identical_gluons() -> None:
    p = points(6, n=5)
    ids = (21, 21, 11, -11, 21, 21, 1, -1)
    expected = pyamp.truth("tree:21 21 -> 11 -11 21 21 1 -1").stripped(p)
    for order in ((0, 1, 7, 4, 2, 6, 5, 3), (1, 0, 2, 3, 5, 4, 6, 7)):
        legs = [str(ids[leg]) for leg in order]
        other = pyamp.truth(f"tree:{' '.join(legs[:2])} -> {' '.join(legs[2:])}")
        np.testing.assert_allclose(other.stripped(p[:, order]), expected, rtol=1e-11)


def test_neutrinos_have_one_helicity() -> None:
    squares = pyamp.truth("tree:21 21 -> 12 -12 1 -1").helicity_amplitudes_squared(points(4, n=1))
    assert all(value[0] == 0 for name, value in squares.items() if name[2:4] != "-+")
    assert sum(value[0] > 0 for value in squares.values()) == 8


def test_conventions() -> None:
    truth = pyamp.truth("tree:21 2 -> 2 13 -13 21", alpha_s=0.2, alpha=0.01)
    p = points(4, n=3)
    assert truth.coupling_orders == (2, 2)
    assert truth.spin_colour_average == 16 * 6
    assert truth.pdg_ids == (21, 2, 2, 13, -13, 21)
    np.testing.assert_allclose(truth.me2(p), 0.2**2 * 0.01**2 * truth.stripped(p), rtol=1e-13)


def test_points_without_a_value() -> None:
    truth = pyamp.truth("tree:21 21 -> 11 -11 1 -1")
    p = points(4, n=3)
    p[1, 2] = np.nan
    p[2, 2:4] = p[2, 2:4].mean(axis=0)
    p[2, 2:4, 0] = np.linalg.norm(p[2, 2:4, 1:], axis=1)
    value, accuracy = truth.me2(p, return_accuracy=True, on_failure="nan")
    assert np.isnan(value).tolist() == np.isnan(accuracy).tolist() == [False, True, True]


def test_cards(tmp_path: Path) -> None:
    card = tmp_path / "provider.yaml"
    card.write_text("source: 'tree:11 -11 -> 1 -1'\ntree: {mz: 1.0e+10, mw: 0.88e+10}\n")
    p = points(2, n=3)
    expected = pyamp.truth("tree:11 -11 -> 1 -1", **NO_Z).stripped(p)
    np.testing.assert_array_equal(pyamp.truth(str(card)).stripped(p), expected)
    as_json = pyamp.provider_card(card, tmp_path / "provider.json")
    np.testing.assert_array_equal(pyamp.truth(as_json).stripped(p), expected)


def test_process_card(tmp_path: Path) -> None:
    process = load_process("gg_to_eegdd_lhc13").model_copy(
        update={"amplitude": "tree:21 21 -> 11 -11 21 1 -1"}
    )
    dataset = generate(process, 20, tmp_path / "points.h5")
    assert dataset.info.alpha_s_power == 3
    assert dataset.accuracy.max() < 1e-8


@pytest.mark.parametrize(
    ("process", "options", "complaint"),
    [
        (
            "21 21 -> 11 -11 6 -6",
            {},
            "particle 6 in '21 21 -> 11 -11 6 -6'; a quark and its antiquark (1 to 5)",
        ),
        ("21 21 -> 11 -11 1 -2", {}, "2 quarks that make no pair"),
        ("11 -11 -> 1 -1 2 -2", {}, "4 quarks"),
        ("21 21 -> 11 -13 1 -1", {}, "2 leptons that make no pair"),
        ("21 21 -> 1 -1", {}, "0 leptons"),
        ("12 -12 -> 1 -1", {}, "incoming neutrino 12"),
        ("21 21 -> 11 -11 1 -1 21 21 21", {}, "5 gluons"),
        ("21 21 > 1 -1", {}, "a process such as"),
        ("21 21 -> 11 -11 1 -1", {"mzz": 91.0}, "unknown option 'mzz'; did you mean 'mz'?"),
        ("21 21 -> 11 -11 1 -1", {"mz": -1.0}, "'mz' is -1.0, a mass in GeV expected"),
        ("21 21 -> 11 -11 1 -1", {"mw": 92.0}, "mw < mz expected"),
    ],
)
def test_faults_are_one_line(process: str, options: dict[str, float], complaint: str) -> None:
    with pytest.raises(PyampError) as error:
        pyamp.truth(f"tree:{process}", **options)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_default_path_of_a_provider_card_is_plain() -> None:
    path = Path(pyamp.provider_card("tree:21 21 -> 11 -11 1 -1"))
    try:
        assert re.fullmatch(r"[\w.-]+", path.name)
        assert pyamp.truth(str(path)).pdg_ids == (21, 21, 11, -11, 1, -1)
    finally:
        path.unlink()


@pytest.mark.parametrize(
    ("source", "block"), [("gg_to_aag", "tree"), ("tree:21 21 -> 11 -11 1 -1", "blha"), ("gg_to_aag", "blha")]
)
def test_block_of_another_source_is_refused(tmp_path: Path, source: str, block: str) -> None:
    card = tmp_path / "card.yaml"
    card.write_text(f'source: "{source}"\n{block}: {{mz: 90.0}}\n')
    with pytest.raises(pyamp.PyampError, match=f"{block} is a block for another source than"):
        pyamp.truth(str(card))


def test_policy_truth_of_a_tree(tmp_path: Path) -> None:
    """Points outside the domain of a surrogate go to the tree."""
    process = "21 21 -> 11 -11 21 1 -1"
    card = load_process("gg_to_eegdd_lhc13")
    momenta = PhaseSpace(card).sample(100, seed=2).momenta
    truth = pyamp.truth(f"tree:{process}", alpha_s=0.118, alpha=1 / 137.0)
    points = torch.from_numpy(momenta)
    config = TrainingConfig(
        representation={"factor": "scale"}, network={"hidden": [8]}, likelihood={"type": "mse"}
    )
    surrogate = make_surrogate(config, card.pdg_ids, 2, len(momenta))
    surrogate.fit_preprocessing(points, torch.from_numpy(truth.stripped(momenta)))
    info = replace(
        model_info(),
        process={"name": "any", "pdg_ids": list(card.pdg_ids), "n_incoming": 2},
        couplings={"alpha_s": 0.118, "alpha": 1 / 137.0, "alpha_s_power": 3, "alpha_power": 2},
        domain=card.domain(),
    )
    path = tmp_path / "model.safetensors"
    write_model(path, surrogate, info, points[:16])
    outside = momenta[:5] * 1e3
    found = pyamp.Evaluator(path, policy="truth", truth=f"tree:{process}")(outside)
    np.testing.assert_allclose(found.amplitude, truth.me2(outside), rtol=1e-12)
