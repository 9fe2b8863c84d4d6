// The surrogate of libpyamp_cuda: a built program on one device, and the way there from host arrays.
#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include "surrogate/cuda/build_program.h"
#include "surrogate/cuda/device.h"
#include "surrogate/cuda/kernel.h"
#include "surrogate/device_surrogate.h"

namespace pyamp::cuda {
namespace {

template <typename T>
DeviceMemory<T> on_device(const std::vector<T>& values) {
    DeviceMemory<T> memory(values.size());
    if (!values.empty())
        check(cudaMemcpy(memory.data(), values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice),
              "copy the weights to the device");
    return memory;
}

struct Properties {
    int device, n_multiprocessors;
    std::size_t shared_bytes;
    std::string name;
    int capability;  ///< 10 major + minor
};

Properties properties_of(int device) {
    Properties result{device, 0, 0, "", 0};
    int shared = 0;
    check(cudaDeviceGetAttribute(&result.n_multiprocessors, cudaDevAttrMultiProcessorCount, device),
          "ask the device");
    check(cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), "ask the device");
    result.shared_bytes = static_cast<std::size_t>(shared);
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, device), "ask the device");
    result.name = properties.name;
    result.capability = 10 * properties.major + properties.minor;
    return result;
}

/// Points of a staged call: what lies on the host, what on the device, and the graph of each size.
class Staging {
 public:
    static constexpr std::size_t capacity = 65536;
    /// Sizes whose graphs are kept; the others are few and large, or come once.
    static constexpr std::size_t most_graphs = 16;

    explicit Staging(int n_legs)
        : rows_(MomentaLayout::rows(n_legs)),
          row_(4 * static_cast<std::size_t>(n_legs)),
          host_momenta_(capacity * row_),
          momenta_(capacity * row_),
          host_results_(3 * capacity),
          results_(3 * capacity),
          host_flags_(capacity),
          flags_(capacity) {}

    /// @param evaluate enqueues the evaluation of a DeviceCall on a stream
    template <typename F>
    void run(const double* momenta, std::size_t n, const F& evaluate) {
        std::copy_n(momenta, n * row_, host_momenta_.data());
        const auto enqueue = [&] {
            copy(momenta_.data(), host_momenta_.data(), n * row_);
            double* const results = results_.data();
            evaluate(DeviceCall{momenta_.data(), rows_, n, nullptr, 1.0, results, results + n, results + 2 * n,
                                flags_.data()},
                     stream_);
            copy(host_results_.data(), results, 3 * n);
            copy(host_flags_.data(), flags_.data(), n);
        };
        auto found = graphs_.find(n);
        if (found == graphs_.end() && graphs_.size() < most_graphs)
            found = graphs_.emplace(n, std::make_unique<Graph>(stream_, enqueue)).first;
        if (found != graphs_.end())
            found->second->launch(stream_);
        else
            enqueue();
        stream_.wait();
    }

    const double* results() const { return host_results_.data(); }
    const std::int32_t* flags() const { return host_flags_.data(); }

 private:
    template <typename X>
    void copy(X* to, const X* from, std::size_t size) {
        check(cudaMemcpyAsync(to, from, size * sizeof(X), cudaMemcpyDefault, stream_), "copy");
    }

    MomentaLayout rows_;
    std::size_t row_;
    PinnedMemory<double> host_momenta_;
    DeviceMemory<double> momenta_;
    PinnedMemory<double> host_results_;
    DeviceMemory<double> results_;
    PinnedMemory<std::int32_t> host_flags_;
    DeviceMemory<std::int32_t> flags_;
    Stream stream_;
    std::map<std::size_t, std::unique_ptr<Graph>> graphs_;
};

template <typename T>
class FusedSurrogate final : public DeviceSurrogate {
 public:
    FusedSurrogate(const ModelFile& model, bool tensor_cores, const Properties& properties)
        : properties_(properties), alpha_s_power_(model.couplings.orders.alpha_s_power) {
        auto built = build_program<T>(model, tensor_cores, {.shared_bytes = properties.shared_bytes});
        program_ = built.program;
        weights_ = on_device(built.weights);
        recalibration_ = on_device(built.recalibration);
        check(allow_shared_memory<T>(program_, properties.shared_bytes), "use the device's shared memory");
    }

