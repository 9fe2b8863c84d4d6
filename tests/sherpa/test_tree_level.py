"""Are Sherpa's tree-level matrix elements what the textbooks say, and do AMEGIC and Comix agree?

Couplings are stripped by pyamp, so that the formulas are compared without any value of α; what is left of the
electroweak parameters are the masses and widths of the card.
"""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import pyamp
from pyamp.errors import PyampError

Floats = NDArray[np.float64]

pytestmark = pytest.mark.sherpa

NO_Z = {"PARTICLE_DATA": {23: {"Active": 0}}}
LONG = pytest.mark.skipif(
    os.environ.get("PYAMP_LONG_TESTS") != "1", reason="compiles for minutes; PYAMP_LONG_TESTS=1 runs it"
)


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYAMP_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def points(n_out: int, n: int = 20, energy: float = 200.0) -> Floats:
    """Flat points of massless legs (RAMBO, Comput. Phys. Commun. 40 (1986) 359), shape (n, 2 + n_out, 4)."""
    random = np.random.default_rng(n_out)
    direction = random.normal(size=(n, n_out, 3))
    q_energy = -np.log(random.random((n, n_out)) * random.random((n, n_out)))
    q = q_energy[..., None] * direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    total = np.concatenate([q_energy.sum(1)[:, None], q.sum(1)], axis=1)
    mass = np.sqrt(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(1))
    b, gamma = -total[:, 1:] / mass[:, None], total[:, 0] / mass
    along = np.einsum("ni,nki->nk", b, q)
    moved = q + b[:, None] * (q_energy + along / (1 + gamma)[:, None])[..., None]
    moved *= (energy / mass)[:, None, None]
    out = np.concatenate([np.linalg.norm(moved, axis=-1, keepdims=True), moved], axis=-1)
    beams = np.broadcast_to(energy / 2 * np.array([[1, 0, 0, 1], [1, 0, 0, -1]]), (n, 2, 4))
    return np.concatenate([beams, out], axis=1)


def dot(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 0] - (a[:, 1:] * b[:, 1:]).sum(1))


def s_t_u(p: Floats) -> tuple[Floats, Floats, Floats]:
    return 2 * dot(p[:, 0], p[:, 1]), -2 * dot(p[:, 0], p[:, 2]), -2 * dot(p[:, 0], p[:, 3])


def photon_to_quarks(p: Floats) -> Floats:
    s, t, u = s_t_u(p)
    return 3 / 9 * (4 * math.pi) ** 2 * 2 * (t**2 + u**2) / s**2


def photon_and_z_to_quarks(p: Floats) -> Floats:
    """Helicity amplitudes with Sherpa's masses and widths in the complex-mass scheme (arXiv:hep-ph/0605312)."""
    z, w = 91.1876 * (91.1876 - 2.4952j), 80.379 * (80.379 - 2.085j)
    sine = 1 - w / z
    s, t, u = s_t_u(p)

    def coupling(charge: float, isospin: float) -> complex:
        return complex((isospin - charge * sine) / np.sqrt(sine * (1 - sine)))

    total = np.zeros(len(p))
    for electron, i_e in (("L", -0.5), ("R", 0.0)):
        for quark, i_q in (("L", -0.5), ("R", 0.0)):
            exchange = 1 / 3 / s + coupling(-1, i_e) * coupling(-1 / 3, i_q) / (s - z)
            total += (u if electron == quark else t) ** 2 * np.abs(exchange) ** 2
    return np.asarray(3 * (4 * math.pi) ** 2 * total)  # 4 of the spinors, 1/4 of the average


def photon_to_quarks_and_gluon(p: Floats) -> Floats:
    """Ellis, Stirling, Webber, QCD and Collider Physics, section 3.1, before the integral over the beam's angle.

    Σ|M|² = C_F N_c Q² (4π)³ 8 Σ (p_i·k_j)²/(p1·p2 k1·g k2·g) with the beams p and the quarks k; 1/4 for the average.
    """
    a, b, k1, k2, g = (p[:, i] for i in range(5))
    squares = dot(a, k1) ** 2 + dot(a, k2) ** 2 + dot(b, k1) ** 2 + dot(b, k2) ** 2
    return 4 / 9 * (4 * math.pi) ** 3 * 2 * squares / (dot(a, b) * dot(k1, g) * dot(k2, g))


def four_gluons(p: Floats) -> Floats:
    s, t, u = s_t_u(p)
    return (4 * math.pi) ** 2 * 9 / 2 * (3 - t * u / s**2 - s * u / t**2 - s * t / u**2)


def quarks_to_gluons(p: Floats) -> Floats:
    s, t, u = s_t_u(p)
    return (4 * math.pi) ** 2 * (32 / 27 * (t**2 + u**2) / (t * u) - 8 / 3 * (t**2 + u**2) / s**2)


TEXTBOOK = [
    ("11 -11 -> 1 -1", NO_Z, photon_to_quarks),
    ("11 -11 -> 1 -1", {}, photon_and_z_to_quarks),
    ("11 -11 -> 1 -1 21", NO_Z, photon_to_quarks_and_gluon),
    ("21 21 -> 21 21", {}, four_gluons),
    ("2 -2 -> 21 21", {}, quarks_to_gluons),
]


