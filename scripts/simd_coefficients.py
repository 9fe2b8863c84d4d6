"""Coefficients of csrc/simd/coefficients.h: near-minimax polynomials by Chebyshev interpolation and rational
functions by least squares, printed as C++.

python scripts/simd_coefficients.py > csrc/simd/coefficients.h
"""

import mpmath as mp
import numpy as np
from scipy.special import erf

mp.mp.dps = 40
HALF_LN2 = mp.log(2) / 2 * mp.mpf("1.0001")
ERFC_SHIFT, ERFC_END = mp.mpf("3.5"), mp.mpf(6)
ERF_END, TANH_END = 3.92, 8.7
NARROW = mp.mpf("0.5")


def expm1_remainder(r):
    """(exp(r) − 1 − r)/r²."""
    return mp.mpf(1) / 2 + r / 6 if abs(r) < mp.mpf("1e-15") else (mp.expm1(r) - r) / r**2


def atanh_remainder(t):
    """(2 atanh(s) − 2 s)/s³ of t = s²."""
    return mp.mpf(2) / 3 if t < mp.mpf("1e-20") else (2 * mp.atanh(mp.sqrt(t)) / mp.sqrt(t) - 2) / t


def half_expm1(y):
    """(exp(y/2) − 1)/y."""
    return mp.mpf(1) / 2 if abs(y) < mp.mpf("1e-30") else mp.expm1(y / 2) / y


def spread_ratio(y):
    """√((exp(y) − 1)/y)."""
    return mp.mpf(1) if abs(y) < mp.mpf("1e-30") else mp.sqrt(mp.expm1(y) / y)


def sine_remainder(t):
    """(sin(r) − r)/r³ of t = r²."""
    r = mp.sqrt(t)
    return -mp.mpf(1) / 6 if t < mp.mpf("1e-20") else (mp.sin(r) - r) / r**3


def scaled_erfc(u):
    """(1 + 2 z) exp(z²) erfc(z) of u = (z − a)/(z + a)."""
    z = ERFC_SHIFT * (1 + u) / (1 - u)
    return (1 + 2 * z) * mp.exp(z**2) * mp.erfc(z)


def rational(function, degree, end, weight_of):
    """P, Q and the error of f(z) = z P(z²)/Q(z²) up to an end, the weighted error made least by Lawson's weights."""
    z = end * (np.cos((2 * np.arange(2000) + 1) / 4000 * np.pi) * 0.5 + 0.5)
    target = function(z) / z
    scale = end ** (2 * np.arange(degree + 1))
    powers = z[:, None] ** (2 * np.arange(degree + 1)) / scale
    weight = np.ones_like(z)
    denominator = np.ones_like(z)
    best, least = None, np.inf
    for _ in range(300):
        rows = (weight_of(z) * np.sqrt(weight) / denominator)[:, None]
        matrix = np.concatenate([powers, -target[:, None] * powers[:, 1:]], axis=1)
        solution = np.linalg.lstsq(matrix * rows, target * rows[:, 0], rcond=None)[0]
        p, q = solution[: degree + 1], np.r_[1.0, solution[degree + 1 :]]
        denominator = powers @ q
        error = np.abs(weight_of(z) * (powers @ p / denominator - target))
        if error.max() < least:
            best, least = (p / scale, q / scale), error.max()
        weight *= error / error.max() + 1e-9
        weight /= weight.sum()
    return *best, least


def table(name, what, coefficients, error):
    """One C++ array, the constant first."""
    values = ",\n    ".join(mp.nstr(mp.mpf(c), 19) for c in coefficients)
    print(f"/// {what}; error {mp.nstr(mp.mpf(error), 2)}.")
    print(f"constexpr double {name}[] = {{\n    {values}}};\n")


def polynomial(name, what, function, begin, end, terms):
    """One array of a Chebyshev fit."""
    coefficients, error = mp.chebyfit(function, [begin, end], terms, error=True)
    table(name, what, coefficients[::-1], error)


def main():
    """Print the header."""
    print(
        "// Coefficients for math.h, the constant first. Written by scripts/simd_coefficients.py.\n#pragma once\n"
    )
    print("namespace pyamp::simd {\n")
    for terms, suffix in ((5, "float"), (10, "double")):
        what = "(exp(r) - 1 - r)/r^2 for |r| <= ln(2)/2"
        polynomial(f"expm1_{suffix}", what, expm1_remainder, -HALF_LN2, HALF_LN2, terms)
    what = f"(exp(y/2) - 1)/y for 0 <= y <= {mp.nstr(NARROW, 3)}"
    polynomial("half_expm1_double", what, half_expm1, 0, NARROW, 10)
    what = f"the root of (exp(y) - 1)/y for 0 <= y <= {mp.nstr(NARROW, 3)}"
    polynomial("spread_ratio_double", what, spread_ratio, 0, NARROW, 10)
    for terms, suffix in ((5, "float"), (11, "double")):
        what = "(2 atanh(s) - 2 s)/s^3 in s^2 for s <= 1/3"
        polynomial(f"log1p_{suffix}", what, atanh_remainder, 0, mp.mpf(1) / 9 * mp.mpf("1.0001"), terms)
    for terms, suffix in ((5, "float"), (9, "double")):
        what = "(sin(r) - r)/r^3 in r^2 for |r| <= pi/2"
        polynomial(f"sine_{suffix}", what, sine_remainder, 0, (mp.pi / 2 * mp.mpf("1.001")) ** 2, terms)
    end = (ERFC_END - ERFC_SHIFT) / (ERFC_END + ERFC_SHIFT)
    what = "(1 + 2 z) exp(z^2) erfc(z) in u = (z - 3.5)/(z + 3.5) for 0 <= z <= 6"
    polynomial("erfc_double", what, scaled_erfc, -1, end, 20)
    p, q, error = rational(erf, 5, ERF_END, lambda z: z)
    table("erf_numerator_float", f"P of erf(z) = z P(z^2)/Q(z^2) for |z| <= {ERF_END}", p, error)
    table("erf_denominator_float", "Q of the same", q, error)
    p, q, error = rational(np.tanh, 4, TANH_END, lambda z: z / np.tanh(z))
    table("tanh_numerator_float", f"P of tanh(z) = z P(z^2)/Q(z^2) for |z| <= {TANH_END}", p, error)
    table("tanh_denominator_float", "Q of the same", q, error)
    print("}  // namespace pyamp::simd")


if __name__ == "__main__":
    main()
