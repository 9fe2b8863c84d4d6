// Backend without a framework: MLPs by the kernels of this processor.
#include "surrogate/fused/fused_backend.h"

#include "simd/instruction_set.h"
#include "surrogate/fused/mlp_backend.h"

namespace pyamp::fused {
namespace {

template <typename T, typename W>
struct Arithmetic;
template <>
struct Arithmetic<float, float> {
    static constexpr const char* name = "float32";
    static int lanes(const Kernels& kernels) { return kernels.lanes_float; }
    static auto evaluate(const Kernels& kernels) { return kernels.evaluate_float; }
};
template <>
struct Arithmetic<double, double> {
    static constexpr const char* name = "float64";
    static int lanes(const Kernels& kernels) { return kernels.lanes_double; }
    static auto evaluate(const Kernels& kernels) { return kernels.evaluate_double; }
};
template <>
struct Arithmetic<float, WeightPair> {
    static constexpr const char* name = "float32, weights bfloat16";
    static int lanes(const Kernels& kernels) { return kernels.lanes_float; }
    static auto evaluate(const Kernels& kernels) { return kernels.evaluate_pairs; }
};

template <typename T, typename W>
class FusedNetwork {
 public:
    FusedNetwork(const Mlp& network, const std::string& prefix, const std::map<std::string, Tensor>& tensors,
                 std::size_t members)
        : kernels_(PYAMP_FOR_PROCESSOR(fused, kernels)),
          lanes_(Arithmetic<T, W>::lanes(kernels_)),
          evaluate_(Arithmetic<T, W>::evaluate(kernels_)),
          weights_(network, prefix, tensors, members, lanes_) {}

    void operator()(const double* features, std::size_t n, double* outputs) const {
        const auto& mlp = weights_.view();
        evaluate_(mlp, features, n, outputs, scratch_of_size(scratch_size(mlp, lanes_)));
    }

 private:
    const Kernels& kernels_;
    int lanes_;
    Evaluate<T, W> evaluate_;
    MlpWeights<T, W> weights_;
};

template <typename T, typename W>
std::unique_ptr<Backend> make(const ModelFile& model) {
    constexpr std::size_t preferred_batch = 512;
    const std::string name =
        std::string("fused (") + simd::name_of(simd::instruction_set()) + ") cpu " + Arithmetic<T, W>::name;
    return std::make_unique<MlpBackend<FusedNetwork<T, W>>>(model, name, preferred_batch);
}

struct ArchitectureName {
    const char* operator()(const Mlp&) const { return nullptr; }
    const char* operator()(const Kan&) const { return "KAN"; }
    const char* operator()(const GroupKan&) const { return "GroupKAN"; }
    const char* operator()(const DeepSets&) const { return "deep sets of invariants"; }
    const char* operator()(const FksPartition&) const { return "FKS partition"; }
    const char* operator()(const DipoleSum&) const { return nullptr; }
};

}  // namespace

std::string obstacle(const ModelFile& model, const BackendOptions& options) {
    if (options.device != "cpu") return "device " + options.device;
    if (const char* other = std::visit(ArchitectureName{}, model.network))
        return std::string(other) + ", only MLPs have fused kernels";
    if (options.half_weights && options.dtype != Dtype::float32)
        return std::string("dtype ") + name_of(options.dtype);
    return "";
}

std::unique_ptr<Backend> make_backend(const ModelFile& model, const BackendOptions& options) {
    if (options.half_weights) return make<float, WeightPair>(model);
    if (options.dtype == Dtype::float32) return make<float, float>(model);
    return make<double, double>(model);
}

}  // namespace pyamp::fused
