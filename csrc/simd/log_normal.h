// Mean and spread of a variable whose logarithm is normal, of standard deviation s, in few dependent steps: for
// narrow ones, as those of an accurate network are, by polynomials in s^2 beside the exponential of the logarithm's
// mean. Each lane takes the formula of its own s, whatever its neighbours are. NaN stays NaN. See vector.h.
#pragma once

#include "simd/exponential.h"
#include "simd/masks.h"

namespace pyamp::simd::PYAMP_ISA {

/// s^2 up to which the polynomials serve.
constexpr double narrow_limit = 0.5;

/// What `narrow` says in its lanes; `wide` is asked only where others are.
template <typename Wide>
[[gnu::always_inline]] inline Vec<double> narrow_or(const Mask& is_narrow, const Vec<double>& narrow,
                                                    const Wide& wide) {
    if (all(is_narrow)) [[likely]]
        return narrow;
    return is_narrow ? narrow : wide();
}

/// exp(x + s^2/2)
[[gnu::always_inline]] inline Vec<double> log_normal_mean(Vec<double> x, Vec<double> s) {
    const Vec<double> s2 = s * s;
    const Vec<double> median = wide_exp(x);
    const Vec<double> mean = fma(median * s2, short_chain(half_expm1_double, s2), median);
    return narrow_or(s2 <= narrow_limit, mean,
                     [&] __attribute__((always_inline)) { return wide_exp(fma(0.5 * s, s, x)); });
}

/// The standard deviation over the mean, the root of exp(s^2) - 1.
[[gnu::always_inline]] inline Vec<double> log_normal_spread(Vec<double> s) {
    const Vec<double> s2 = s * s;
    return narrow_or(s2 <= narrow_limit, s * short_chain(spread_ratio_double, s2),
                     [&] __attribute__((always_inline)) { return square_root(wide_expm1(s2)); });
}

}  // namespace pyamp::simd::PYAMP_ISA
