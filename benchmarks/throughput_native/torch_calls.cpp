// TorchScript and AOTInductor from C++, as a host without Python would call them.
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/script.h>

#include "call.h"

namespace throughput {
namespace {

/// Casts the batch to the input's type, and runs what the derived class knows how to run.
class TorchCall : public Call {
 public:
    TorchCall(const std::int64_t* shape, std::size_t axes, bool float_input)
        : shape_(shape, shape + axes), dtype_(float_input ? torch::kFloat32 : torch::kFloat64) {}

    void operator()(const double* input) override {
        const c10::InferenceMode no_gradients;
        const auto batch = torch::from_blob(const_cast<double*>(input), shape_, torch::kFloat64);
        output_ = run(dtype_ == torch::kFloat64 ? batch : batch.to(dtype_));
    }
    std::vector<double> outputs() const override {
        const auto values = output_.to(torch::kFloat64).contiguous();
        return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
    }

 private:
    virtual torch::Tensor run(const torch::Tensor& input) = 0;

    std::vector<std::int64_t> shape_;
    torch::Dtype dtype_;
    torch::Tensor output_;
};

class Script final : public TorchCall {
 public:
    Script(const char* path, const std::int64_t* shape, std::size_t axes, bool float_input)
        : TorchCall(shape, axes, float_input), module_(torch::jit::load(path)) {
        module_.eval();
        module_ = torch::jit::freeze(module_);
    }

 private:
    torch::Tensor run(const torch::Tensor& input) override { return module_.forward({input}).toTensor(); }
    torch::jit::Module module_;
};

class Inductor final : public TorchCall {
 public:
    Inductor(const char* path, const std::int64_t* shape, std::size_t axes, bool float_input)
        : TorchCall(shape, axes, float_input), loader_(path, "model", /*run_single_threaded=*/true) {}

 private:
    torch::Tensor run(const torch::Tensor& input) override { return loader_.run({input})[0]; }
    torch::inductor::AOTIModelPackageLoader loader_;
};

}  // namespace
}  // namespace throughput

using namespace throughput;

extern "C" {

Call* make_torchscript(const char* path, const std::int64_t* shape, std::size_t axes, int float_input) {
    return made([&] { return new Script(path, shape, axes, float_input != 0); });
}

Call* make_aotinductor(const char* path, const std::int64_t* shape, std::size_t axes, int float_input) {
    return made([&] { return new Inductor(path, shape, axes, float_input != 0); });
}
}
