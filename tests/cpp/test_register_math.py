"""exp, expm1, softplus, ln and log-normal moments of the kernels against extended precision, for each set."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

SOURCE = Path(__file__).with_name("register_math.cpp")
CSRC = Path(__file__).parents[2] / "csrc"
COMPILER = shutil.which("g++") or "c++"
# Name, bytes of a register, options of the compiler, flags of the processor.
SETS = {
    "baseline": (16, ["-march=x86-64-v2"], {"sse4_2"}),
    "avx2": (32, ["-mavx2", "-mfma"], {"avx2", "fma"}),
    "avx512": (64, ["-mavx512f", "-mavx512dq", "-mfma"], {"avx512f", "avx512dq"}),
}
EXP, EXPM1, SOFTPLUS, MEAN, SPREAD, LOG = range(6)
Function = Callable[[int, np.ndarray], np.ndarray]


@pytest.fixture(scope="module", params=SETS)
def function(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Function:
    size, options, needed = SETS[request.param]
    if not needed <= set(Path("/proc/cpuinfo").read_text().split()):
        pytest.skip(f"this processor has no {request.param}")
    if np.finfo(np.longdouble).eps > 1e-18:
        pytest.skip("no extended precision here")
    built = tmp_path_factory.mktemp(request.param) / "register_math.so"
    defines = [f"-DPYAMP_ISA={request.param}", f"-DPYAMP_SIMD_BYTES={size}"]
    command = [COMPILER, "-std=c++20", "-O2", "-fPIC", "-shared", "-ffp-contract=off", "-fno-math-errno"]
    subprocess.run([*command, *options, *defines, f"-I{CSRC}", SOURCE, "-o", built], check=True)
    library = ctypes.CDLL(str(built))

    def evaluate(which: int, x: np.ndarray) -> np.ndarray:
        values = np.array(x, dtype=np.float64)
        padded = np.concatenate([values, np.ones(-len(values) % 8)])
        library.evaluate(which, ctypes.c_void_p(padded.ctypes.data), ctypes.c_size_t(len(padded)))
        return padded[: len(values)]

    return evaluate


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found.astype(np.longdouble) / expected - 1).max())


def test_exponentials(function: Function) -> None:
    rng = np.random.default_rng(1)
    small = rng.choice([-1, 1], 20000) * 10 ** rng.uniform(-17, 0, 20000)
    x = np.concatenate([rng.uniform(-50, 50, 100_000), rng.uniform(-707.9, 709.3, 100_000), small])
    wide = x.astype(np.longdouble)
    assert relative_error(function(EXP, x), np.exp(wide)) < 4e-16
    assert relative_error(function(EXPM1, x), np.expm1(wide)) < 6e-16
    x = x[np.abs(x) < 700]
    wide = x.astype(np.longdouble)
    expected = np.maximum(wide, 0) + np.log1p(np.exp(-np.abs(wide)))
    assert relative_error(function(SOFTPLUS, x), expected) < 1e-15


def test_exponentials_beyond_their_range(function: Function) -> None:
    x = np.array([-np.inf, -1e300, -1e10, -750.0, 0.0, 709.5, 800.0, 1e10, 1e300, np.inf, np.nan])
    np.testing.assert_array_equal(function(EXP, x), [0, 0, 0, 0, 1, *[np.inf] * 5, np.nan])
    np.testing.assert_array_equal(function(EXPM1, x), [-1, -1, -1, -1, 0, *[np.inf] * 5, np.nan])
    x = np.array([-np.inf, -800.0, 800.0, 1e300, np.inf, np.nan])
    np.testing.assert_array_equal(function(SOFTPLUS, x), [0, 0, 800.0, 1e300, np.inf, np.nan])


def test_log_normal(function: Function) -> None:
    """Mean for ln A ~ N(-s, s²), and standard deviation over mean."""
    rng = np.random.default_rng(3)
    s = np.concatenate([10 ** rng.uniform(-15, 1, 100_000), rng.uniform(0.69, 0.72, 20_000)])
    wide = s.astype(np.longdouble)
    mean, spread = function(MEAN, s), function(SPREAD, s)
    assert relative_error(mean, np.exp(wide * wide / 2 - wide)) < 2e-15 * (1 + s.max())
    narrow = s < 0.7
    assert relative_error(mean[narrow], np.exp(wide * wide / 2 - wide)[narrow]) < 6e-16
    assert relative_error(spread, np.sqrt(np.expm1(wide * wide))) < 6e-15
    assert relative_error(spread[narrow], np.sqrt(np.expm1(wide * wide))[narrow]) < 6e-16
    # Narrow and wide ones side by side, and alone in all lanes.
    for k in range(0, len(s), 997):
        assert function(MEAN, np.repeat(s[k], 8))[0] == mean[k]
        assert function(SPREAD, np.repeat(s[k], 8))[0] == spread[k]
    np.testing.assert_array_equal(function(SPREAD, [0.0, 40.0, np.inf, np.nan]), [0, np.inf, np.inf, np.nan])
    np.testing.assert_array_equal(function(MEAN, [0.0, 40.0, np.nan]), [1, np.inf, np.nan])


def test_logarithm(function: Function) -> None:
    rng = np.random.default_rng(2)
    near = 1 + rng.choice([-1, 1], 20000) * 10 ** rng.uniform(-16, -1, 20000)
    borders = np.concatenate([np.nextafter(1 + np.arange(17) / 16, y) for y in (0, 1, 2)])
    x = np.concatenate([np.exp(rng.uniform(-700, 700, 100_000)), rng.uniform(0.4, 3, 100_000), near, borders])
    expected = np.log(x.astype(np.longdouble))
    error = np.abs(function(LOG, x).astype(np.longdouble) - expected)
    assert (error <= 2.6e-16 + 2.3e-16 * np.abs(expected)).all()
    x = np.array([0.0, 5e-324, -1.0, np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(function(LOG, x), [-np.inf, -np.inf, *[np.nan] * 4])
