// Elementary functions of whole registers, to a few ulp of the larger of the result and 1; see vector.h.
//
// Arguments of exp and of the activations are those of networks: anything is allowed, and what would overflow is
// clamped far outside what a network can use. NaN stays NaN.
#pragma once

#include "simd/coefficients.h"
#include "simd/table_math.h"
#include "simd/vector.h"

namespace pyamp::simd::PYAMP_ISA {

template <typename T>
struct FloatingPoint;
/// The parts of ln 2 and pi have so few bits that their products with small integers are exact.
template <>
struct FloatingPoint<float> {
    static constexpr int mantissa_bits = 23;
    static constexpr float round_shift = 0x1.8p23f;  ///< adding it leaves the nearest integer in the low bits
    static constexpr float exp_limit = 80.0f;        ///< reciprocals of exp stay normal
    static constexpr float ln2_high = 0x1.62ep-1f, ln2_low = 0x1.0bfbe8p-15f;
    static constexpr float pi_high = 0x1.921p1f, pi_middle = 0x1.f6ap-12f, pi_low = 0x1.110b46p-25f;
};
template <>
struct FloatingPoint<double> {
    static constexpr int mantissa_bits = 52;
    static constexpr double round_shift = 0x1.8p52;
    static constexpr double exp_limit = 700.0;
    static constexpr double ln2_high = 0x1.62e42fefa2p-1, ln2_low = 0x1.9ef35793c7673p-41;
    static constexpr double pi_high = 0x1.921fb54442p1, pi_middle = 0x1.a308d31318p-40,
                            pi_low = 0x1.8a2e03707344ap-80;
};

/// sum_k c[k] x^k
template <typename T, int N>
[[gnu::always_inline]] inline Vec<T> polynomial(const double (&c)[N], Vec<T> x) {
    Vec<T> result = broadcast(static_cast<T>(c[N - 1]));
#pragma GCC unroll 32
    for (int k = N - 2; k >= 0; --k) result = fma(result, x, broadcast(static_cast<T>(c[k])));
    return result;
}

/// The same with the coefficients for the arithmetic.
template <typename T, int N, int M>
[[gnu::always_inline]] inline Vec<T> polynomial(const double (&of_float)[N], const double (&of_double)[M], Vec<T> x) {
    if constexpr (sizeof(T) == sizeof(float))
        return polynomial<T>(of_float, x);
    else
        return polynomial<T>(of_double, x);
}

template <typename T>
[[gnu::always_inline]] inline Vec<T> absolute(Vec<T> x) {
    using Bits = IntVec<T>;
    return reinterpret_cast<Vec<T>>(reinterpret_cast<Bits>(x) & ~reinterpret_cast<Bits>(broadcast(T{-0.0})));
}

/// An integer k, as a number and in the bits of a number that was shifted by round_shift.
template <typename T>
struct Rounded {
    Vec<T> value;
    IntVec<T> bits;
};

template <typename T>
[[gnu::always_inline]] inline Rounded<T> round_product(Vec<T> x, T factor) {
    const Vec<T> shift = broadcast(FloatingPoint<T>::round_shift);
    const Vec<T> shifted = fma(x, broadcast(factor), shift);
    return {shifted - shift, reinterpret_cast<IntVec<T>>(shifted)};
}

/// exp(x) = 2^k (1 + r) with scale = 2^k and remainder = r.
template <typename T>
struct ExpParts {
    Vec<T> scale, remainder;
};

template <typename T>
[[gnu::always_inline]] inline ExpParts<T> exp_parts(Vec<T> x) {
    using F = FloatingPoint<T>;
    const auto k = round_product(x, static_cast<T>(1.44269504088896340736));
    const Vec<T> r = fma(k.value, broadcast(static_cast<T>(-F::ln2_low)),
                         fma(k.value, broadcast(static_cast<T>(-F::ln2_high)), x));
    const Vec<T> p = polynomial<T>(expm1_float, expm1_double, r);
    const auto one = reinterpret_cast<IntVec<T>>(broadcast(T{1}));
    return {reinterpret_cast<Vec<T>>(one + (k.bits << F::mantissa_bits)), fma(r * r, p, r)};
}

/// exp of x within +-exp_limit.
template <typename T>
[[gnu::always_inline]] inline Vec<T> exp(Vec<T> x) {
    const auto parts = exp_parts<T>(clamp(x, FloatingPoint<T>::exp_limit));
    return fma(parts.scale, parts.remainder, parts.scale);
}

#if !defined(__AVX512F__)  // in table_math.h
[[gnu::always_inline]] inline Vec<float> tanh(Vec<float> x) {
    const Vec<float> z = clamp(x, 8.7f);
    const Vec<float> z2 = z * z;
    return z * polynomial<float>(tanh_numerator_float, z2) / polynomial<float>(tanh_denominator_float, z2);
}
#endif

[[gnu::always_inline]] inline Vec<double> tanh(Vec<double> x) {
    const auto parts = exp_parts<double>(2.0 * clamp(x, 20.0));
    const Vec<double> e = fma(parts.scale, parts.remainder, parts.scale - 1.0);  // exp(2 x) - 1, accurate near 0
    return e / (e + 2.0);
}

/// 1/(1 + exp(-x))
template <typename T>
[[gnu::always_inline]] inline Vec<T> sigmoid(Vec<T> x) {
    return T{1} / (T{1} + exp<T>(-x));
}

/// ln(1 + exp(x))
template <typename T>
[[gnu::always_inline]] inline Vec<T> softplus(Vec<T> x) {
    const Vec<T> t = exp<T>(-absolute<T>(x));
    const Vec<T> s = t / (t + T{2});
    const Vec<T> s2 = s * s;
    const Vec<T> p = polynomial<T>(log1p_float, log1p_double, s2);
    const Vec<T> log1p = fma(s * s2, p, s + s);
    return (x > T{0} ? x : Vec<T>{}) + log1p;  // NaN comes with log1p
}

#if !defined(__AVX512F__)
/// x times the probability that a normal variable is below x.
[[gnu::always_inline]] inline Vec<float> gelu(Vec<float> x) {
    const Vec<float> z = clamp(x * 0.70710678118654752440f, 3.92f);
    const Vec<float> z2 = z * z;
    const Vec<float> erf =
        z * polynomial<float>(erf_numerator_float, z2) / polynomial<float>(erf_denominator_float, z2);
    const Vec<float> half = 0.5f * x;
    return fma(half, erf, half);
}
#endif

[[gnu::always_inline]] inline Vec<double> gelu(Vec<double> x) {
    const Vec<double> z = clamp(absolute<double>(x) * 0.70710678118654752440, 6.0);
    const Vec<double> inverse = 1.0 / ((z + 3.5) * fma(z, broadcast(2.0), broadcast(1.0)));
    const Vec<double> u = (z - 3.5) * fma(z, broadcast(2.0), broadcast(1.0)) * inverse;
    const Vec<double> tail = 0.5 * exp<double>(-z * z) * polynomial<double>(erfc_double, u) * (z + 3.5) * inverse;
    return x * (x > 0.0 ? 1.0 - tail : tail);
}

template <typename T>
[[gnu::always_inline]] inline Vec<T> sine(Vec<T> x) {
    using F = FloatingPoint<T>;
    const auto k = round_product(x, static_cast<T>(0.31830988618379067154));
    Vec<T> r = fma(k.value, broadcast(static_cast<T>(-F::pi_high)), x);
    r = fma(k.value, broadcast(static_cast<T>(-F::pi_middle)), r);
    r = fma(k.value, broadcast(static_cast<T>(-F::pi_low)), r);
    const Vec<T> t = r * r;
    const Vec<T> p = polynomial<T>(sine_float, sine_double, t);
    const Vec<T> value = fma(r * t, p, r);
    const auto sign = k.bits << (8 * static_cast<int>(sizeof(T)) - 1);  // odd multiples of pi
    return reinterpret_cast<Vec<T>>(reinterpret_cast<IntVec<T>>(value) ^ sign);
}

}  // namespace pyamp::simd::PYAMP_ISA
