// What a C handle holds: a surrogate or a built-in amplitude behind one interface.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "amplitudes/amplitude_provider.h"
#include "kinematics/momenta_layout.h"
#include "surrogate/device_surrogate.h"

namespace pyamp::capi {

/// Results of n points, contiguous; accuracy may be null.
struct Results {
    double* amplitude;
    double* sigma_syst;
    double* sigma_stat;
    std::int32_t* flags;
    double* accuracy;
};

class MatrixElement {
 public:
    virtual ~MatrixElement() = default;
    virtual const Process& process() const = 0;
    virtual bool has_accuracy() const = 0;
    /// n points; alpha_s (n) or null.
    /// @throws pyamp::Error after writing all results if the policy is "error" and a point is flagged
    virtual void evaluate(const double* momenta, const MomentaLayout& layout, std::size_t n, const double* alpha_s,
                          const Results& results) = 0;
    /// Momenta and results in the memory of a device, on one of its streams; flagged rows become NaN.
    /// @throws pyamp::Error where nothing runs on a device
    virtual void evaluate_on_device(const DeviceCall& call, void* stream) = 0;
    virtual nlohmann::json describe() const = 0;
};

/// @param source  path of a model file, or "builtin:NAME"
/// @param options JSON text of an object, may be empty
std::unique_ptr<MatrixElement> open_matrix_element(const std::string& source, const std::string& options);

}  // namespace pyamp::capi
