// Backend without a framework: MLPs by the kernels of this processor.
#include "surrogate/fused/fused_backend.h"

#include <optional>
#include <vector>

#include "simd/instruction_set.h"
#include "surrogate/fused/dipole_combination.h"
#include "surrogate/fused/mlp_weights.h"

namespace pyamp::fused {
namespace {

/// Scratch of the calling thread, which grows to what the largest network needs and stays. What every call looks at
/// needs no initialisation, so that the compiler does not guard it.
struct Scratch {
    void* data;
    std::size_t size;
};
constinit thread_local Scratch scratch{nullptr, 0};

[[gnu::noinline]] void grow_scratch(std::size_t bytes) {
    thread_local std::optional<AlignedArray<unsigned char>> owner;
    scratch = {nullptr, 0};
    owner.emplace(bytes);
    scratch = {owner->data(), bytes};
}

void* scratch_of_size(std::size_t bytes) {
    if (bytes > scratch.size) grow_scratch(bytes);
    return scratch.data;
}

/// The same for what a network gives to what comes after it.
double* network_outputs_of_size(std::size_t n) {
    thread_local std::vector<double> outputs;
    if (outputs.size() < n) outputs.resize(n);
    return outputs.data();
}

Mlp mlp_of(const Network& network) {
    if (const auto* dipoles = std::get_if<DipoleSum>(&network)) return {dipoles->widths, dipoles->activation};
    return std::get<Mlp>(network);
}

const char* prefix_of(const Network& network) {
    return std::holds_alternative<DipoleSum>(network) ? DipoleSum::prefix : "";
}

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
class FusedBackend final : public Backend {
 public:
    FusedBackend(const ModelFile& model, const Kernels& kernels)
        : lanes_(Arithmetic<T, W>::lanes(kernels)),
          evaluate_(Arithmetic<T, W>::evaluate(kernels)),
          members_(static_cast<std::size_t>(model.posterior.members)),
          network_(mlp_of(model.network), prefix_of(model.network), model.tensors, members_, lanes_) {
        if (const auto* dipoles = std::get_if<DipoleSum>(&model.network)) combine_.emplace(*dipoles);
        if (model.sigma_network)
            sigma_network_.emplace(*model.sigma_network, ModelFile::sigma_network_prefix, model.tensors, 1, lanes_);
    }

    std::string name() const override {
        return std::string("fused (") + simd::name_of(simd::instruction_set()) + ") cpu " + Arithmetic<T, W>::name;
    }

    std::size_t preferred_batch() const override { return 512; }

    void evaluate(const double* features, std::size_t n, double* outputs, double* log_sigma) const override {
        if (combine_) {
            double* const of_network = network_outputs_of_size(members_ * n * combine_->n_network_outputs());
            run(network_, features, n, of_network);
            (*combine_)(features, of_network, n, members_, outputs);
        } else {
            run(network_, features, n, outputs);
        }
        if (sigma_network_) run(*sigma_network_, features, n, log_sigma);
    }

 private:
    void run(const MlpWeights<T, W>& network, const double* features, std::size_t n, double* outputs) const {
        const auto& mlp = network.view();
        evaluate_(mlp, features, n, outputs, scratch_of_size(scratch_size(mlp, lanes_)));
    }

    int lanes_;
    Evaluate<T, W> evaluate_;
    std::size_t members_;
    MlpWeights<T, W> network_;
    std::optional<DipoleCombination> combine_;
    std::optional<MlpWeights<T, W>> sigma_network_;
};

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
    const Kernels& kernels = PYAMP_FOR_PROCESSOR(fused, kernels);
    if (options.half_weights) return std::make_unique<FusedBackend<float, WeightPair>>(model, kernels);
    if (options.dtype == Dtype::float32) return std::make_unique<FusedBackend<float, float>>(model, kernels);
    return std::make_unique<FusedBackend<double, double>>(model, kernels);
}

}  // namespace pyamp::fused
