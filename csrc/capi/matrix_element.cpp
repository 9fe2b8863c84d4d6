// Surrogates and built-in amplitudes as matrix elements of the C interface.
#include "capi/matrix_element.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "error.h"
#include "kinematics/point_check.h"
#include "nearest_name.h"
#include "surrogate/evaluator.h"

namespace pyamp::capi {
namespace {

using nlohmann::json;

constexpr const char* builtin_prefix = "builtin:";
constexpr double default_alpha_s = 0.118;
constexpr double default_alpha = 1.0 / 137.035999084;

json describe_process(const Process& process) {
    return {{"name", process.name}, {"pdg_ids", process.pdg_ids}, {"n_incoming", process.n_incoming}};
}

json describe_couplings(const Couplings& couplings) {
    return {{"alpha_s", couplings.alpha_s},
            {"alpha", couplings.alpha},
            {"alpha_s_power", couplings.orders.alpha_s_power},
            {"alpha_power", couplings.orders.alpha_power}};
}

std::string strip_prefix(const std::string& source) { return source.substr(std::string(builtin_prefix).size()); }

/// The error of policy "error".
void refuse_flagged(const std::int32_t* flags, std::size_t n) {
    const std::string complaint = describe_flagged(flags, n);
    if (!complaint.empty()) throw Error(complaint);
}

class Surrogate final : public MatrixElement {
 public:
    Surrogate(const std::string& path, const EvaluatorOptions& options) : evaluator_(path, options) {}

    const Process& process() const override { return evaluator_.model().process; }
    bool has_accuracy() const override { return false; }

    void evaluate(const double* momenta, std::size_t n, const double* alpha_s, const Results& results) override {
        evaluator_.evaluate(momenta, n, alpha_s,
                            {results.amplitude, results.sigma_syst, results.sigma_stat, results.flags});
        if (evaluator_.policy() == Policy::error) refuse_flagged(results.flags, n);
    }

    json describe() const override {
        const auto& model = evaluator_.model();
        const auto header = json::parse(model.header);
        return {{"kind", "surrogate"},
                {"source", model.path},
                {"process", describe_process(model.process)},
                {"couplings", describe_couplings({evaluator_.alpha_s(), evaluator_.alpha(), model.couplings.orders})},
                {"spin_colour_average", model.spin_colour_average},
                {"backend", evaluator_.backend().name()},
                {"backend_reason", evaluator_.backend_reason()},
                {"dtype", name_of(evaluator_.dtype())},
                {"domain", header["domain"]},
                {"metrics", header["metrics"]}};
    }

 private:
    Evaluator evaluator_;
};

class Truth final : public MatrixElement {
 public:
    Truth(const std::string& name, Policy policy, double alpha_s, double alpha)
        : name_(name),
          provider_(make_builtin_amplitude(name)),
          policy_(policy),
          couplings_{alpha_s, alpha, provider_->coupling_orders()} {
        if (policy_ == Policy::truth)
            throw Error("option 'policy': \"truth\" for the truth itself; \"error\" or \"nan\" expected");
    }

    const Process& process() const override { return provider_->process(); }
    bool has_accuracy() const override { return true; }

    void evaluate(const double* momenta, std::size_t n, const double* alpha_s, const Results& results) override {
        const auto row = static_cast<std::size_t>(4 * process().n_legs());
        for (std::size_t k = 0; k < n; ++k) {
            results.flags[k] = check_point(momenta + k * row, process().n_legs(), process().n_incoming);
            results.amplitude[k] = std::numeric_limits<double>::quiet_NaN();
            results.sigma_syst[k] = results.sigma_stat[k] = 0.0;
            if (results.flags[k] == 0)
                provider_->evaluate(momenta + k * row, 1, &results.amplitude[k],
                                    results.accuracy ? &results.accuracy[k] : nullptr);
            else if (results.accuracy)
                results.accuracy[k] = std::numeric_limits<double>::quiet_NaN();
            if (alpha_s && !is_coupling(alpha_s[k])) results.amplitude[k] = std::numeric_limits<double>::quiet_NaN();
            if (results.flags[k] == 0 && !std::isfinite(results.amplitude[k])) results.flags[k] = flag_failed;
            results.amplitude[k] *= couplings_.factor(alpha_s ? alpha_s[k] : couplings_.alpha_s, couplings_.alpha);
        }
        if (policy_ == Policy::error) refuse_flagged(results.flags, n);
    }

    json describe() const override {
        return {{"kind", "truth"},
                {"source", builtin_prefix + name_},
                {"process", describe_process(provider_->process())},
                {"couplings", describe_couplings(couplings_)},
                {"spin_colour_average", provider_->spin_colour_average()},
                {"backend", provider_->version()}};
    }

 private:
    std::string name_;
    std::unique_ptr<AmplitudeProvider> provider_;
    Policy policy_;
    Couplings couplings_;
};

json parse_options(const std::string& text) {
    const auto options = text.empty() ? json::object() : json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!options.is_object()) throw Error("options: '" + text + "', a JSON object expected");
    const std::vector<std::string> known = {"alpha", "alpha_s", "backend", "device", "dtype", "policy", "truth"};
    for (const auto& [key, value] : options.items()) {
        if (std::find(known.begin(), known.end(), key) == known.end())
            throw Error("options: unknown key '" + key + "'; did you mean '" + nearest_name(key, known) + "'?");
        const bool wants_number = key == "alpha" || key == "alpha_s";
        if (wants_number ? !(value.is_number() && is_coupling(value.get<double>())) : !value.is_string())
            throw Error("options: '" + key + "' is " + value.dump() + ", " +
                        (wants_number ? "a positive number" : "a string") + " expected");
    }
    return options;
}

}  // namespace

std::unique_ptr<MatrixElement> open_matrix_element(const std::string& source, const std::string& options_text) {
    const auto options = parse_options(options_text);
    const Policy policy = policy_from_name(options.value("policy", "error"));
    if (source.starts_with(builtin_prefix)) {
        for (const char* key : {"backend", "device", "dtype", "truth"})
            if (options.contains(key)) throw Error("options: '" + std::string(key) + "' does not apply to " + source);
        return std::make_unique<Truth>(strip_prefix(source), policy, options.value("alpha_s", default_alpha_s),
                                       options.value("alpha", default_alpha));
    }
    EvaluatorOptions evaluator;
    evaluator.policy = policy;
    evaluator.one_thread = true;
    evaluator.device = options.value("device", evaluator.device);
    evaluator.backend = options.value("backend", evaluator.backend);
    if (options.contains("dtype")) evaluator.dtype = dtype_from_name(options["dtype"], "options");
    if (options.contains("alpha_s")) evaluator.alpha_s = options["alpha_s"].get<double>();
    if (options.contains("alpha")) evaluator.alpha = options["alpha"].get<double>();
    const std::string truth = options.value("truth", "");
    evaluator.truth = truth.starts_with(builtin_prefix) ? strip_prefix(truth) : truth;
    return std::make_unique<Surrogate>(source, evaluator);
}

}  // namespace pyamp::capi
