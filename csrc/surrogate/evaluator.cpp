// A surrogate from a model file.
#include "surrogate/evaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "error.h"
#include "kinematics/point_check.h"

namespace pyamp {
namespace {

PredictionView offset_by(const PredictionView& view, std::size_t offset) {
    return {view.amplitude + offset, view.sigma_syst + offset, view.sigma_stat + offset, view.flags + offset};
}

/// Relative deviations allowed from the stored float64 answers: rounding of the network in its own arithmetic, and of
/// its weights where those have 16 bits.
struct SelfTestTolerance {
    double amplitude, sigma;
};

SelfTestTolerance self_test_tolerance(Dtype dtype, bool half_weights) {
    if (half_weights) return {2e-2, 5e-2};
    return dtype == Dtype::float64 ? SelfTestTolerance{1e-10, 1e-10} : SelfTestTolerance{1e-4, 1e-3};
}

std::string ratio_text(double value, double expected) {
    return std::to_string(value == expected ? 1.0 : value / expected);
}

}  // namespace

Policy policy_from_name(const std::string& name) {
    if (name == "error") return Policy::error;
    if (name == "nan") return Policy::nan;
    if (name == "truth") return Policy::truth;
    throw Error("policy '" + name + "', error, nan or truth expected");
}

/// Memory of the calling thread, which grows to what a chunk needs and stays: later calls allocate nothing.
struct Evaluator::Workspace {
    std::vector<double> features, outputs, log_sigma, log_factor, sound;
    MomentsWorkspace moments;
};

Evaluator::Workspace& Evaluator::workspace() {
    thread_local Workspace work;
    return work;
}

Evaluator::Evaluator(const std::string& path, const EvaluatorOptions& options)
    : model_(read_model_file(path)),
      dtype_(options.dtype.value_or(model_.dtype)),
      policy_(options.policy),
      alpha_s_(options.alpha_s.value_or(model_.couplings.alpha_s)),
      alpha_(options.alpha.value_or(model_.couplings.alpha)),
      chosen_(choose_backend(model_,
                             {dtype_, options.device, options.one_thread, options.backend, options.half_weights})),
      half_weights_(options.half_weights) {
    if (policy_ == Policy::truth) {
        truth_ = make_builtin_amplitude(options.truth.empty() ? model_.process.name : options.truth);
        if (truth_->process().pdg_ids != model_.process.pdg_ids)
            throw Error(path + ": truth '" + truth_->process().name + "' is another process than the model's '" +
                        model_.process.name + "'; name the built-in amplitude of the model's process");
    }
    for (const auto& [name, value] : {std::pair{"alpha_s", alpha_s_}, std::pair{"alpha", alpha_}})
        if (!is_coupling(value))
            throw Error(std::string(name) + " is " + std::to_string(value) + ", a positive number expected");
    coupling_factor_ = model_.couplings.factor(alpha_s_, alpha_);
    run_self_test();
}

void Evaluator::evaluate(const double* momenta, std::size_t n, const double* alpha_s,
                         const PredictionView& result) const {
    const std::size_t chunk_size = is_on_device() ? std::max<std::size_t>(n, 1) : chosen_.backend->preferred_batch();
    for (std::size_t begin = 0; begin < n; begin += chunk_size) {
        const std::size_t count = std::min(chunk_size, n - begin);
        const auto chunk = offset_by(result, begin);
        evaluate_chunk(momenta + begin * 4 * static_cast<std::size_t>(model_.process.n_legs()), count, chunk);
        for (std::size_t k = 0; k < count; ++k) {
            double factor = alpha_s ? model_.couplings.factor(alpha_s[begin + k], alpha_) : coupling_factor_;
            if (alpha_s && !is_coupling(alpha_s[begin + k])) {
                factor = std::numeric_limits<double>::quiet_NaN();
                chunk.flags[k] |= flag_failed;
            }
            chunk.amplitude[k] *= factor;
            chunk.sigma_syst[k] *= factor;
            chunk.sigma_stat[k] *= factor;
        }
    }
}

void Evaluator::evaluate_on_device(DeviceCall call, void* stream) const {
    if (!is_on_device())
        throw Error(model_.path + ": runs by " + backend_name() + " (" + backend_reason() +
                    "), which takes momenta from the host; copy them there, or choose device \"cuda\" and backend "
                    "\"fused\"");
    call.coupling_factor *= call.alpha_s ? model_.couplings.factor(1.0, alpha_) : coupling_factor_;
    chosen_.on_device->evaluate(call, stream);
}

void Evaluator::evaluate_chunk(const double* momenta, std::size_t n, const PredictionView& result) const {
    if (is_on_device())
        chosen_.on_device->evaluate_from_host(momenta, n, result.amplitude, result.sigma_syst, result.sigma_stat,
                                              result.flags);
    else
        evaluate_on_host(momenta, n, result);
    const auto row = static_cast<std::size_t>(4 * model_.process.n_legs());
    for (std::size_t k = 0; k < n; ++k) {
        const bool is_finite = std::isfinite(result.amplitude[k]) && std::isfinite(result.sigma_syst[k]) &&
                               std::isfinite(result.sigma_stat[k]);
        if (result.flags[k] == 0 && !is_finite) result.flags[k] = flag_failed;
        if (result.flags[k] == 0) continue;
        result.amplitude[k] = result.sigma_syst[k] = result.sigma_stat[k] = std::numeric_limits<double>::quiet_NaN();
        if (!truth_ || result.flags[k] & unphysical_flags) continue;
        truth_->evaluate(momenta + k * row, 1, &result.amplitude[k], nullptr);
        if (std::isfinite(result.amplitude[k])) {
            result.sigma_syst[k] = result.sigma_stat[k] = 0.0;
            result.flags[k] |= flag_from_truth;
        }
    }
}

void Evaluator::evaluate_on_host(const double* momenta, std::size_t n, const PredictionView& result) const {
    const int n_legs = model_.process.n_legs();
    const int n_incoming = model_.process.n_incoming;
    const auto row = static_cast<std::size_t>(4 * n_legs);
    bool all_sound = true;
    for (std::size_t k = 0; k < n; ++k) {
        result.flags[k] = check_point(momenta + k * row, n_legs, n_incoming);
        if (result.flags[k] == 0 && !model_.domain.contains(momenta + k * row, n_legs, n_incoming))
            result.flags[k] = flag_outside_domain;
        all_sound = all_sound && result.flags[k] == 0;
    }
    const MomentsView moments{result.amplitude, result.sigma_syst, result.sigma_stat};
    Workspace& work = workspace();
    if (all_sound) {
        predict(momenta, n, moments, work);
    } else {
        // A point of the self-test stands in for a flagged one, so the sound rows see a batch of the same shape.
        work.sound.assign(momenta, momenta + n * row);
        for (std::size_t k = 0; k < n; ++k)
            if (result.flags[k])
                std::copy_n(model_.self_test.momenta.begin(), row,
                            work.sound.begin() + static_cast<std::ptrdiff_t>(k * row));
        predict(work.sound.data(), n, moments, work);
    }
}

void Evaluator::predict(const double* momenta, std::size_t n, const MomentsView& result, Workspace& work) const {
    const auto members = static_cast<std::size_t>(model_.posterior.members);
    work.features.resize(n * static_cast<std::size_t>(n_features(model_.representation)));
    work.outputs.resize(n * members * static_cast<std::size_t>(n_outputs(model_.likelihood)));
    work.log_sigma.resize(model_.sigma_network ? n : 0);
    work.log_factor.resize(n);
    double* const log_sigma = model_.sigma_network ? work.log_sigma.data() : nullptr;
    evaluate_features(model_.representation, momenta, n, work.features.data(), work.log_factor.data());
    chosen_.backend->evaluate(work.features.data(), n, work.outputs.data(), log_sigma);
    amplitude_moments(model_.likelihood, model_.target,
                      {work.outputs.data(), log_sigma, work.log_factor.data(), members, n}, work.moments, result);
    if (model_.recalibration) recalibrate(*model_.recalibration, n, result);
}

void Evaluator::run_self_test() const {
    const auto& test = model_.self_test;
    const std::size_t n = test.n_points();
    std::vector<double> amplitude(n), sigma_syst(n), sigma_stat(n);
    Workspace& work = workspace();
    if (is_on_device()) {
        std::vector<std::int32_t> flags(n);
        work.features.resize(n * static_cast<std::size_t>(n_features(model_.representation)));
        work.log_factor.resize(n);
        evaluate_features(model_.representation, test.momenta.data(), n, work.features.data(),
                          work.log_factor.data());
        chosen_.on_device->evaluate_from_host(test.momenta.data(), n, amplitude.data(), sigma_syst.data(),
                                              sigma_stat.data(), flags.data());
    } else {
        predict(test.momenta.data(), n, {amplitude.data(), sigma_syst.data(), sigma_stat.data()}, work);
    }
    const auto& log_factor = work.log_factor;
    const auto tolerance = self_test_tolerance(dtype_, half_weights_);
    const auto agrees = [](double value, double expected, double absolute) {
        return std::fabs(value - expected) <= absolute;
    };
    const bool syst_is_difference = std::holds_alternative<GaussianMixture>(model_.likelihood);
    for (std::size_t k = 0; k < n; ++k) {
        // Spreads of members and of mixture components are differences of amplitudes, so as accurate as those.
        const double of_amplitude =
            tolerance.amplitude * model_.target.rounding_scale(test.amplitude[k], log_factor[k]);
        const double of_syst = tolerance.sigma * test.sigma_syst[k] + (syst_is_difference ? of_amplitude : 0.0);
        const double of_stat = tolerance.sigma * test.sigma_stat[k] + of_amplitude;
        if (!agrees(amplitude[k], test.amplitude[k], of_amplitude) ||
            !agrees(sigma_syst[k], test.sigma_syst[k], of_syst) ||
            !agrees(sigma_stat[k], test.sigma_stat[k], of_stat))
            throw Error(model_.path + ": self-test point " + std::to_string(k) + " gives " +
                        ratio_text(amplitude[k], test.amplitude[k]) + " times the stored amplitude, " +
                        ratio_text(sigma_syst[k], test.sigma_syst[k]) + " times sigma_syst and " +
                        ratio_text(sigma_stat[k], test.sigma_stat[k]) + " times sigma_stat, 1 expected; " +
                        (half_weights_ ? "its weights do not bear 16 bits, choose weights 'full'"
                                       : "this installation evaluates the model wrongly, export it again or "
                                         "report it"));
    }
}

}  // namespace pyamp
