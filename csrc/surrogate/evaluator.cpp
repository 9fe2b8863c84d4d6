// A surrogate from a model file.
#include "surrogate/evaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "error.h"
#include "kinematics/point_check.h"

namespace pyamp {
namespace {

/// Points that pass through the network at once; bounds the memory of a call.
constexpr std::size_t chunk_size = 8192;

PredictionView offset_by(const PredictionView& view, std::size_t offset) {
    return {view.amplitude + offset, view.sigma_syst + offset, view.sigma_stat + offset, view.flags + offset};
}

/// Relative deviations allowed from the stored float64 answers: rounding of the network in its own arithmetic.
struct SelfTestTolerance {
    double amplitude, sigma;
};

SelfTestTolerance self_test_tolerance(Dtype dtype) {
    return dtype == Dtype::float64 ? SelfTestTolerance{1e-10, 1e-10} : SelfTestTolerance{1e-4, 1e-3};
}

}  // namespace

Policy policy_from_name(const std::string& name) {
    if (name == "error") return Policy::error;
    if (name == "nan") return Policy::nan;
    if (name == "truth") return Policy::truth;
    throw Error("policy '" + name + "', error, nan or truth expected");
}

Evaluator::Evaluator(const std::string& path, const EvaluatorOptions& options)
    : model_(read_model_file(path)),
      dtype_(options.dtype.value_or(model_.dtype)),
      policy_(options.policy),
      alpha_s_(options.alpha_s.value_or(model_.couplings.alpha_s)),
      alpha_(options.alpha.value_or(model_.couplings.alpha)),
      backend_(make_torch_backend(model_, {dtype_, options.device, options.one_thread})) {
    if (policy_ == Policy::truth) {
        truth_ = make_builtin_amplitude(options.truth.empty() ? model_.process.name : options.truth);
        if (truth_->process().pdg_ids != model_.process.pdg_ids)
            throw Error(path + ": truth '" + truth_->process().name + "' is another process than the model's '" +
                        model_.process.name + "'; name the built-in amplitude of the model's process");
    }
    for (const auto& [name, value] : {std::pair{"alpha_s", alpha_s_}, std::pair{"alpha", alpha_}})
        if (!is_coupling(value))
            throw Error(std::string(name) + " is " + std::to_string(value) + ", a positive number expected");
    run_self_test();
}

void Evaluator::evaluate(const double* momenta, std::size_t n, const double* alpha_s,
                         const PredictionView& result) const {
    for (std::size_t begin = 0; begin < n; begin += chunk_size) {
        const std::size_t count = std::min(chunk_size, n - begin);
        const auto chunk = offset_by(result, begin);
        evaluate_chunk(momenta + begin * 4 * static_cast<std::size_t>(model_.process.n_legs()), count, chunk);
        const double common = model_.couplings.factor(alpha_s_, alpha_);
        for (std::size_t k = 0; k < count; ++k) {
            double factor = alpha_s ? model_.couplings.factor(alpha_s[begin + k], alpha_) : common;
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

void Evaluator::evaluate_chunk(const double* momenta, std::size_t n, const PredictionView& result) const {
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
    if (all_sound) {
        predict(momenta, n, result);
    } else {
        // A point of the self-test stands in for a flagged one, so the sound rows see a batch of the same shape.
        std::vector<double> sound(momenta, momenta + n * row);
        for (std::size_t k = 0; k < n; ++k)
            if (result.flags[k])
                std::copy_n(model_.self_test.momenta.begin(), row,
                            sound.begin() + static_cast<std::ptrdiff_t>(k * row));
        predict(sound.data(), n, result);
    }
    for (std::size_t k = 0; k < n; ++k) {
        if (result.flags[k] == 0 && !(std::isfinite(result.amplitude[k]) && std::isfinite(result.sigma_syst[k])))
            result.flags[k] = flag_failed;
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

/// A network's Gaussian for ln A is a log-normal for A: mean exp(m + s^2/2), deviation mean * sqrt(exp(s^2) - 1).
/// Over the members of the posterior: amplitude the mean of the means, sigma_syst^2 the mean of the variances,
/// sigma_stat^2 the variance of the means.
void Evaluator::predict(const double* momenta, std::size_t n, const PredictionView& result) const {
    std::vector<double> features(n * static_cast<std::size_t>(model_.representation.n_features()));
    const auto members = static_cast<std::size_t>(model_.posterior.members);
    std::vector<double> log_factor(n), outputs(2 * n * members), means(members);
    model_.representation.evaluate(momenta, n, features.data(), log_factor.data());
    backend_->evaluate(features.data(), n, outputs.data());
    for (std::size_t k = 0; k < n; ++k) {
        double sum = 0.0, variance = 0.0;
        for (std::size_t member = 0; member < members; ++member) {
            const double* output = &outputs[2 * (member * n + k)];
            const double mean = log_factor[k] + model_.target_mean + model_.target_std * output[0];
            const double log_sigma = model_.target_std * std::exp(std::min(output[1], 0.0));
            means[member] = std::exp(mean + 0.5 * log_sigma * log_sigma);
            sum += means[member];
            variance += means[member] * means[member] * std::expm1(log_sigma * log_sigma);
        }
        const double count = static_cast<double>(members);
        double spread = 0.0;
        for (const double mean : means) spread += (mean - sum / count) * (mean - sum / count);
        result.amplitude[k] = sum / count;
        result.sigma_syst[k] = std::sqrt(variance / count);
        result.sigma_stat[k] = std::sqrt(spread / count);
    }
}

void Evaluator::run_self_test() const {
    const auto& test = model_.self_test;
    const std::size_t n = test.n_points();
    std::vector<double> amplitude(n), sigma_syst(n), sigma_stat(n);
    std::vector<std::int32_t> flags(n);
    predict(test.momenta.data(), n, {amplitude.data(), sigma_syst.data(), sigma_stat.data(), flags.data()});
    const auto tolerance = self_test_tolerance(dtype_);
    const auto agrees = [](double value, double expected, double absolute) {
        return std::fabs(value - expected) <= absolute;
    };
    for (std::size_t k = 0; k < n; ++k)
        // The spread of the members is a difference of amplitudes, so it is as accurate as they are.
        if (!agrees(amplitude[k], test.amplitude[k], tolerance.amplitude * test.amplitude[k]) ||
            !agrees(sigma_syst[k], test.sigma_syst[k], tolerance.sigma * test.sigma_syst[k]) ||
            !agrees(sigma_stat[k], test.sigma_stat[k], tolerance.amplitude * test.amplitude[k]))
            throw Error(model_.path + ": self-test point " + std::to_string(k) + " gives " +
                        std::to_string(amplitude[k] / test.amplitude[k]) +
                        " times the stored amplitude, 1 expected; this installation evaluates the model wrongly, "
                        "export it again or report it");
}

}  // namespace pyamp
