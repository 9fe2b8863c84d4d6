// Elementary functions of arrays; compiled once for each instruction set, see CMakeLists.txt.
#include "simd/array_math.h"
#include "simd/math.h"

namespace pyamp::simd::PYAMP_ISA {
namespace {

template <typename F>
[[gnu::always_inline]] inline void transform(double* values, std::size_t n, const F& f) {
    constexpr std::size_t L = lanes<double>;
    std::size_t i = 0;
    for (; i + L <= n; i += L) store(values + i, f(load(values + i)));
    if (i == n) return;
    double last[L];
    for (std::size_t l = 0; l < L; ++l) last[l] = i + l < n ? values[i + l] : 1.0;
    store(last, f(load(last)));
    for (std::size_t l = 0; i + l < n; ++l) values[i + l] = last[l];
}

void log_in_place(double* values, std::size_t n) {
    transform(values, n, [](Vec<double> x) { return simd::PYAMP_ISA::log(x); });
}

}  // namespace

extern const ArrayMath array_math;
const ArrayMath array_math = {log_in_place};

}  // namespace pyamp::simd::PYAMP_ISA
