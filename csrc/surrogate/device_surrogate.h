// A whole surrogate on a device: momenta in its memory to results in its memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "kinematics/momenta_layout.h"
#include "model_file/model_file.h"
#include "surrogate/backend_options.h"

namespace pyamp {

/// One call; all pointers are to memory of the device.
struct DeviceCall {
    const double* momenta;
    MomentaLayout layout;  ///< any strides
    std::size_t n;
    const double* alpha_s;         ///< (n), or nullptr
    double coupling_factor = 1.0;  ///< of all points; without alpha_s's part where that is given
    double* amplitude;             ///< these four (n), or nullptr where not wanted
    double* sigma_syst;
    double* sigma_stat;
    std::int32_t* flags;
};

class DeviceSurrogate {
 public:
    virtual ~DeviceSurrogate() = default;
    virtual std::string name() const = 0;
    virtual int device() const = 0;  ///< its number

    /// Flagged rows become NaN. Asynchronous on the stream (a cudaStream_t), without allocation or synchronisation,
    /// so it can be captured in a graph. Callable from several threads at once.
    virtual void evaluate(const DeviceCall& call, void* stream) const = 0;

    /// Host arrays by way of the device, contiguous: momenta (n, n_legs, 4) to (n) each, without couplings. Waits.
    virtual void evaluate_from_host(const double* momenta, std::size_t n, double* amplitude, double* sigma_syst,
                                    double* sigma_stat, std::int32_t* flags) const = 0;
};

/// What libpyamp_cuda offers; a surrogate or the reason why there is none, or none on tensor cores.
struct OfferedDeviceSurrogate {
    std::unique_ptr<DeviceSurrogate> surrogate;
    std::string obstacle;
};

/// Opens libpyamp_cuda, which lies beside libpyamp where that was built with nvcc.
OfferedDeviceSurrogate make_device_surrogate(const ModelFile& model, const BackendOptions& options);

/// The symbol by which it is entered; gives nullptr and writes the obstacle, or a surrogate without tensor cores and
/// the obstacle to these. It may throw pyamp::Error.
constexpr const char* device_surrogate_symbol = "pyamp_cuda_make_surrogate";
using MakeDeviceSurrogate = DeviceSurrogate* (*)(const ModelFile&, const BackendOptions&, std::string& obstacle);

}  // namespace pyamp
