// The kernels of one instruction set; compiled once for each, see CMakeLists.txt.
#include "surrogate/fused/mlp_kernel.h"

#include "surrogate/fused/kernels.h"

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

}  // namespace

const Kernels kernels = {lanes<float>, lanes<double>, evaluate_float, evaluate_double};

}  // namespace pyamp::fused::PYAMP_ISA