@pytest.mark.parametrize(("process", "settings", "formula"), TEXTBOOK)
def test_comix_is_the_textbook(
    process: str, settings: dict[str, object], formula: Callable[[Floats], Floats]
) -> None:
    truth = pyamp.truth("sherpa:", process=process, generator="Comix", settings=settings)
    p = points(truth.n_legs - 2)
    np.testing.assert_allclose(truth.stripped(p), formula(p), rtol=1e-9)


@pytest.mark.parametrize(("process", "settings", "formula"), [TEXTBOOK[2]])
def test_amegic_is_the_textbook(
    process: str, settings: dict[str, object], formula: Callable[[Floats], Floats]
) -> None:
    truth = pyamp.truth("sherpa:", process=process, generator="Amegic", settings=settings)
    p = points(truth.n_legs - 2)
    np.testing.assert_allclose(truth.stripped(p), formula(p), rtol=1e-9)


@pytest.mark.parametrize(
    "process",
    [
        "11 -11 -> 1 -1 21 21",
        "21 21 -> 11 -11 1 -1",
        pytest.param("21 21 -> 11 -11 21 1 -1", marks=LONG),
        pytest.param("21 21 -> 11 -11 21 21 1 -1", marks=LONG),
    ],
)
def test_amegic_is_comix(process: str) -> None:
    amegic, comix = (pyamp.truth(f"sherpa:{process}", generator=name) for name in ("Amegic", "Comix"))
    p = points(amegic.n_legs - 2, n=5)
    value, accuracy = amegic.me2(p, return_accuracy=True)
    np.testing.assert_allclose(value, comix.me2(p), rtol=1e-8)
    assert accuracy.max() < 1e-8  # rotated points


def test_legs_come_in_the_order_of_the_process() -> None:
    p = points(3, n=5)
    ours = pyamp.truth("sherpa:11 -11 -> 1 -1 21", generator="Comix").me2(p)
    for order in ([2, 4, 3], [4, 2, 3], [3, 2, 4]):
        ids = [(11, -11, 1, -1, 21)[leg] for leg in order]
        other = pyamp.truth(f"sherpa:11 -11 -> {ids[0]} {ids[1]} {ids[2]}", generator="Comix")
        np.testing.assert_allclose(other.me2(p[:, [0, 1, *order]]), ours, rtol=1e-12)


def test_couplings_and_conventions() -> None:
    p = points(3, n=3)
    truth = pyamp.truth("sherpa:21 21 -> 2 -2 22", generator="Comix", alpha_s=0.2, alpha=0.01)
    assert truth.coupling_orders == (2, 1)
    assert truth.spin_colour_average == 256
    assert truth.version.startswith("Sherpa-Comix 3.")
    np.testing.assert_allclose(truth.me2(p), 0.2**2 * 0.01 * truth.stripped(p), rtol=1e-13)


def test_card_names_the_process(tmp_path: Path) -> None:
    card = tmp_path / "provider.yaml"
    card.write_text("source: 'sherpa:'\nsherpa: {process: 11 -11 -> 1 -1, generator: Comix}\n")
    p = points(2, n=3)
    expected = pyamp.truth("sherpa:11 -11 -> 1 -1", generator="Comix").me2(p)
    np.testing.assert_array_equal(pyamp.truth(str(card)).me2(p), expected)
    as_json = pyamp.provider_card(card, tmp_path / "provider.json")
    np.testing.assert_array_equal(pyamp.truth(as_json).me2(p), expected)


@pytest.mark.parametrize(
    ("name", "options", "complaint"),
    [
        ("sherpa:", {}, "process '' found, as in '21 21 -> 11 -11 1 -1' expected"),
        ("sherpa:21 21 > 1 -1", {}, "expected"),
        ("sherpa:21 21 -> 6 -6", {}, "particle 6 in '21 21 -> 6 -6'; massless legs expected"),
        ("sherpa:21 21 -> 1 -1", {"generator": "amegic"}, "did you mean 'Amegic'?"),
        ("sherpa:21 21 -> 1 -1", {"alpha_power": 1, "alpha_s_power": 2}, "together 2 expected at tree level"),
        ("sherpa:21 21 -> 1 -1", {"settngs": {}}, "unknown option 'settngs'; did you mean 'settings'?"),
        ("sherpa:21 21 -> 1 -2", {"generator": "Comix"}, "not granted: 21 21 -> 1 -2 | Error:"),
        ("sherpa:21 21 -> 1 -2", {"generator": "Amegic"}, "AMEGIC wrote no code for '21 21 -> 1 -2'"),
        (
            "sherpa:21 21 -> 1 -1",
            {"generator": "Comix", "settings": {"MODEL": "Nothing"}},
            "not granted",
        ),
    ],
)
def test_faults_are_one_line(name: str, options: dict[str, object], complaint: str) -> None:
    with pytest.raises(PyampError) as error:
        pyamp.truth(name, **options)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_a_killed_worker_is_replaced() -> None:
    truth = pyamp.truth("sherpa:11 -11 -> 1 -1", generator="Comix")
    p = points(2, n=3)
    before = truth.me2(p)
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    workers = [c for c in children if Path(f"/proc/{c}/comm").read_text().startswith("pyamp_blha_work")]
    os.kill(int(workers[-1]), signal.SIGKILL)
    np.testing.assert_array_equal(truth.me2(p), before)
