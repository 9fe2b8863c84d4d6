// What comparisons of registers of double say, and square roots, for which there is no operator; see vector.h.
#pragma once

#include "simd/vector.h"

namespace pyamp::simd::PYAMP_ISA {

using Mask = decltype(Vec<double>{} < Vec<double>{});

/// One bit for each lane.
[[gnu::always_inline]] inline unsigned bits(const Mask& mask) {
#if defined(__AVX512DQ__)
    return _mm512_movepi64_mask(reinterpret_cast<__m512i>(mask));
#elif defined(__AVX2__)
    return static_cast<unsigned>(_mm256_movemask_pd(reinterpret_cast<__m256d>(mask)));
#else
    unsigned result = 0;
    for (int l = 0; l < lanes<double>; ++l) result |= mask[l] ? 1u << l : 0u;
    return result;
#endif
}

[[gnu::always_inline]] inline bool all(const Mask& mask) { return bits(mask) == (1u << lanes<double>)-1; }

[[gnu::always_inline]] inline Vec<double> square_root(const Vec<double>& x) {
#if defined(__AVX512F__)
    return _mm512_maskz_sqrt_pd(0xff, x);
#elif defined(__AVX2__)
    return _mm256_sqrt_pd(x);
#else
    Vec<double> root;
    for (int l = 0; l < lanes<double>; ++l) root[l] = __builtin_sqrt(x[l]);
    return root;
#endif
}

}  // namespace pyamp::simd::PYAMP_ISA
