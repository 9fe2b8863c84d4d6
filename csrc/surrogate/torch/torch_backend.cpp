// LibTorch backend: rebuilds the network of a model file from ATen operations, on CPU or CUDA.
#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <c10/core/InferenceMode.h>
#include <dlfcn.h>

#include <functional>
#include <map>

#include "error.h"
#include "surrogate/backend.h"
#include "surrogate/torch/one_thread.h"

namespace pyamp {
namespace {

/// Batches up to this size stay on the calling thread.
constexpr std::size_t small_batch = 64;

using Activation = std::function<at::Tensor(const at::Tensor&)>;

Activation activation_from_name(const std::string& name) {
    static const std::map<std::string, Activation> known = {
        {"gelu", [](const at::Tensor& x) { return at::gelu(x); }},
        {"leaky_relu", [](const at::Tensor& x) { return at::leaky_relu(x); }},
        {"relu", [](const at::Tensor& x) { return at::relu(x); }},
        {"silu", [](const at::Tensor& x) { return at::silu(x); }},
        {"softplus", [](const at::Tensor& x) { return at::softplus(x); }},
        {"tanh", [](const at::Tensor& x) { return at::tanh(x); }},
    };
    return known.at(name);
}

/// LibTorch's GPU library registers itself when it is loaded; in a process without Python nothing else loads it.
bool has_cuda() {
    static void* const library = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_LOCAL);
    return library && at::globalContext().hasCUDA();
}

at::Device device_from_name(const std::string& name) {
    try {
        const at::Device device(name);
        if (device.is_cuda() && !has_cuda())
            throw Error("device '" + name + "': this Torch has no CUDA or finds no GPU; use \"cpu\"");
        if (device.is_cpu() || device.is_cuda()) return device;
    } catch (const c10::Error&) {
    }
    throw Error("device '" + name + "', \"cpu\", \"cuda\" or \"cuda:N\" expected");
}

/// What LibTorch says, in one line: its CUDA errors go on for several.
Error translated(const std::string& path, const std::string& what, const c10::Error& e) {
    const std::string text = e.what_without_backtrace();
    return Error(path + ": LibTorch cannot " + what + ": " + text.substr(0, text.find('\n')));
}

class TorchMlp final : public Backend {
 public:
    TorchMlp(const ModelFile& model, const BackendOptions& options)
        : path_(model.path),
          activation_(activation_from_name(model.network.activation)),
          n_features_(model.network.widths.front()),
          device_(device_from_name(options.device)),
          type_(options.dtype == Dtype::float32 ? at::kFloat : at::kDouble),
          is_ensemble_(model.posterior.is_ensemble),
          members_(model.posterior.members),
          one_thread_(options.one_thread) {
        for (std::size_t layer = 0; layer + 1 < model.network.widths.size(); ++layer)
            layers_.push_back({load(model.tensors.at(Mlp::weight_name(layer))).transpose(-2, -1),
                               load(model.tensors.at(Mlp::bias_name(layer)))});
        if (is_ensemble_)
            for (auto& layer : layers_) layer.bias = layer.bias.unsqueeze(1);
    }

    std::string name() const override {
        return "libtorch " + device_.str() + (type_ == at::kFloat ? " float32" : " float64");
    }

    void evaluate(const double* features, std::size_t n, double* outputs) const override {
        try {
            run(features, n, outputs);
        } catch (const c10::Error& e) {
            throw translated(path_, "evaluate the network on " + device_.str(), e);
        }
    }

 private:
    struct Layer {
        /// (in, out) and (out), of an ensemble (members, in, out) and (members, 1, out)
        at::Tensor weight, bias;
    };

    void run(const double* features, std::size_t n, double* outputs) const {
        const c10::InferenceMode inference;
        const at::NoTF32Guard float32_is_float32;
        const OneThread one_thread(one_thread_ || n <= small_batch);
        const auto rows = static_cast<int64_t>(n);
        const auto wide = at::from_blob(const_cast<double*>(features), {rows, n_features_}, at::kDouble);
        auto x = wide.to(at::TensorOptions(type_).device(device_));
        if (is_ensemble_) x = x.expand({members_, rows, n_features_});
        for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
            if (layer > 0) x = activation_(x);
            const auto& [weight, bias] = layers_[layer];
            x = is_ensemble_ ? at::baddbmm(bias, x, weight) : at::addmm(bias, x, weight);
        }
        at::from_blob(outputs, x.sizes(), at::kDouble).copy_(x);
    }

    at::Tensor load(const Tensor& tensor) const {
        return at::from_blob(const_cast<double*>(tensor.values.data()), tensor.shape, at::kDouble)
            .to(at::TensorOptions(type_).device(device_), /*non_blocking=*/false, /*copy=*/true);
    }

    std::string path_;
    Activation activation_;
    int64_t n_features_;
    at::Device device_;
    at::ScalarType type_;
    bool is_ensemble_;
    int64_t members_;
    bool one_thread_;
    std::vector<Layer> layers_;
};

}  // namespace
}  // namespace pyamp

extern "C" __attribute__((visibility("default"))) pyamp::Backend* pyamp_torch_make_backend(
    const pyamp::ModelFile& model, const pyamp::BackendOptions& options) {
    try {
        return new pyamp::TorchMlp(model, options);
    } catch (const c10::Error& e) {
        throw pyamp::translated(model.path, "build the network on " + options.device, e);
    }
}
