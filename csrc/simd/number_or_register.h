// The same functions of one number and of every number in a register, by the same steps and so with the same bits:
// for code that is written once for a point and for as many points as lanes. See vector.h.
#pragma once

#include "simd/logarithm.h"
#include "simd/masks.h"

namespace pyamp::simd::PYAMP_ISA {

[[gnu::always_inline]] inline bool all(bool condition) { return condition; }

[[gnu::always_inline]] inline double square_root(double x) { return __builtin_sqrt(x); }

[[gnu::always_inline]] inline double absolute_value(double x) { return __builtin_fabs(x); }
[[gnu::always_inline]] inline Vec<double> absolute_value(const Vec<double>& x) { return absolute<double>(x); }

[[gnu::always_inline]] inline double natural_log(double x) { return quick_log(broadcast(x))[0]; }
[[gnu::always_inline]] inline Vec<double> natural_log(const Vec<double>& x) { return quick_log(x); }

/// f of a number, or of each: for functions of the C library.
template <typename F>
[[gnu::always_inline]] inline double for_each_number(double x, const F& f) {
    return f(x);
}
template <typename F>
[[gnu::always_inline]] inline Vec<double> for_each_number(Vec<double> x, const F& f) {
    for (int l = 0; l < lanes<double>; ++l) x[l] = f(x[l]);
    return x;
}

/// Not below a limit; NaN becomes the limit.
[[gnu::always_inline]] inline double at_least(double x, double limit) { return x > limit ? x : limit; }
[[gnu::always_inline]] inline Vec<double> at_least(const Vec<double>& x, const Vec<double>& limit) {
    return x > limit ? x : limit;
}

/// Logarithms of n numbers in place, of which those of one point lie in registers; there is room for whole ones.
[[gnu::always_inline]] inline void natural_logs(double* x, int n) {
    for (int i = n; i % lanes<double> != 0; ++i) x[i] = 1.0;
    for (int i = 0; i < n; i += lanes<double>) store(x + i, quick_log(load(x + i)));
}
[[gnu::always_inline]] inline void natural_logs(Vec<double>* x, int n) {
    for (int i = 0; i < n; ++i) x[i] = quick_log(x[i]);
}

}  // namespace pyamp::simd::PYAMP_ISA
