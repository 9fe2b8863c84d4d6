// From the outputs of a network to the amplitude and its uncertainties: the plan of the kernel, and recalibration.
#include "surrogate/moments.h"

#include <cmath>

#include "simd/instruction_set.h"

namespace pyamp {
namespace {

MomentsPlan::Target target_type(Target::Type type) {
    switch (type) {
        case Target::Type::log:
            return MomentsPlan::Target::log;
        case Target::Type::log1p:
            return MomentsPlan::Target::log1p;
        default:
            return MomentsPlan::Target::linear;
    }
}

void set_likelihood(MomentsPlan& plan, const HeteroskedasticGaussian&) {
    plan.likelihood = MomentsPlan::Likelihood::gaussian;
}

void set_likelihood(MomentsPlan& plan, const MeanSquaredError& likelihood) {
    plan.likelihood = MomentsPlan::Likelihood::mean_squared_error;
    plan.sigma = likelihood.sigma;
}

void set_likelihood(MomentsPlan& plan, const GaussianMixture& likelihood) {
    plan.likelihood = MomentsPlan::Likelihood::mixture;
    plan.components = likelihood.size;
}

void set_likelihood(MomentsPlan& plan, const Evidential&) { plan.likelihood = MomentsPlan::Likelihood::evidential; }

MomentsPlan make_plan(const Likelihood& likelihood, const Target& target) {
    MomentsPlan plan{};
    plan.target = target_type(target.type);
    plan.mean = target.mean;
    plan.std = target.std;
    plan.scale = target.scale;
    plan.n_outputs = static_cast<std::size_t>(n_outputs(likelihood));
    std::visit([&](const auto& l) { set_likelihood(plan, l); }, likelihood);
    return plan;
}

}  // namespace

AmplitudeMoments::AmplitudeMoments(const Likelihood& likelihood, const Target& target)
    : plan_(make_plan(likelihood, target)), kernel_(PYAMP_FOR_PROCESSOR(pyamp, moments_kernel)(plan_)) {}

bool recalibrate(const Recalibration& recalibration, std::size_t n, const MomentsView& result) {
    bool finite = true;
    for (std::size_t k = 0; k < n; ++k) {
        const double total = std::hypot(result.sigma_syst[k], result.sigma_stat[k]);
        const double factor = recalibration_factor(recalibration, total / std::fabs(result.amplitude[k]));
        result.sigma_syst[k] *= factor;
        result.sigma_stat[k] *= factor;
        finite = finite && std::isfinite(result.sigma_syst[k]) && std::isfinite(result.sigma_stat[k]);
    }
    return finite;
}

}  // namespace pyamp
