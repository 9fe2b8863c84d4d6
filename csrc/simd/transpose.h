// Squares of registers of double transposed; see vector.h.
#pragma once

#include <utility>

#include "simd/vector.h"

namespace pyamp::simd::PYAMP_ISA {

/// Of two rows whose numbers differ in the bit `step`: each keeps the columns on its side and takes those of the
/// other.
template <int step, std::size_t... lane>
[[gnu::always_inline]] inline void exchange_blocks(Vec<double>& first, Vec<double>& second,
                                                   std::index_sequence<lane...>) {
    constexpr int L = lanes<double>;
    const Vec<double> a = first, b = second;
    first = __builtin_shufflevector(a, b, (lane & step ? L + (lane ^ step) : lane)...);
    second = __builtin_shufflevector(a, b, (lane & step ? L + lane : lane ^ step)...);
}

/// rows[i][j] becomes rows[j][i].
template <int step = 1>
[[gnu::always_inline]] inline void transpose(Vec<double> (&rows)[lanes<double>]) {
    if constexpr (step < lanes<double>) {
#pragma GCC unroll 8
        for (int i = 0; i < lanes<double>; ++i)
            if (!(i & step))
                exchange_blocks<step>(rows[i], rows[i + step], std::make_index_sequence<lanes<double>>{});
        transpose<2 * step>(rows);
    }
}

}  // namespace pyamp::simd::PYAMP_ISA
