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
#include "surrogate/front_end.h"
#include "surrogate/moments.h"

namespace pyamp {

/// What becomes of a row with flags: NaN and an error for the caller, NaN, or the truth (which only a sound point
/// has).
enum class Policy { error, nan, truth };
Policy policy_from_name(const std::string& name);

struct EvaluatorOptions {
    std::string device = "cpu";
    std::string backend = "auto";  ///< "fused", "amx" or "libtorch" to insist
    bool one_thread = false;       ///< otherwise large batches use the threads of the host's Torch
    std::optional<Dtype> dtype;    ///< the file's otherwise
    bool half_weights = false;     ///< see BackendOptions
    bool tensor_cores = false;     ///< see BackendOptions
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

    /// Evaluates n points; alpha_s (n) or nullptr for the one of the options.
    /// Sound rows get the same bits whatever the other rows hold. Callable from several threads at once.
    void evaluate(const double* momenta, const MomentaLayout& layout, std::size_t n, const double* alpha_s,
                  const PredictionView& result) const;
    /// The same of momenta (n, n_legs, 4), contiguous.
    void evaluate(const double* momenta, std::size_t n, const double* alpha_s, const PredictionView& result) const {
        evaluate(momenta, rows_, n, alpha_s, result);
    }

    const ModelFile& model() const { return model_; }
    const FrontEnd& front_end() const { return front_end_; }
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
    struct Sizes {
        Sizes(const ModelFile& model, const ChosenBackend& chosen);
        std::size_t chunk;                                  ///< points
        std::size_t features, members, outputs, log_sigma;  ///< numbers of each point
    };

    /// Calls f with a workspace for n points.
    template <typename F>
    void with_workspace(std::size_t n, const F& f) const;

    /// Predictions of sound rows times a unit, flags of the others, whose numbers mean nothing.
    /// @returns whether all rows have no flags and finite numbers
    bool evaluate_on_host(const double* momenta, const MomentaLayout& layout, std::size_t n, double unit,
                          const PredictionView& result) const;
    bool evaluate_on_device_from_host(const double* momenta, const MomentaLayout& layout, std::size_t n, double unit,
                                      const PredictionView& result) const;
    /// From the features and singular factors in the workspace. @returns whether all is finite
    bool predict(std::size_t n, double unit, const MomentsView& result, const Workspace& work) const;
    /// Flags what is not finite, and gives flagged rows NaN or the truth.
    void settle(const double* momenta, const MomentaLayout& layout, std::size_t n, double unit,
                const PredictionView& result) const;
    /// Multiplies by the power of a coupling of each point.
    void multiply_by_couplings(const double* alpha_s, std::size_t n, const PredictionView& result) const;
    void run_self_test() const;

    ModelFile model_;
    Dtype dtype_;
    Policy policy_;
    double alpha_s_, alpha_;
    double coupling_factor_;       ///< of both
    double weak_coupling_factor_;  ///< of alpha alone
    ChosenBackend chosen_;
    bool half_weights_;
    Sizes sizes_;
    MomentaLayout rows_;
    FrontEnd front_end_;
    AmplitudeMoments moments_;
    std::unique_ptr<AmplitudeProvider> truth_;
};

}  // namespace pyamp
