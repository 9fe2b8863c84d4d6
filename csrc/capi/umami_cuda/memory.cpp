// UMAMI with buffers in the memory of a GPU, on the streams of the host.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "amplitudes/open.h"
#include "capi/options.h"
#include "capi/umami.h"
#include "capi/umami_cuda/launch.h"
#include "capi/umami_memory.h"
#include "kinematics/point_check.h"
#include "surrogate/cuda/device.h"

namespace pyamp::umami {
namespace {

using cuda::check;

/// Flags of the events of a call, on the device and where the host reads them; grows.
class Flags {
 public:
    std::int32_t* on_device(std::size_t count) {
        if (count > capacity_) {
            const std::size_t enough = std::max(count, 2 * capacity_);
            device_ = cuda::DeviceMemory<std::int32_t>(enough);
            host_ = cuda::PinnedMemory<std::int32_t>(enough);
            capacity_ = enough;
        }
        return device_.data();
    }

    /// Waits for the stream.
    const std::int32_t* on_host(std::size_t count, cudaStream_t stream) {
        check(cudaMemcpyAsync(host_.data(), device_.data(), count * sizeof(std::int32_t), cudaMemcpyDeviceToHost,
                              stream),
              "copy the flags");
        check(cudaStreamSynchronize(stream), "finish the evaluation");
        return host_.data();
    }

 private:
    std::size_t capacity_ = 0;
    cuda::DeviceMemory<std::int32_t> device_;
    cuda::PinnedMemory<std::int32_t> host_;
};

class DeviceElement final : public Element {
 public:
    DeviceElement(Handle handle, int device, bool refuses)
        : handle_(std::move(handle)), device_(device), refuses_(refuses) {}

    pyamp_handle* handle() const override { return handle_.get(); }

    void evaluate(const Events& events, const Inputs& inputs, double factor, double* out, void* stream) override {
        if (events.count == 0) return;
        const cuda::DeviceGuard guard(device_);
        const auto on = static_cast<cudaStream_t>(stream);
        std::int32_t* const flags = refuses_ ? flags_.on_device(events.count) : nullptr;
        // From here on arrays begin with the first event of the call.
        void const* in[2];
        for (std::size_t i = 0; i < inputs.n; ++i) in[i] = static_cast<const double*>(inputs.data[i]) + events.offset;
        double* const amplitude = out + events.offset;
        const int keys[2] = {PYAMP_OUT_AMPLITUDE, PYAMP_OUT_FLAGS};
        void* const targets[2] = {amplitude, flags};
        succeed(pyamp_evaluate_device(handle_.get(), events.count, events.stride, 0, inputs.n, inputs.keys, in,
                                      refuses_ ? 2 : 1, keys, targets, stream));
        const auto* const flavour = inputs.flavour ? inputs.flavour + events.offset : nullptr;
        if (factor != 1.0 || flavour)
            check(launch({factor, flavour, amplitude, flags}, events.count, on), "launch a kernel");
        if (refuses_) refuse(flags_.on_host(events.count, on), events.count);
    }

    void copy(const Events& events, const double* from, double* to, void* stream) override {
        const cuda::DeviceGuard guard(device_);
        check(cudaMemcpyAsync(to + events.offset, from + events.offset, events.count * sizeof(double),
                              cudaMemcpyDeviceToDevice, static_cast<cudaStream_t>(stream)),
              "copy");
    }

    void fill_zero(const Events& events, int* to, void* stream) override {
        const cuda::DeviceGuard guard(device_);
        check(cudaMemsetAsync(to + events.offset, 0, events.count * sizeof(int), static_cast<cudaStream_t>(stream)),
              "set indices");
    }

 private:
    static void refuse(const std::int32_t* flags, std::size_t count) {
        capi::require(std::find(flags, flags + count, flag_unknown_flavour) == flags + count, unknown_flavour);
        const std::string complaint = describe_flagged(flags, count);
        if (!complaint.empty()) throw Error(complaint);
    }

    Handle handle_;
    int device_;
    bool refuses_;  ///< policy "error"
    Flags flags_;
};

int current_device() {
    int device = 0, n_devices = 0;
    const bool found = cudaGetDeviceCount(&n_devices) == cudaSuccess && n_devices > 0;
    if (!found) {
        (void)cudaGetLastError();  // forgotten, lest a later call reports it
        throw Error("libpyamp_umami_cuda: no CUDA device found; libpyamp.so serves hosts on the CPU");
    }
    check(cudaGetDevice(&device), "ask for the current device");
    return device;
}

}  // namespace

int device() { return UMAMI_DEVICE_CUDA; }
bool has_streams() { return true; }

std::unique_ptr<Element> open(const char* path) {
    const auto [source, options] = capi::read_request(path, "");
    if (is_truth(source))
        throw Error(std::string(path) + ": " + source + " runs on the CPU, a model file expected by a host on a GPU");
    const std::string name = "cuda:" + std::to_string(current_device());
    const std::string device = options.value("device", name), backend = options.value("backend", "fused"),
                      policy = options.value("policy", "error");
    const auto complain = [&](const char* key, const std::string& found, const std::string& expected) {
        throw Error(std::string(path) + ": '" + key + "' is \"" + found + "\", " + expected +
                    " expected by a host on a GPU");
    };
    if (device != name && device != "cuda")
        complain("device", device, "\"cuda\", the host's current device " + name + ",");
    if (backend != "fused" && backend != "auto") complain("backend", backend, "\"fused\"");
    if (policy == "truth") complain("policy", policy, "\"error\" or \"nan\", since truth runs on the CPU,");
    pyamp_handle* handle = nullptr;
    const nlohmann::json ours = {{"device", name}, {"backend", "fused"}};
    succeed(pyamp_open(&handle, path, ours.dump().c_str()));
    return std::make_unique<DeviceElement>(Handle(handle), current_device(), policy == "error");
}

}  // namespace pyamp::umami
