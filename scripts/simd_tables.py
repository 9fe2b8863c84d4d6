"""Tables of csrc/simd/tables.h: polynomials on 32 intervals, one for each lane of two registers, printed as C++.

python scripts/simd_tables.py > csrc/simd/tables.h

The centre of an interval is the float near its middle at which the function is closest to a float, so that the
constant of a polynomial is hardly rounded.
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 30
INTERVALS = 32
TANH_SHIFT, TANH_END = mp.mpf("0.625"), mp.mpf("9.375")
GELU_END = mp.mpf("6.2")
GELU_STEP = mp.mpf(float(np.float32(2 * GELU_END / (INTERVALS - 1))))


def gelu(x):
    """x times the probability that a normal variable is below x."""
    return x * (1 + mp.erf(x / mp.sqrt(2))) / 2


def centre_of(function, begin, end):
    """A float near the middle whose value is nearly a float."""
    candidate = np.float32(begin + (end - begin) * mp.mpf("0.499"))
    best, least = candidate, np.inf
    for _ in range(400):
        value = function(mp.mpf(float(candidate)))
        error = abs(float(value - mp.mpf(float(np.float32(value)))))
        if error < least:
            best, least = candidate, error
        candidate = np.nextafter(candidate, np.float32(np.inf))
    return float(best)


def fit(function, begin, end, terms):
    """Centre, coefficients with the constant first, and error; about 0 exact where the function is 0."""
    if begin <= 0 <= end:
        of_ratio, error = mp.chebyfit(
            lambda x: function(x) / x if x else mp.diff(function, 0), [begin, end], terms - 1, error=True
        )
        return [0.0, 0.0, *of_ratio[::-1]], error * max(abs(begin), abs(end))
    centre = centre_of(function, begin, end)
    coefficients, error = mp.chebyfit(
        lambda d: function(centre + d), [begin - centre, end - centre], terms, error=True
    )
    return [centre, *coefficients[::-1]], error


def tanh_rows():
    """By the five bits below the lowest three of the exponent of |x| + shift: eight intervals an octave."""
    rows, worst = {}, mp.mpf(0)
    for exponent in range(-1, 4):
        for eighth in range(8):
            begin, end = (mp.ldexp(1 + mp.mpf(j) / 8, exponent) - TANH_SHIFT for j in (eighth, eighth + 1))
            if begin < 0 or end > TANH_END:
                continue
            row, error = fit(mp.tanh, begin, end, 5)
            rows[((exponent + 127) % 4) * 8 + eighth] = row
            worst = max(worst, abs(error))
    return rows, worst


def gelu_rows():
    """By the nearest multiple of the step, modulo 32; 0 below the first and x above the last."""
    rows, worst = {}, mp.mpf(0)
    for k in range(-INTERVALS // 2 + 1, INTERVALS // 2 - 1):
        row, error = fit(gelu, (k - mp.mpf("0.5")) * GELU_STEP, (k + mp.mpf("0.5")) * GELU_STEP, 6)
        rows[k % INTERVALS] = row
        worst = max(worst, abs(error))
    rows[INTERVALS // 2] = [0.0] * 7
    end = float(np.float32((INTERVALS // 2 - 1) * GELU_STEP))
    rows[INTERVALS // 2 - 1] = [end, end, 1.0, 0.0, 0.0, 0.0, 0.0]
    return rows, max(worst, -gelu(-(INTERVALS // 2 - mp.mpf("1.5")) * GELU_STEP))


def table(name, what, rows, error):
    """One C++ array: the centres, then the coefficients, the constant first."""
    assert sorted(rows) == list(range(INTERVALS))
    columns = np.array([[float(value) for value in rows[k]] for k in range(INTERVALS)], dtype=np.float32).T
    print(f"/// {what}; error {mp.nstr(error, 2)}.")
    print(f"alignas(64) inline constexpr float {name}[{len(columns)}][{INTERVALS}] = {{")
    lines = (", ".join(f"{value!s}f" for value in column) for column in columns)
    print(",\n".join(f"    {{{line}}}" for line in lines) + "};\n")


def main():
    """Print the header."""
    print(
        "// Tables for table_math.h: centres of 32 intervals, then the coefficients of polynomials about them, the\n"
        "// constant first. Written by scripts/simd_tables.py.\n#pragma once\n\nnamespace pyamp::simd {\n"
    )
    shift = mp.nstr(TANH_SHIFT, 9)
    what = f"tanh of |x| up to 9.375 by the bits 20 to 24 of the float |x| + {shift}"
    table("tanh_table", what, *tanh_rows())
    what = f"gelu by the nearest multiple of {mp.nstr(GELU_STEP, 9)}, modulo 32"
    table("gelu_table", what, *gelu_rows())
    print(f"inline constexpr float gelu_step = {float(GELU_STEP).hex()}f;\n")
    print("}  // namespace pyamp::simd")


if __name__ == "__main__":
    main()