    std::string name() const override {
        return "fused cuda:" + std::to_string(properties_.device) + " (" + properties_.name + ") " +
               (sizeof(T) == 4 ? "float32" : "float64") + (program_.tensor_cores ? ", tensor cores" : "");
    }

    int device() const override { return properties_.device; }

    void evaluate(const DeviceCall& call, void* stream) const override {
        const DeviceGuard guard(properties_.device);
        const Arrays arrays{
            weights_.data(), recalibration_.data(), call.momenta,         call.layout,
            call.n,          call.alpha_s,          call.coupling_factor, static_cast<double>(alpha_s_power_),
            call.amplitude,  call.sigma_syst,       call.sigma_stat,      call.flags};
        check(launch<T>(program_, arrays, properties_.n_multiprocessors, static_cast<cudaStream_t>(stream)),
              "launch the fused kernel");
    }

    void evaluate_from_host(const double* momenta, std::size_t n, double* amplitude, double* sigma_syst,
                            double* sigma_stat, std::int32_t* flags) const override {
        const DeviceGuard guard(properties_.device);
        const std::lock_guard lock(staging_mutex_);
        if (!staging_) staging_ = std::make_unique<Staging>(program_.point.n_legs);
        const auto row = static_cast<std::size_t>(4 * program_.point.n_legs);
        for (std::size_t first = 0; first < n; first += Staging::capacity) {
            const std::size_t count = std::min(Staging::capacity, n - first);
            staging_->run(momenta + first * row, count,
                          [this](const DeviceCall& call, cudaStream_t stream) { evaluate(call, stream); });
            std::copy_n(staging_->results(), count, amplitude + first);
            std::copy_n(staging_->results() + count, count, sigma_syst + first);
            std::copy_n(staging_->results() + 2 * count, count, sigma_stat + first);
            std::copy_n(staging_->flags(), count, flags + first);
        }
    }

 private:
    Properties properties_;
    int alpha_s_power_;
    Program program_;
    DeviceMemory<T> weights_;
    DeviceMemory<double> recalibration_;
    mutable std::mutex staging_mutex_;
    mutable std::unique_ptr<Staging> staging_;
};

/// "cuda" is device 0, "cuda:N" device N; -1 for another name.
int device_number(const std::string& name) {
    if (name == "cuda") return 0;
    const std::string digits = name.starts_with("cuda:") ? name.substr(5) : "";
    if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos) return -1;
    return std::stoi(digits);
}

}  // namespace
}  // namespace pyamp::cuda

extern "C" __attribute__((visibility("default"))) pyamp::DeviceSurrogate* pyamp_cuda_make_surrogate(
    const pyamp::ModelFile& model, const pyamp::BackendOptions& options, std::string& obstacle) {
    using namespace pyamp::cuda;
    int n_devices = 0;
    if (cudaGetDeviceCount(&n_devices) != cudaSuccess) n_devices = 0;
    (void)cudaGetLastError();
    const int device = device_number(options.device);
    if (device < 0 || device >= n_devices) {
        obstacle = "no device " + options.device + " among the " + std::to_string(n_devices) + " of this machine";
        return nullptr;
    }
    const DeviceGuard guard(device);
    const Properties properties = properties_of(device);
    if (options.tensor_cores && properties.capability < 80)
        throw pyamp::Error("tensor_cores: " + options.device + " (" + properties.name + ") has compute capability " +
                           std::to_string(properties.capability / 10) + "." +
                           std::to_string(properties.capability % 10) + ", 8.0 expected; leave them out");
    const Choice choice =
        choose(model, options.dtype, options.tensor_cores, {.shared_bytes = properties.shared_bytes});
    obstacle = choice.obstacle;
    if (!choice.runs) return nullptr;
    if (options.dtype == pyamp::Dtype::float32)
        return new FusedSurrogate<float>(model, choice.on_tensor_cores, properties);
    return new FusedSurrogate<double>(model, false, properties);
}
