// What the outputs of a network mean: a mixture of Gaussians of the standardised target.
//
// No Gaussian is wider than 1, the spread of all targets: a larger width says nothing, and in the tail of ln A it
// would make the mean of A arbitrarily large.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <variant>

#include "kinematics/host_device.h"

namespace pyamp {

constexpr double max_sigma = 1.0;

PYAMP_HOST_DEVICE double sigma_from_log(double log_sigma) { return std::exp(std::min(log_sigma, 0.0)); }

PYAMP_HOST_DEVICE double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

/// Outputs mu, ln sigma.
struct HeteroskedasticGaussian {
    std::size_t n_outputs() const { return 2; }
};

/// Output mu; the width is one number, found after the training.
struct MeanSquaredError {
    double sigma;

    std::size_t n_outputs() const { return 1; }
};

/// Outputs K logits of the weights, K mu, K ln sigma.
struct GaussianMixture {
    std::size_t size;

    std::size_t n_outputs() const { return 3 * size; }
};

/// Normal-inverse-gamma distribution of mean and variance: outputs gamma and those whose softplus is nu, alpha - 1,
/// beta.
struct Evidential {
    struct Widths {
        double sigma, statistical_sigma;
    };

    std::size_t n_outputs() const { return 4; }
    PYAMP_HOST_DEVICE static Widths widths(double a, double b, double c) {
        const double nu = softplus(a);
        const double variance = softplus(c) / softplus(b);
        return {std::min(std::sqrt(variance), double{max_sigma}),
                std::min(std::sqrt(variance / nu), double{max_sigma})};
    }
};

using Likelihood = std::variant<HeteroskedasticGaussian, MeanSquaredError, GaussianMixture, Evidential>;

inline std::int64_t n_outputs(const Likelihood& likelihood) {
    return std::visit([](const auto& l) { return static_cast<std::int64_t>(l.n_outputs()); }, likelihood);
}

}  // namespace pyamp
