// A surrogate from a model file.
#include "surrogate/evaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>

#include "amplitudes/open.h"
#include "error.h"
#include "kinematics/point_check.h"

namespace pyamp {
namespace {

PredictionView offset_by(const PredictionView& view, std::size_t offset) {
    return {view.amplitude + offset, view.sigma_syst + offset, view.sigma_stat + offset, view.flags + offset};
}

bool is_finite(const PredictionView& result, std::size_t k) {
    return std::isfinite(result.amplitude[k]) && std::isfinite(result.sigma_syst[k]) &&
           std::isfinite(result.sigma_stat[k]);
}

/// No flags, and every number finite.
bool all_sound(const PredictionView& result, std::size_t n) {
    for (std::size_t k = 0; k < n; ++k)
        if (result.flags[k] != 0 || !is_finite(result, k)) return false;
    return true;
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

namespace {

/// Memory of the calling thread at the beginning of a line of the cache. It grows to what a chunk needs and stays:
/// later calls allocate nothing.
double* thread_memory(std::size_t size) {
    constexpr std::align_val_t line{64};
    struct Free {
        void operator()(double* memory) const { ::operator delete(memory, line); }
    };
    thread_local std::unique_ptr<double[], Free> memory;
    thread_local std::size_t available = 0;
    if (available < size) {
        memory.reset(static_cast<double*>(::operator new(size * sizeof(double), line)));
        available = size;
    }
    return memory.get();
}

}  // namespace

/// What a chunk needs between momenta and results.
struct Evaluator::Workspace {
    double *features, *outputs, *log_sigma, *log_factor, *scratch;
};

Evaluator::Sizes::Sizes(const ModelFile& model, const ChosenBackend& chosen)
    : chunk(chosen.on_device ? std::numeric_limits<std::size_t>::max() : chosen.backend->preferred_batch()),
      features(static_cast<std::size_t>(n_features(model.representation))),
      members(static_cast<std::size_t>(model.posterior.members)),
      outputs(members * static_cast<std::size_t>(n_outputs(model.likelihood))),
      log_sigma(model.sigma_network ? 1 : 0) {}

template <typename F>
void Evaluator::with_workspace(std::size_t n, const F& f) const {
    // Registers that lie in one line of the cache each.
    const auto in_lines = [](std::size_t numbers) { return (numbers + 7) / 8 * 8; };
    const std::size_t features = in_lines(n * sizes_.features + features_excess);
    const std::size_t scratch = moments_scratch_size(sizes_.members, n);
    const std::size_t outputs = in_lines(n * sizes_.outputs);
    const std::size_t size = features + scratch + outputs + n * (1 + sizes_.log_sigma);
    const auto run = [&](double* memory) {
        double* const of_outputs = memory + features + scratch;
        double* const log_factor = of_outputs + outputs;
        f(Workspace{memory, of_outputs, sizes_.log_sigma ? log_factor + n : nullptr, log_factor, memory + features});
    };
    constexpr std::size_t few = 512;
    if (size <= few) {
        alignas(64) double on_stack[few];
        run(on_stack);
    } else {
        run(thread_memory(size));
    }
}

Evaluator::Evaluator(const std::string& path, const EvaluatorOptions& options)
    : model_(read_model_file(path)),
      dtype_(options.dtype.value_or(model_.dtype)),
      policy_(options.policy),
      alpha_s_(options.alpha_s.value_or(model_.couplings.alpha_s)),
      alpha_(options.alpha.value_or(model_.couplings.alpha)),
      chosen_(choose_backend(model_, {dtype_, options.device, options.one_thread, options.backend,
                                      options.half_weights, options.tensor_cores})),
      half_weights_(options.half_weights),
      sizes_(model_, chosen_),
      rows_(MomentaLayout::rows(model_.process.n_legs())),
      front_end_(model_),
      moments_(model_.likelihood, model_.target) {
    if (policy_ == Policy::truth) {
        const std::string& truth = options.truth.empty() ? model_.process.name : options.truth;
        truth_ = open_amplitude(truth.starts_with("tree:") ? truth : "builtin:" + truth, nlohmann::json::object());
        if (truth_->process().pdg_ids != model_.process.pdg_ids)
            throw Error(path + ": truth '" + truth_->process().name + "' is another process than the model's '" +
                        model_.process.name + "'; name the built-in amplitude of the model's process");
    }
    for (const auto& [name, value] : {std::pair{"alpha_s", alpha_s_}, std::pair{"alpha", alpha_}})
        if (!is_coupling(value))
            throw Error(std::string(name) + " is " + std::to_string(value) + ", a positive number expected");
    coupling_factor_ = model_.couplings.factor(alpha_s_, alpha_);
    weak_coupling_factor_ = model_.couplings.factor(1.0, alpha_);
    run_self_test();
}

void Evaluator::evaluate(const double* momenta, const MomentaLayout& layout, std::size_t n, const double* alpha_s,
                         const PredictionView& result) const {
    const double unit = alpha_s ? weak_coupling_factor_ : coupling_factor_;
    for (std::size_t begin = 0; begin < n; begin += sizes_.chunk) {
        const std::size_t count = std::min(sizes_.chunk, n - begin);
        const double* const of_chunk = layout.at(momenta, begin);
        const auto chunk = offset_by(result, begin);
        const bool all_sound = is_on_device() ? evaluate_on_device_from_host(of_chunk, layout, count, unit, chunk)
                                              : evaluate_on_host(of_chunk, layout, count, unit, chunk);
        if (!all_sound) [[unlikely]]
            settle(of_chunk, layout, count, unit, chunk);
        if (alpha_s) multiply_by_couplings(alpha_s + begin, count, chunk);
    }
}

void Evaluator::evaluate_on_device(DeviceCall call, void* stream) const {
    if (!is_on_device())
        throw Error(model_.path + ": runs by " + backend_name() + " (" + backend_reason() +
                    "), which takes momenta from the host; copy them there, or choose device \"cuda\" and backend "
                    "\"fused\"");
    call.coupling_factor *= call.alpha_s ? weak_coupling_factor_ : coupling_factor_;
    chosen_.on_device->evaluate(call, stream);
}

bool Evaluator::evaluate_on_host(const double* momenta, const MomentaLayout& layout, std::size_t n, double unit,
                                 const PredictionView& result) const {
    bool all_sound = false;
    with_workspace(n, [&](const Workspace& work) {
        const bool no_flags = front_end_.evaluate(momenta, layout, n, work.features, work.log_factor, result.flags);
        all_sound = predict(n, unit, {result.amplitude, result.sigma_syst, result.sigma_stat}, work) && no_flags;
    });
    return all_sound;
}

bool Evaluator::evaluate_on_device_from_host(const double* momenta, const MomentaLayout& layout, std::size_t n,
                                             double unit, const PredictionView& result) const {
    const double* rows = momenta;
    if (!layout.is_rows()) {
        const int n_legs = model_.process.n_legs();
        double* const copy = thread_memory(n * static_cast<std::size_t>(4 * n_legs));
        for (std::size_t k = 0; k < n; ++k)
            layout.copy_point(momenta, k, n_legs, copy + k * static_cast<std::size_t>(4 * n_legs));
        rows = copy;
    }
    chosen_.on_device->evaluate_from_host(rows, n, result.amplitude, result.sigma_syst, result.sigma_stat,
                                          result.flags);
    const bool sound = all_sound(result, n);
    for (double* const values : {result.amplitude, result.sigma_syst, result.sigma_stat})
        std::for_each_n(values, n, [unit](double& value) { value *= unit; });
    return sound;
}

bool Evaluator::predict(std::size_t n, double unit, const MomentsView& result, const Workspace& work) const {
    chosen_.backend->evaluate(work.features, n, work.outputs, work.log_sigma);
    const bool finite = moments_.evaluate({work.outputs, work.log_sigma, work.log_factor, sizes_.members, n, unit},
                                          work.scratch, result);
    return model_.recalibration ? recalibrate(*model_.recalibration, n, result) && finite : finite;
}

void Evaluator::settle(const double* momenta, const MomentaLayout& layout, std::size_t n, double unit,
                       const PredictionView& result) const {
    for (std::size_t k = 0; k < n; ++k) {
        if (result.flags[k] == 0 && is_finite(result, k)) continue;
        if (result.flags[k] == 0) result.flags[k] = flag_failed;
        result.amplitude[k] = result.sigma_syst[k] = result.sigma_stat[k] = std::numeric_limits<double>::quiet_NaN();
        if (!truth_ || result.flags[k] & unphysical_flags) continue;
        double point[4 * FrontPlan::max_legs];
        layout.copy_point(momenta, k, model_.process.n_legs(), point);
        truth_->evaluate(point, 1, &result.amplitude[k], nullptr);
        if (std::isfinite(result.amplitude[k])) {
            result.sigma_syst[k] = result.sigma_stat[k] = 0.0;
            result.flags[k] |= flag_from_truth;
        }
        result.amplitude[k] *= unit;
    }
}

void Evaluator::multiply_by_couplings(const double* alpha_s, std::size_t n, const PredictionView& result) const {
    for (std::size_t k = 0; k < n; ++k) {
        double factor = coupling_power(alpha_s[k], model_.couplings.orders.alpha_s_power);
        if (!is_coupling(alpha_s[k])) {
            factor = std::numeric_limits<double>::quiet_NaN();
            result.flags[k] |= flag_failed;
        }
        result.amplitude[k] *= factor;
        result.sigma_syst[k] *= factor;
        result.sigma_stat[k] *= factor;
    }
}

void Evaluator::run_self_test() const {
    const auto& test = model_.self_test;
    const std::size_t n = test.n_points();
    std::vector<double> amplitude(n), sigma_syst(n), sigma_stat(n);
    std::vector<double> log_factor(n);
    with_workspace(n, [&](const Workspace& work) {
        front_end_.evaluate_features(test.momenta.data(), n, work.features, work.log_factor);
        std::copy_n(work.log_factor, n, log_factor.begin());
        if (!is_on_device()) predict(n, 1.0, {amplitude.data(), sigma_syst.data(), sigma_stat.data()}, work);
    });
    if (is_on_device()) {
        std::vector<std::int32_t> flags(n);
        chosen_.on_device->evaluate_from_host(test.momenta.data(), n, amplitude.data(), sigma_syst.data(),
                                              sigma_stat.data(), flags.data());
    }
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
