// A surrogate from a model file: momenta to (amplitude, sigma_syst, sigma_stat) with every row checked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amplitudes/amplitude_provider.h"
#include "model_file/model_file.h"
#include "surrogate/backend.h"
#include "surrogate/moments.h"

namespace pyamp {

/// What becomes of a row with flags: NaN and an error for the caller, NaN, or the truth (which only a sound point
/// has).
enum class Policy { error, nan, truth };
Policy policy_from_name(const std::string& name);

struct EvaluatorOptions {
    std::string device = "cpu";
    std::string backend = "auto";  ///< "fused" or "libtorch" to insist
    bool one_thread = false;       ///< otherwise large batches use the threads of the host's Torch
    std::optional<Dtype> dtype;    ///< the file's otherwise
    bool half_weights = false;     ///< see BackendOptions
    Policy policy = Policy::error;
    std::string truth;  ///< name of the built-in for Policy::truth; the model's process if empty
    std::optional<double> alpha_s, alpha;
};

/// Results of n points; couplings included, GeV^(8 - 2 n_legs).
struct PredictionView {
    double* amplitude;
    double* sigma_syst;
    double* sigma_stat;
    std::int32_t* flags;
};

class Evaluator {
 public:
    Evaluator(const std::string& path, const EvaluatorOptions& options);

    /// Evaluates momenta (n, n_legs, 4), contiguous; alpha_s (n) or nullptr for the one of the options.
    /// Sound rows get the same bits whatever the other rows hold. Callable from several threads at once.
    void evaluate(const double* momenta, std::size_t n, const double* alpha_s, const PredictionView& result) const;

    const ModelFile& model() const { return model_; }
    /// Evaluates momenta in the memory of the device on which the model runs, asynchronously on a stream (a
    /// cudaStream_t); the call's coupling factor is multiplied by the couplings'. Flagged rows become NaN.
    /// @throws pyamp::Error if the model does not run by the fused kernel of a device
    void evaluate_on_device(DeviceCall call, void* stream) const;
    bool is_on_device() const { return chosen_.on_device != nullptr; }
    /// "cuda:N"; empty if the model runs otherwise.
    std::string device() const {
        return is_on_device() ? "cuda:" + std::to_string(chosen_.on_device->device()) : std::string();
    }

    /// Name of what runs the model.
    std::string backend_name() const { return is_on_device() ? chosen_.on_device->name() : chosen_.backend->name(); }
    const std::string& backend_reason() const { return chosen_.reason; }
    Dtype dtype() const { return dtype_; }
    double alpha_s() const { return alpha_s_; }
    double alpha() const { return alpha_; }
    Policy policy() const { return policy_; }

 private:
    struct Workspace;
    static Workspace& workspace();

    void evaluate_chunk(const double* momenta, std::size_t n, const PredictionView& result) const;
    /// Flags and, for sound rows, predictions.
    void evaluate_on_host(const double* momenta, std::size_t n, const PredictionView& result) const;
    /// Leaves ln of the singular factors in the workspace.
    void predict(const double* momenta, std::size_t n, const MomentsView& result, Workspace& work) const;
    void run_self_test() const;

    ModelFile model_;
    Dtype dtype_;
    Policy policy_;
    double alpha_s_, alpha_;
    double coupling_factor_;  ///< of both
    ChosenBackend chosen_;
    bool half_weights_;
    std::unique_ptr<AmplitudeProvider> truth_;
};

}  // namespace pyamp
