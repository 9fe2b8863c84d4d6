// exp and its relatives as the moments of amplitudes need them: infinity from exp(709.4) on, zero below exp(-708), so
// that what overflows is seen to. Errors below 1e-15 of the result; NaN stays NaN. See vector.h.
//
// math.h has those for activations, which are clamped and add their terms one after the other.
#pragma once

#include "simd/math.h"

namespace pyamp::simd::PYAMP_ISA {

/// c[0] + c[1] x + ... + c[9] x^9 in few dependent steps.
[[gnu::always_inline]] inline Vec<double> short_chain(const double (&c)[10], Vec<double> x) {
    const Vec<double> x2 = x * x;
    const auto line = [&](int k)
                          __attribute__((always_inline)) { return fma(x, broadcast(c[k + 1]), broadcast(c[k])); };
    const Vec<double> low = fma(x2, line(2), line(0)), high = fma(x2, line(6), line(4));
    const Vec<double> x4 = x2 * x2;
    return fma(x4, fma(x4, line(8), high), low);
}

/// Beyond these exp(x) counts as infinite or zero; between them 2^k is a normal number.
constexpr double exp_overflow = 709.4, exp_underflow = -708.0;

/// exp(x) = scale (1 + remainder) of x between the limits.
[[gnu::always_inline]] inline ExpParts<double> wide_exp_parts(Vec<double> x) {
    using F = FloatingPoint<double>;
    const auto k = round_product<double>(x, 1.44269504088896340736);
    const Vec<double> r = fma(k.value, broadcast(-F::ln2_low), fma(k.value, broadcast(-F::ln2_high), x));
    const auto one = reinterpret_cast<IntVec<double>>(broadcast(1.0));
    return {reinterpret_cast<Vec<double>>(one + (k.bits << F::mantissa_bits)),
            fma(r * r, short_chain(expm1_double, r), r)};
}

/// The result, or what it is beyond the limits: off the chain of dependent steps, unlike a clamp of the argument.
[[gnu::always_inline]] inline Vec<double> within_limits(Vec<double> x, Vec<double> result, double lowest) {
    result = x > exp_overflow ? broadcast(__builtin_inf()) : result;
    return x < exp_underflow ? broadcast(lowest) : result;
}

[[gnu::always_inline]] inline Vec<double> wide_exp(Vec<double> x) {
    const auto parts = wide_exp_parts(x);
    return within_limits(x, fma(parts.scale, parts.remainder, parts.scale), 0.0);
}

/// exp(x) - 1, relative precision near 0 too.
[[gnu::always_inline]] inline Vec<double> wide_expm1(Vec<double> x) {
    const auto parts = wide_exp_parts(x);
    return within_limits(x, fma(parts.scale, parts.remainder, parts.scale - 1.0), -1.0);
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
