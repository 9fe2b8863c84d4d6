"""Tables of csrc/simd/log_tables.h: reciprocals and logarithms at the centres of 16 intervals, and the polynomial
about them, printed as C++.

python scripts/simd_log_tables.py > csrc/simd/log_tables.h
"""

import mpmath as mp

mp.mp.dps = 40
INTERVALS = 16


def remainder(r):
    """(log(1 + r) − r)/r²."""
    return -mp.mpf(1) / 2 + r / 3 if abs(r) < mp.mpf("1e-15") else (mp.log1p(r) - r) / r**2


def array(name, values):
    """One C++ array."""
    text = ",\n    ".join(mp.nstr(mp.mpf(value), 19) for value in values)
    print(f"alignas(64) constexpr double {name}[] = {{\n    {text}}};\n")


def main():
    """Print the header."""
    print(
        "// Tables for logarithm.h. Written by scripts/simd_log_tables.py.\n#pragma once\n\n"
        "namespace pyamp::simd {\n"
    )
    centres = [1 + (i + mp.mpf(1) / 2) / INTERVALS for i in range(INTERVALS)]
    reciprocals = [mp.mpf(float(1 / centre)) for centre in centres]
    print("/// Reciprocals of numbers from 1 to 2, by the first four bits of their fraction.")
    array("log_reciprocal", reciprocals)
    print("/// Minus their logarithms.")
    array("log_of_centre", [-mp.log(reciprocal) for reciprocal in reciprocals])
    largest = max(
        abs(reciprocal * (1 + mp.mpf(i + end) / INTERVALS) - 1)
        for i, reciprocal in enumerate(reciprocals)
        for end in (0, 1)
    )
    coefficients, error = mp.chebyfit(remainder, [-largest, largest], 7, error=True)
    print(
        f"/// (log(1 + r) - r)/r^2 for |r| <= {mp.nstr(largest, 4)}, the constant first; "
        f"error {mp.nstr(error, 2)}."
    )
    array("log_narrow", coefficients[::-1])
    print("}  // namespace pyamp::simd")


if __name__ == "__main__":
    main()
