// ln in few dependent steps and without a division, for logarithms on which everything waits. See vector.h.
//
// Unlike log() of math.h, its error is absolute: below 1.5e-16 + 2.3e-16 |ln x|, 1.1e-16 more without fused
// multiply-add. Subnormal numbers count as zero, infinity and negative numbers as NaN.
#pragma once

#include "simd/log_tables.h"
#include "simd/math.h"

namespace pyamp::simd::PYAMP_ISA {

/// table[i] of the lowest four bits i.
[[gnu::always_inline]] inline Vec<double> look_up(const double (&table)[16], IntVec<double> i) {
#if defined(__AVX512F__)
    return _mm512_permutex2var_pd(load(table), reinterpret_cast<__m512i>(i), load(table + 8));
#else
    Vec<double> result;
    for (int l = 0; l < lanes<double>; ++l) result[l] = table[i[l] & 15];
    return result;
#endif
}

[[gnu::always_inline]] inline Vec<double> quick_log(Vec<double> x) {
    using Bits = IntVec<double>;
    using F = FloatingPoint<double>;
    constexpr int fraction = F::mantissa_bits;
    const Bits bits = reinterpret_cast<Bits>(x);
    const Bits one = reinterpret_cast<Bits>(broadcast(1.0));
    const Bits index = bits >> (fraction - 4);
    const auto m = reinterpret_cast<Vec<double>>((bits & ((1ll << fraction) - 1)) | one);
    const Vec<double> k = __builtin_convertvector((bits >> fraction) - 1023, Vec<double>);
    const Vec<double> r = fma(m, look_up(log_reciprocal, index), broadcast(-1.0));
    const Vec<double> begin = fma(k, broadcast(F::ln2_high), look_up(log_of_centre, index));
    const Vec<double> r2 = r * r;
    const auto line = [&](int i) __attribute__((always_inline)) {
        return fma(r, broadcast(log_narrow[i + 1]), broadcast(log_narrow[i]));
    };
    const Vec<double> high = fma(r2, broadcast(log_narrow[6]), line(4));
    const Vec<double> p = fma(r2 * r2, high, fma(r2, line(2), line(0)));
    const Vec<double> result = begin + fma(r2, p, fma(k, broadcast(F::ln2_low), r));
    const Vec<double> of_positive = x < __builtin_inf() ? result : broadcast(__builtin_nan(""));
    const Vec<double> of_others = x >= 0.0 ? broadcast(-__builtin_inf()) : broadcast(__builtin_nan(""));
    return x >= 0x1p-1022 ? of_positive : of_others;
}

}  // namespace pyamp::simd::PYAMP_ISA
