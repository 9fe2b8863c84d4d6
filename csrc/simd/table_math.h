// Activations in float32 for AVX-512: polynomials on 32 intervals, whose coefficients a permutation of two registers
// looks up. They need no division, wait for fewer steps one after the other than a rational function, and round
// once or twice near the end: to about an ulp.
#pragma once

#include "simd/tables.h"
#include "simd/vector.h"

#if defined(__AVX512F__)
namespace pyamp::simd::PYAMP_ISA {

/// Entries of a table by the lowest five bits of the indices.
[[gnu::always_inline]] inline Vec<float> look_up(const float (&table)[32], __m512i indices) {
    return _mm512_permutex2var_ps(_mm512_load_ps(table), indices, _mm512_load_ps(table + 16));
}

// Minima and maxima return their second operand where one is NaN; masked, the compiler does not exchange them.
[[gnu::always_inline]] inline Vec<float> minimum(float limit, Vec<float> x) {
    return _mm512_maskz_min_ps(0xffff, broadcast(limit), x);
}
[[gnu::always_inline]] inline Vec<float> maximum(float limit, Vec<float> x) {
    return _mm512_maskz_max_ps(0xffff, broadcast(limit), x);
}

[[gnu::always_inline]] inline Vec<float> tanh(Vec<float> x) {
    const __m512i sign = _mm512_set1_epi32(INT32_MIN);
    const Vec<float> a = _mm512_castsi512_ps(_mm512_andnot_si512(sign, _mm512_castps_si512(x)));
    // Bits of a sum from 0.625 to below 10; NaN is the largest integer, and stays in d.
    const __m512i sum = _mm512_castps_si512(a + 0.625f);
    const __m512i last = _mm512_castps_si512(broadcast(0x1.3fffp3f));
    const __m512i i = _mm512_srli_epi32(_mm512_min_epu32(sum, last), 20);
    const auto& table = tanh_table;
    const Vec<float> d = minimum(9.375f, a) - look_up(table[0], i);
    const Vec<float> low = fma(look_up(table[2], i), d, look_up(table[1], i));
    const Vec<float> middle = fma(look_up(table[4], i), d, look_up(table[3], i));
    const Vec<float> d2 = d * d;
    const Vec<float> value = fma(fma(look_up(table[5], i), d2, middle), d2, low);
    constexpr int sign_of_first = 0xea;  // (first & second) | third
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(_mm512_castps_si512(x), sign, _mm512_castps_si512(value), sign_of_first));
}

/// x times the probability that a normal variable is below x: 0 in the first interval, x in the last.
[[gnu::always_inline]] inline Vec<float> gelu(Vec<float> x) {
    const Vec<float> limited = maximum(-16 * gelu_step, minimum(15 * gelu_step, x));
    const Vec<float> shifted = fma(limited, broadcast(1 / gelu_step), broadcast(0x1.8p23f));
    const __m512i i = _mm512_castps_si512(shifted);  // the nearest integer in the low bits
    const auto& table = gelu_table;
    const Vec<float> d = x - look_up(table[0], i);
    Vec<float> value = look_up(table[6], i);
#pragma GCC unroll 5
    for (int k = 5; k > 0; --k) value = fma(value, d, look_up(table[k], i));
    return value;
}

}  // namespace pyamp::simd::PYAMP_ISA
#endif
