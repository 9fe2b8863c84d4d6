// From the outputs of a network to the amplitude and its uncertainties.
#include "surrogate/moments.h"

#include <cmath>
#include <vector>

namespace pyamp {
namespace {

struct MemberMoments {
    double amplitude, variance, statistical_variance;
};

/// @param means scratch, one per component
MemberMoments mixture_moments(const Target& target, const std::vector<MixtureComponent>& mixture, double log_factor,
                              std::vector<double>& means) {
    MemberMoments moments{0.0, 0.0, 0.0};
    for (std::size_t k = 0; k < mixture.size(); ++k) {
        means[k] = target.amplitude(mixture[k].mean, mixture[k].sigma, log_factor);
        moments.amplitude += mixture[k].weight * means[k];
    }
    for (std::size_t k = 0; k < mixture.size(); ++k) {
        const auto& [weight, mean, sigma, statistical_sigma] = mixture[k];
        const double offset = means[k] - moments.amplitude;
        moments.variance += weight * (target.variance(means[k], sigma, log_factor) + offset * offset);
        if (statistical_sigma == 0.0) continue;
        const double statistical_mean = target.amplitude(mean, statistical_sigma, log_factor);
        moments.statistical_variance += weight * target.variance(statistical_mean, statistical_sigma, log_factor);
    }
    return moments;
}

template <typename L>
void evaluate(const L& likelihood, const Target& target, const NetworkOutputs& network, MomentsWorkspace& work,
              const MomentsView& result) {
    auto& [mixture, means, amplitudes] = work;
    mixture.resize(likelihood.n_components());
    means.resize(mixture.size());
    amplitudes.resize(network.members);
    const double members = static_cast<double>(network.members);
    for (std::size_t k = 0; k < network.n; ++k) {
        const double log_factor = network.log_factor[k];
        double sum = 0.0, variance = 0.0, statistical_variance = 0.0, spread = 0.0;
        for (std::size_t member = 0; member < network.members; ++member) {
            const std::size_t row = member * network.n + k;
            likelihood.components(network.outputs + row * likelihood.n_outputs(), mixture.data());
            const auto moments = mixture_moments(target, mixture, log_factor, means);
            amplitudes[member] = moments.amplitude;
            sum += moments.amplitude;
            variance += moments.variance;
            statistical_variance += moments.statistical_variance;
        }
        const double amplitude = sum / members;
        for (const double value : amplitudes) spread += (value - amplitude) * (value - amplitude);
        variance /= members;
        if (network.log_sigma)
            variance = target.variance(amplitude, sigma_from_log(network.log_sigma[k]), log_factor);
        result.amplitude[k] = amplitude;
        result.sigma_syst[k] = std::sqrt(variance);
        result.sigma_stat[k] = std::sqrt((spread + statistical_variance) / members);
    }
}

}  // namespace

void amplitude_moments(const Likelihood& likelihood, const Target& target, const NetworkOutputs& network,
                       MomentsWorkspace& work, const MomentsView& result) {
    std::visit([&](const auto& l) { evaluate(l, target, network, work, result); }, likelihood);
}

void recalibrate(const Recalibration& recalibration, std::size_t n, const MomentsView& result) {
    for (std::size_t k = 0; k < n; ++k) {
        const double total = std::hypot(result.sigma_syst[k], result.sigma_stat[k]);
        const double factor = recalibration_factor(recalibration, total / std::fabs(result.amplitude[k]));
        result.sigma_syst[k] *= factor;
        result.sigma_stat[k] *= factor;
    }
}

}  // namespace pyamp
