// The functions of the evaluator's kernels at many arguments, for a test that knows the right answers in higher
// precision. Compiled once for each instruction set.
#include <cstddef>

#include "simd/log_normal.h"
#include "simd/logarithm.h"

using namespace pyamp::simd::PYAMP_ISA;

namespace {

template <typename F>
void transform(double* values, std::size_t n, const F& f) {
    for (std::size_t i = 0; i < n; i += lanes<double>) store(values + i, f(load(values + i)));
}

}  // namespace

/// @param n a multiple of eight
extern "C" void evaluate(int function, double* values, std::size_t n) {
    switch (function) {
        case 0:
            return transform(values, n, [](Vec<double> x) { return wide_exp(x); });
        case 1:
            return transform(values, n, [](Vec<double> x) { return wide_expm1(x); });
        case 2:
            return transform(values, n, [](Vec<double> x) { return wide_softplus(x); });
        case 3:
            return transform(values, n, [](Vec<double> x) { return log_normal_mean(-x, x); });
        case 4:
            return transform(values, n, [](Vec<double> x) { return log_normal_spread(x); });
        default:
            return transform(values, n, [](Vec<double> x) { return quick_log(x); });
    }
}
