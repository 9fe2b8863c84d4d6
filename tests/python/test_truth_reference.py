"""Does the g g → γ γ g amplitude equal what other codes computed?"""

import json
from pathlib import Path

import numpy as np
import pytest

import pyamp
from pyamp import _core

REFERENCE = Path(__file__).parents[1] / "reference"
NJET = json.loads((REFERENCE / "gg_to_aag_njet.json").read_text())
FORMULAS = json.loads((REFERENCE / "gg_to_aag_formulas.json").read_text())
POINT_1 = np.array(NJET["points"][0]["momenta"])


@pytest.mark.parametrize("point", NJET["points"], ids=range(1, 11))
def test_njet(point):
    # The file holds 12 digits and was made with alpha cut to 10.
    truth = pyamp.truth("gg_to_aag", alpha_s=NJET["alpha_s"], alpha=NJET["alpha"])
    assert truth.me2(point["momenta"]) == pytest.approx(point["me2"], rel=1e-10)


def test_openloops():
    with np.load(REFERENCE / "gg_to_aag_openloops.npz") as file:
        momenta, me2, accuracy = file["momenta"], file["me2"], file["accuracy"]
    deviation = np.abs(pyamp.truth("gg_to_aag").me2(momenta) / me2 - 1)
    assert (deviation <= np.maximum(1e-10, 20 * accuracy)).all()
    assert np.median(deviation) < 1e-12


@pytest.mark.parametrize("boost", [0.0, 4.0])
def test_every_helicity(boost):
    point = POINT_1.copy()
    point[:, 0], point[:, 3] = (
        np.cosh(boost) * POINT_1[:, 0] + np.sinh(boost) * POINT_1[:, 3],
        np.sinh(boost) * POINT_1[:, 0] + np.cosh(boost) * POINT_1[:, 3],
    )
    expected = FORMULAS["helicity_amplitudes_squared"]["values"]
    found = pyamp.truth().helicity_amplitudes_squared(point)
    assert found.keys() == expected.keys()
    for helicities, value in expected.items():
        assert found[helicities] == pytest.approx(value, rel=1e-11), helicities


def test_helicities_sum_to_the_stripped_amplitude():
    truth = pyamp.truth()
    total = sum(truth.helicity_amplitudes_squared(POINT_1).values())
    # 8 N_c (N_c² - 1) (4π)³ (4π)² (ΣQ²)² / (16π²)² / 256
    assert truth.stripped(POINT_1) == pytest.approx(3 * np.pi * (11 / 9) ** 2 * total, rel=1e-14)


def test_single_primitives():
    found = _core.gg_to_aag.primitives_squared(POINT_1[None], [0, 1, 2, 3, 4], 1.0)[0]
    at = {name: k for k, name in enumerate(_core.helicity_names(5))}
    for helicities, value in FORMULAS["primitives_squared"]["values"].items():
        assert found[at[helicities]] == pytest.approx(value, rel=1e-13), helicities


def test_primitives_do_not_depend_on_where_the_cycle_starts():
    orders = [[(start + k) % 5 for k in range(5)] for start in range(5)]
    names = _core.helicity_names(5)
    first = dict(
        zip(names, _core.gg_to_aag.primitives_squared(POINT_1[None], orders[0], 1.0)[0], strict=True)
    )
    for start in range(1, 5):
        values = _core.gg_to_aag.primitives_squared(POINT_1[None], orders[start], 1.0)[0]
        rotated = dict(zip(names, values, strict=True))
        for name in names:
            assert rotated[name[start:] + name[:start]] == pytest.approx(first[name], rel=1e-11)
