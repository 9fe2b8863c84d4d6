// Four labellings side by side: vectors of doubles and complex numbers, gathered from the tables of a point.
#pragma once

#include "amplitudes/gg_to_aag/complex.h"
#include "amplitudes/gg_to_aag/orderings.h"

// Everything here is inlined into functions that are compiled once per instruction set.
#define PYAMP_INLINE inline __attribute__((always_inline))

// Vectors wider than the default registers have no stable calling convention; nothing here is ever called.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

namespace pyamp::gg_to_aag {

/// GCC and Clang lower this type to whatever vectors the machine has; the arithmetic is the same everywhere.
using Reals = double __attribute__((vector_size(n_lanes * sizeof(double))));

struct Complexes {
    Reals re;
    Reals im;
};

PYAMP_INLINE Complexes operator+(const Complexes& a, const Complexes& b) { return {a.re + b.re, a.im + b.im}; }
PYAMP_INLINE Complexes operator-(const Complexes& a, const Complexes& b) { return {a.re - b.re, a.im - b.im}; }
PYAMP_INLINE Complexes operator-(const Complexes& a) { return {-a.re, -a.im}; }
PYAMP_INLINE Complexes operator*(const Complexes& a, const Complexes& b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
PYAMP_INLINE Complexes operator*(const Reals& a, const Complexes& b) { return {a * b.re, a * b.im}; }
PYAMP_INLINE Complexes operator*(double a, const Complexes& b) { return {a * b.re, a * b.im}; }
PYAMP_INLINE Complexes square(const Complexes& a) { return a * a; }
PYAMP_INLINE Complexes cube(const Complexes& a) { return a * a * a; }

PYAMP_INLINE Reals gather(const double* table, const LaneIndex& at) {
    return Reals{table[at[0]], table[at[1]], table[at[2]], table[at[3]]};
}
PYAMP_INLINE Complexes gather(const Complex* table, const LaneIndex& at) {
    return {Reals{table[at[0]].re, table[at[1]].re, table[at[2]].re, table[at[3]].re},
            Reals{table[at[0]].im, table[at[1]].im, table[at[2]].im, table[at[3]].im}};
}

}  // namespace pyamp::gg_to_aag
