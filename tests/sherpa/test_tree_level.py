"""Are Sherpa's tree-level matrix elements what the textbooks say, and do AMEGIC and Comix agree?

Couplings are stripped by pyamp, so that the formulas are compared without any value of α; what is left of the
electroweak parameters are the masses and widths of the card.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import pyamp
from pyamp.errors import PyampError
from tests.textbook import (
    Floats,
    four_gluons,
    photon_and_z_to_quarks,
    photon_to_quarks,
    photon_to_quarks_and_gluon,
    points,
    quarks_to_gluons,
)

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
