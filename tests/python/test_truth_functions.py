"""Are the loop functions right, with all their digits, on every sheet and near every switch of formula?"""

import json
from pathlib import Path

import mpmath
import numpy as np
import pytest

from pyamp._core import loop_functions

REFERENCE = Path(__file__).parents[1] / "reference"
FORMULAS = json.loads((REFERENCE / "gg_to_aag_formulas.json").read_text())


@pytest.fixture(autouse=True)
def _sixty_digits():
    with mpmath.workdps(60):
        yield


def exact_log(s_a, s_b):
    """ln((-s_a - i0)/(-s_b - i0))."""
    theta = (s_a > 0) - (s_b > 0)
    return mpmath.log(abs(s_a / s_b)) - 1j * mpmath.pi * theta


def exact_l(s_a, s_b):
    s_a, s_b = mpmath.mpf(s_a), mpmath.mpf(s_b)
    r, log = s_a / s_b, exact_log(s_a, s_b)
    l0 = log / (1 - r)
    return l0, (l0 + 1) / (1 - r), (log - (r - 1 / r) / 2) / (1 - r) ** 3


def exact_li2_one_minus(s_a, s_b):
    r = s_a / s_b
    if r > 0:
        return mpmath.re(mpmath.polylog(2, 1 - r))
    return mpmath.pi**2 / 6 - mpmath.log(1 - r) * exact_log(s_a, s_b) - mpmath.re(mpmath.polylog(2, r))


def exact_ls1(s_a, s_b, s_c):
    s_a, s_b, s_c = mpmath.mpf(s_a), mpmath.mpf(s_b), mpmath.mpf(s_c)
    d = (s_c - s_a - s_b) / s_c
    numerator = exact_li2_one_minus(s_a, s_c) + exact_li2_one_minus(s_b, s_c) - mpmath.pi**2 / 6
    numerator += exact_log(s_a, s_c) * exact_log(s_b, s_c)
    numerator += d * (exact_l(s_a, s_c)[0] + exact_l(s_b, s_c)[0])
    return numerator / d**2


def relative(found, exact):
    return float(abs(mpmath.mpmathify(complex(found)) / exact - 1))


@pytest.mark.parametrize("row", FORMULAS["L"]["rows"], ids=lambda r: f"{r[0]:g},{r[1]:g}")
def test_table_of_l(row):
    s_a, s_b, *expected = row
    for name, value in zip(("L0", "L1", "L2"), expected, strict=True):
        found = getattr(loop_functions, name)(s_a, s_b)
        assert found == pytest.approx(complex(*value), rel=2e-14), name


@pytest.mark.parametrize("row", FORMULAS["Ls1"]["rows"], ids=lambda r: f"{r[0]:g},{r[1]:g},{r[2]:g}")
def test_table_of_ls1(row):
    assert loop_functions.Ls1(*row[:3]) == pytest.approx(complex(*row[3]), rel=2e-14)


def test_dilogarithm():
    edges = np.array([-1.0, 0.0, 0.5, 1.0])
    near = np.concatenate([edges + s * h for s in (-1, 1) for h in (1e-15, 1e-8, 1e-3)])
    x = np.concatenate([edges, near, -np.geomspace(1e-12, 1e12, 60), np.linspace(-3, 1, 101)])
    x = x[x <= 1]
    for value, found in zip(x, loop_functions.li2(x), strict=True):
        exact = mpmath.re(mpmath.polylog(2, mpmath.mpf(value)))
        assert abs(found - exact) <= 4e-16 * max(abs(exact), mpmath.mpf("1e-300")), value


def test_dilogarithm_known_values():
    pi2 = np.pi**2
    assert loop_functions.li2(1.0) == pytest.approx(pi2 / 6, rel=1e-15)
    assert loop_functions.li2(-1.0) == pytest.approx(-pi2 / 12, rel=1e-15)
    assert loop_functions.li2(0.5) == pytest.approx(pi2 / 12 - np.log(2) ** 2 / 2, rel=1e-15)
    assert loop_functions.li2(0.0) == 0
    assert np.isnan(loop_functions.li2(1.5))


@pytest.mark.parametrize("timelike", [True, False])
def test_l_near_one_and_at_the_end_of_the_series(timelike):
    s_b = 1.0 if timelike else -1.0
    distance = np.concatenate([np.geomspace(1e-14, 0.9, 40), 0.25 + np.array([-1e-9, 0, 1e-9])])
    for delta in np.concatenate([distance, -distance]):
        s_a = (1 - delta) * s_b
        if s_a == s_b:
            continue
        for name, exact in zip(("L0", "L1", "L2"), exact_l(s_a, s_b), strict=True):
            # L2 outside the series loses at most 1/0.25³.
            assert relative(getattr(loop_functions, name)(s_a, s_b), exact) < 1e-13, (name, delta)


def test_l_for_ratios_of_any_size_and_sign():
    for r in np.geomspace(1e-6, 1e6, 61):
        for s_a, s_b in ((r, 1.0), (-r, -1.0), (r, -1.0), (-r, 1.0)):
            if s_a == s_b:
                continue
            for name, exact in zip(("L0", "L1", "L2"), exact_l(s_a, s_b), strict=True):
                assert relative(getattr(loop_functions, name)(s_a, s_b), exact) < 1e-13, (name, s_a, s_b)


def physical(r1, r2, s_c):
    """Three legs of which at most two are incoming: the signs that occur in 2 → 3 kinematics."""
    positive = sum(r * s_c > 0 for r in (r1, r2, 1 - r1 - r2))
    return positive in ((1, 3) if s_c > 0 else (1,))


@pytest.mark.parametrize("s_c", [1.0, -1.0])
def test_ls1_over_the_physical_regions(s_c):
    rng = np.random.default_rng(2)
    tried = 0
    while tried < 400:
        r1, r2 = rng.choice([-1, 1], 2) * 10 ** rng.uniform(-5, 1.5, 2)
        if not physical(r1, r2, s_c):
            continue
        tried += 1
        s_a, s_b = r1 * s_c, r2 * s_c
        # 1 - r1 - r2 is only known to rounding here, hence the floor for large ratios.
        assert relative(loop_functions.Ls1(s_a, s_b, s_c), exact_ls1(s_a, s_b, s_c)) < 2e-13, (s_a, s_b, s_c)


@pytest.mark.parametrize("s_c", [1.0, -1.0])
def test_ls1_where_numerator_and_denominator_vanish(s_c):
    rng = np.random.default_rng(3)
    tried = 0
    while tried < 300:
        # d from far below to just above the switch at half the larger ratio; r1 down to soft legs.
        r1 = rng.choice([-1, 1]) * 10 ** rng.uniform(-6, 1)
        d = rng.choice([-1, 1]) * max(abs(r1), abs(1 - r1)) * 10 ** rng.uniform(-9, 0.1)
        r2 = 1 - r1 - d
        if r1 + r2 == 1 or not physical(r1, r2, s_c):
            continue
        tried += 1
        s_a, s_b = r1 * s_c, r2 * s_c
        exact = exact_ls1(s_a, s_b, s_c)
        assert relative(loop_functions.Ls1(s_a, s_b, s_c), exact) < 2e-13, (s_a, s_b, s_c)
        assert relative(loop_functions.Ls1(s_b, s_a, s_c), exact) < 2e-13, (s_b, s_a, s_c)
