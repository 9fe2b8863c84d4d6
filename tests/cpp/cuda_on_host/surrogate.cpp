// libpyamp_cuda for a device that is the host: the emulated kernel on streams that work when awaited.
#include <string>

#include "fused_emulation.h"
#include "streams.h"
#include "surrogate/device_surrogate.h"

namespace pyamp::on_host {
namespace {

constexpr cuda::DeviceLimits limits{.shared_bytes = 227 * 1024};

class Surrogate final : public DeviceSurrogate {
 public:
    Surrogate(const ModelFile& model, Dtype dtype, bool tensor_cores)
        : model_(model), dtype_(dtype), tensor_cores_(tensor_cores) {}

    std::string name() const override { return "fused on the host"; }
    int device() const override { return 0; }

    void evaluate(const DeviceCall& call, void* stream) const override {
        enqueue(static_cast<cudaStream_t>(stream), [this, call] { run(call); });
    }

    void evaluate_from_host(const double* momenta, std::size_t n, double* amplitude, double* sigma_syst,
                            double* sigma_stat, std::int32_t* flags) const override {
        run({momenta, MomentaLayout::rows(model_.process.n_legs()), n, nullptr, 1.0, amplitude, sigma_syst,
             sigma_stat, flags});
    }

 private:
    void run(const DeviceCall& call) const {
        int shape[3];
        cuda::Arrays arrays{};
        arrays.momenta = call.momenta;
        arrays.layout = call.layout;
        arrays.n = call.n;
        arrays.alpha_s = call.alpha_s;
        arrays.coupling_factor = call.coupling_factor;
        arrays.alpha_s_power = model_.couplings.orders.alpha_s_power;
        arrays.amplitude = call.amplitude;
        arrays.sigma_syst = call.sigma_syst;
        arrays.sigma_stat = call.sigma_stat;
        arrays.flags = call.flags;
        if (dtype_ == Dtype::float32)
            emulate<float>(model_, tensor_cores_, limits, 2, arrays, shape);
        else
            emulate<double>(model_, false, limits, 2, arrays, shape);
    }

    const ModelFile& model_;
    Dtype dtype_;
    bool tensor_cores_;
};

}  // namespace
}  // namespace pyamp::on_host

extern "C" pyamp::DeviceSurrogate* pyamp_cuda_make_surrogate(const pyamp::ModelFile& model,
                                                             const pyamp::BackendOptions& options,
                                                             std::string& obstacle) {
    if (options.device != "cuda:0") {
        obstacle = "no device " + options.device;
        return nullptr;
    }
    const auto choice = pyamp::cuda::choose(model, options.dtype, options.tensor_cores, pyamp::on_host::limits);
    obstacle = choice.obstacle;
    return choice.runs ? new pyamp::on_host::Surrogate(model, options.dtype, choice.on_tensor_cores) : nullptr;
}
