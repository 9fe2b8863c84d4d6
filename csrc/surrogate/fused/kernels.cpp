// The kernels of one instruction set; compiled once for each, see CMakeLists.txt.
#include "surrogate/fused/kernels.h"

#include "simd/math.h"
#include "surrogate/fused/mlp_kernel.h"

namespace pyamp::fused::PYAMP_ISA {
namespace {

void evaluate_float(const PackedMlp<float>& mlp, const double* features, std::size_t n, double* outputs,
                    void* scratch) {
    evaluate(mlp, features, n, outputs, scratch);
}

void evaluate_double(const PackedMlp<double>& mlp, const double* features, std::size_t n, double* outputs,
                     void* scratch) {
    evaluate(mlp, features, n, outputs, scratch);
}

void log_in_place(double* values, std::size_t n) {
    constexpr std::size_t L = lanes<double>;
    std::size_t i = 0;
    for (; i + L <= n; i += L) store(values + i, simd::PYAMP_ISA::log(load(values + i)));
    if (i == n) return;
    double last[L];
    for (std::size_t l = 0; l < L; ++l) last[l] = i + l < n ? values[i + l] : 1.0;
    store(last, simd::PYAMP_ISA::log(load(last)));
    for (std::size_t l = 0; i + l < n; ++l) values[i + l] = last[l];
}

#define PYAMP_STRING_OF(name) #name
#define PYAMP_STRING(name) PYAMP_STRING_OF(name)

}  // namespace

const Kernels kernels = {PYAMP_STRING(PYAMP_ISA), lanes<float>,    lanes<double>,
                         evaluate_float,          evaluate_double, log_in_place};

}  // namespace pyamp::fused::PYAMP_ISA
