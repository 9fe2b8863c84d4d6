// LibTorch backend: the networks of a model file rebuilt from ATen operations, on CPU or CUDA.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <type_traits>

#include "error.h"
#include "surrogate/backend.h"
#include "surrogate/torch/device.h"
#include "surrogate/torch/network.h"
#include "surrogate/torch/one_thread.h"

namespace pyamp {
namespace {

/// Batches up to this size stay on the calling thread.
constexpr std::size_t small_batch = 64;

/// What LibTorch says, in one line: its CUDA errors go on for several.
Error translated(const std::string& path, const std::string& what, const c10::Error& e) {
    const std::string text = e.what_without_backtrace();
    return Error(path + ": LibTorch cannot " + what + ": " + text.substr(0, text.find('\n')));
}

class TorchBackend final : public Backend {
 public:
    TorchBackend(const ModelFile& model, const BackendOptions& options)
        : path_(model.path),
          n_features_(n_features(model.representation)),
          options_(at::TensorOptions(options.dtype == Dtype::float32 ? at::kFloat : at::kDouble)
                       .device(device_from_name(options.device))),
          one_thread_(options.one_thread) {
        const TensorLoader loader(model.tensors, options_);
        network_ = std::visit([&](const auto& network) { return build(network, loader); }, model.network);
        if (model.sigma_network)
            sigma_network_ = make_network(*model.sigma_network, loader, ModelFile::sigma_network_prefix);
    }

    std::string name() const override {
        return "libtorch " + options_.device().str() + (options_.dtype() == at::kFloat ? " float32" : " float64");
    }

    std::size_t preferred_batch() const override { return 8192; }

    void evaluate(const double* features, std::size_t n, double* outputs, double* log_sigma) const override {
        try {
            run(features, n, outputs, log_sigma);
        } catch (const c10::Error& e) {
            throw translated(path_, "evaluate the network on " + options_.device().str(), e);
        }
    }

 private:
    template <typename Architecture>
    static std::unique_ptr<TorchNetwork> build(const Architecture& network, const TensorLoader& loader) {
        if constexpr (std::is_same_v<Architecture, Mlp>)
            return make_network(network, loader, "");
        else
            return make_network(network, loader);
    }

    void run(const double* features, std::size_t n, double* outputs, double* log_sigma) const {
        const c10::InferenceMode inference;
        const at::NoTF32Guard float32_is_float32;
        const OneThread one_thread(one_thread_ || n <= small_batch);
        const auto rows = static_cast<int64_t>(n);
        const auto wide = at::from_blob(const_cast<double*>(features), {rows, n_features_}, at::kDouble);
        const NetworkInput input{wide.to(options_), wide};
        copy_to(outputs, network_->forward(input));
        if (sigma_network_) copy_to(log_sigma, sigma_network_->forward(input));
    }

    static void copy_to(double* destination, const at::Tensor& source) {
        at::from_blob(destination, source.sizes(), at::kDouble).copy_(source);
    }

    std::string path_;
    int64_t n_features_;
    at::TensorOptions options_;
    bool one_thread_;
    std::unique_ptr<TorchNetwork> network_, sigma_network_;
};

}  // namespace
}  // namespace pyamp

extern "C" __attribute__((visibility("default"))) pyamp::Backend* pyamp_torch_make_backend(
    const pyamp::ModelFile& model, const pyamp::BackendOptions& options) {
    try {
        return new pyamp::TorchBackend(model, options);
    } catch (const c10::Error& e) {
        throw pyamp::translated(model.path, "build the network on " + options.device, e);
    }
}
