// What runs the network of a model: the interface between libpyamp and the libraries that it opens.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "model_file/model_file.h"
#include "surrogate/backend_options.h"
#include "surrogate/device_surrogate.h"

namespace pyamp {

class Backend {
 public:
    virtual ~Backend() = default;
    virtual std::string name() const = 0;
    /// Points of a call with which it works well, and whose memory a caller can afford.
    virtual std::size_t preferred_batch() const = 0;
    /// Standardised features (n, n_features) to the outputs of each member of the posterior, (members, n, n_outputs),
    /// and to the one of the sigma network, (n), which is nullptr for a model without; all contiguous on the host.
    /// Callable from several threads at once.
    virtual void evaluate(const double* features, std::size_t n, double* outputs, double* log_sigma) const = 0;
};

/// A backend, or the fused surrogate of a device, and why it was chosen.
struct ChosenBackend {
    std::unique_ptr<Backend> backend;
    std::string reason;
    std::unique_ptr<DeviceSurrogate> on_device{};
};

/// The fused kernels where they can run the model, LibTorch otherwise, or the one that the options name: the tiles of
/// AMX, slower at few points, only so.
/// @throws pyamp::Error if that one cannot
ChosenBackend choose_backend(const ModelFile& model, const BackendOptions& options);

/// Opens libpyamp_torch, which lies beside libpyamp, RTLD_LOCAL: LibTorch's symbols stay out of the host.
std::unique_ptr<Backend> make_torch_backend(const ModelFile& model, const BackendOptions& options);

/// The symbol by which libpyamp_torch is entered; it may throw pyamp::Error.
constexpr const char* torch_backend_symbol = "pyamp_torch_make_backend";
using MakeBackend = Backend* (*)(const ModelFile&, const BackendOptions&);

}  // namespace pyamp
