// The kernels of one instruction set; compiled once for each, see CMakeLists.txt.
#include "surrogate/fused/mlp_kernel.h"

#include "surrogate/fused/kernels.h"

namespace pyamp::fused::PYAMP_ISA {
namespace {

template <typename T, typename W>
void evaluate_packed(const PackedMlp<T, W>& mlp, const double* features, std::size_t n, double* outputs,
                     void* scratch) {
    evaluate(mlp, features, n, outputs, scratch);
}

}  // namespace

const Kernels kernels = {lanes<float>, lanes<double>, evaluate_packed<float, float>, evaluate_packed<double, double>,
                         evaluate_packed<float, WeightPair>};

}  // namespace pyamp::fused::PYAMP_ISA
