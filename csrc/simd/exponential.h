// exp and its relatives over the whole range of double, as the moments of amplitudes need them: infinity where the
// result overflows, zero where it vanishes. Errors below 1e-15 of the result; NaN stays NaN. See vector.h.
//
// math.h has those for activations, which are clamped and add their terms one after the other.
#pragma once

#include "simd/math.h"

namespace pyamp::simd::PYAMP_ISA {

/// exp(x) = 2^k (1 + remainder), 2^k = first second, either a normal number.
struct WideExpParts {
    Vec<double> first, second, remainder;
    IntVec<double> second_power;
};

/// 2^k of integers that were added to round_shift.
[[gnu::always_inline]] inline Vec<double> power_of_two(IntVec<double> k) {
    const auto one = reinterpret_cast<IntVec<double>>(broadcast(1.0));
    return reinterpret_cast<Vec<double>>(one + (k << FloatingPoint<double>::mantissa_bits));
}

/// c[0] + c[1] x + ... + c[9] x^9 in few dependent steps.
[[gnu::always_inline]] inline Vec<double> short_chain(const double (&c)[10], Vec<double> x) {
    const Vec<double> x2 = x * x;
    const auto line = [&](int k)
                          __attribute__((always_inline)) { return fma(x, broadcast(c[k + 1]), broadcast(c[k])); };
    const Vec<double> low = fma(x2, line(2), line(0)), high = fma(x2, line(6), line(4));
    const Vec<double> x4 = x2 * x2;
    return fma(x4, fma(x4, line(8), high), low);
}

[[gnu::always_inline]] inline WideExpParts wide_exp_parts(Vec<double> x) {
    using F = FloatingPoint<double>;
    x = clamp(x, 1400.0);  // k/2 is the power of a normal number
    const auto k = round_product<double>(x, 1.44269504088896340736);
    const auto half = round_product<double>(k.value, 0.5);
    const Vec<double> r = fma(k.value, broadcast(-F::ln2_low), fma(k.value, broadcast(-F::ln2_high), x));
    const IntVec<double> rest = k.bits - half.bits;
    return {power_of_two(half.bits), power_of_two(rest), fma(r * r, short_chain(expm1_double, r), r), rest};
}

[[gnu::always_inline]] inline Vec<double> wide_exp(Vec<double> x) {
    const auto parts = wide_exp_parts(x);
    return fma(parts.first, parts.remainder, parts.first) * parts.second;
}

/// exp(x) - 1, relative precision near 0 too.
[[gnu::always_inline]] inline Vec<double> wide_expm1(Vec<double> x) {
    const auto parts = wide_exp_parts(x);
    const Vec<double> unit = power_of_two(-parts.second_power);
    return fma(parts.first, parts.remainder, parts.first - unit) * parts.second;
}

/// ln(1 + exp(x))
[[gnu::always_inline]] inline Vec<double> wide_softplus(Vec<double> x) {
    const Vec<double> t = wide_exp(-absolute<double>(x));
    const Vec<double> s = t / (t + 2.0);
    const Vec<double> s2 = s * s;
    const Vec<double> log1p = fma(s * s2, polynomial<double>(log1p_double, s2), s + s);
    return (x > 0.0 ? x : Vec<double>{}) + log1p;  // NaN comes with log1p
}

}  // namespace pyamp::simd::PYAMP_ISA
