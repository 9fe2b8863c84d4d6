// Surrogates and built-in amplitudes as matrix elements of the C interface.
#include "capi/matrix_element.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "amplitudes/open.h"
#include "capi/options.h"
#include "error.h"
#include "kinematics/point_check.h"
#include "surrogate/evaluator.h"

namespace pyamp::capi {
namespace {

using nlohmann::json;

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

    void evaluate(const double* momenta, const MomentaLayout& layout, std::size_t n, const double* alpha_s,
                  const Results& results) override {
        evaluator_.evaluate(momenta, layout, n, alpha_s,
                            {results.amplitude, results.sigma_syst, results.sigma_stat, results.flags});
        if (evaluator_.policy() == Policy::error) refuse_flagged(results.flags, n);
    }

    void evaluate_on_device(const DeviceCall& call, void* stream) override {
        evaluator_.evaluate_on_device(call, stream);
    }

    json describe() const override {
        const auto& model = evaluator_.model();
        const auto header = json::parse(model.header);
        return {{"kind", "surrogate"},
                {"source", model.path},
                {"process", describe_process(model.process)},
                {"couplings", describe_couplings({evaluator_.alpha_s(), evaluator_.alpha(), model.couplings.orders})},
                {"spin_colour_average", model.spin_colour_average},
                {"backend", evaluator_.backend_name()},
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
    Truth(const std::string& source, std::unique_ptr<AmplitudeProvider> provider, Policy policy, double alpha_s,
          double alpha)
        : source_(source),
          provider_(std::move(provider)),
          policy_(policy),
          couplings_{alpha_s, alpha, provider_->coupling_orders()} {
        if (policy_ == Policy::truth)
            throw Error("option 'policy': \"truth\" for the truth itself; \"error\" or \"nan\" expected");
    }

    const Process& process() const override { return provider_->process(); }
    bool has_accuracy() const override { return true; }

    void evaluate(const double* momenta, const MomentaLayout& layout, std::size_t n, const double* alpha_s,
                  const Results& results) override {
        const int n_legs = process().n_legs();
        point_.resize(static_cast<std::size_t>(4 * n_legs));
        for (std::size_t k = 0; k < n; ++k) {
            layout.copy_point(momenta, k, n_legs, point_.data());
            results.flags[k] = check_point(point_.data(), n_legs, process().n_incoming);
            results.amplitude[k] = std::numeric_limits<double>::quiet_NaN();
            results.sigma_syst[k] = results.sigma_stat[k] = 0.0;
            if (results.flags[k] == 0)
                provider_->evaluate(point_.data(), 1, &results.amplitude[k],
                                    results.accuracy ? &results.accuracy[k] : nullptr);
            else if (results.accuracy)
                results.accuracy[k] = std::numeric_limits<double>::quiet_NaN();
            if (alpha_s && !is_coupling(alpha_s[k])) results.amplitude[k] = std::numeric_limits<double>::quiet_NaN();
            if (results.flags[k] == 0 && !std::isfinite(results.amplitude[k])) results.flags[k] = flag_failed;
            results.amplitude[k] *= couplings_.factor(alpha_s ? alpha_s[k] : couplings_.alpha_s, couplings_.alpha);
        }
        if (policy_ == Policy::error) refuse_flagged(results.flags, n);
    }

    void evaluate_on_device(const DeviceCall&, void*) override {
        throw Error(source_ + ": runs on the host; use pyamp_evaluate");
    }

    json describe() const override {
        return {{"kind", "truth"},
                {"source", source_},
                {"process", describe_process(provider_->process())},
                {"couplings", describe_couplings(couplings_)},
                {"spin_colour_average", provider_->spin_colour_average()},
                {"backend", provider_->version()}};
    }

 private:
    std::string source_;
    std::unique_ptr<AmplitudeProvider> provider_;
    Policy policy_;
    Couplings couplings_;
    std::vector<double> point_;
};

/// |M|^2 with the factor 1/n! of every kind of n identical outgoing particles.
class WithIdenticalParticleFactor final : public MatrixElement {
 public:
    explicit WithIdenticalParticleFactor(std::unique_ptr<MatrixElement> matrix_element)
        : matrix_element_(std::move(matrix_element)),
          factor_(identical_particle_factor(matrix_element_->process())) {}

    const Process& process() const override { return matrix_element_->process(); }
    bool has_accuracy() const override { return matrix_element_->has_accuracy(); }

    void evaluate(const double* momenta, const MomentaLayout& layout, std::size_t n, const double* alpha_s,
                  const Results& results) override {
        const auto scale = [&] {
            for (double* values : {results.amplitude, results.sigma_syst, results.sigma_stat})
                std::for_each_n(values, n, [this](double& value) { value *= factor_; });
        };
        try {
            matrix_element_->evaluate(momenta, layout, n, alpha_s, results);
        } catch (const Error&) {
            scale();
            throw;
        }
        scale();
    }

    void evaluate_on_device(const DeviceCall& call, void* stream) override {
        DeviceCall scaled = call;
        scaled.coupling_factor *= factor_;
        matrix_element_->evaluate_on_device(scaled, stream);
    }

    json describe() const override {
        json description = matrix_element_->describe();
        description["identical_particle_factor"] = factor_;
        return description;
    }

 private:
    std::unique_ptr<MatrixElement> matrix_element_;
    double factor_;
};

std::unique_ptr<MatrixElement> open(const Request& request) {
    const json& options = request.options;
    const Policy policy = policy_from_name(options.value("policy", "error"));
    if (is_truth(request.source)) {
        for (const char* key : {"backend", "device", "dtype", "tensor_cores", "truth", "weights"})
            if (options.contains(key))
                throw Error("options: '" + std::string(key) + "' does not apply to " + request.source);
        const std::string block = options_block(request.source);
        for (const char* key : {"blha", "tree"})
            if (key != block && !options.value(key, json::object()).empty())
                throw Error("options: '" + std::string(key) + "' does not apply to " + request.source);
        const json own = block.empty() ? json::object() : options.value(block, json::object());
        return std::make_unique<Truth>(request.source, open_amplitude(request.source, own), policy,
                                       options.value("alpha_s", default_alpha_s),
                                       options.value("alpha", default_alpha));
    }
    for (const char* key : {"blha", "tree"})
        if (options.contains(key))
            throw Error("options: '" + std::string(key) + "' does not apply to the model file " + request.source);
    EvaluatorOptions evaluator;
    evaluator.policy = policy;
    evaluator.one_thread = true;
    evaluator.device = options.value("device", evaluator.device);
    evaluator.backend = options.value("backend", evaluator.backend);
    evaluator.half_weights = are_halves(options.value("weights", "full"));
    evaluator.tensor_cores = options.value("tensor_cores", false);
    if (options.contains("dtype")) evaluator.dtype = dtype_from_name(options["dtype"], "options");
    if (options.contains("alpha_s")) evaluator.alpha_s = options["alpha_s"].get<double>();
    if (options.contains("alpha")) evaluator.alpha = options["alpha"].get<double>();
    const std::string truth = options.value("truth", "");
    evaluator.truth = truth.starts_with("builtin:") ? truth.substr(std::string("builtin:").size()) : truth;
    return std::make_unique<Surrogate>(request.source, evaluator);
}

}  // namespace

std::unique_ptr<MatrixElement> open_matrix_element(const std::string& source, const std::string& options) {
    const Request request = read_request(source, options);
    auto matrix_element = open(request);
    if (!request.options.value("identical_particle_factor", false)) return matrix_element;
    return std::make_unique<WithIdenticalParticleFactor>(std::move(matrix_element));
}

}  // namespace pyamp::capi
