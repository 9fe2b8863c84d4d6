// What the network's unit means: the standardised target t of r = amplitude / singular factor.
//
// With a Gaussian t ~ N(mu, sigma^2), constants mean m and std d, factor f, and s = d sigma:
//   log     ln r = m + d t          <A> = f exp(m + d mu + s^2/2)          sigma_A = <A> sqrt(exp(s^2) - 1)
//   log1p   ln(1 + r/c) = m + d t   <A> = f c (exp(m + d mu + s^2/2) - 1)  sigma_A = (<A> + f c) sqrt(exp(s^2) - 1)
//   linear  r = m + d t             <A> = f (m + d mu)                     sigma_A = f s
#pragma once

#include <cmath>

#include "kinematics/host_device.h"

namespace pyamp {

struct Target {
    enum class Type { log, log1p, linear };

    Type type;
    double mean, std;    ///< m, d
    double scale = 1.0;  ///< c, of log1p

    /// <A> of t ~ N(mu, sigma^2).
    PYAMP_HOST_DEVICE double amplitude(double mu, double sigma, double log_factor) const {
        const double s = std * sigma;
        switch (type) {
            case Type::log:
                return std::exp(log_factor + mean + std * mu + 0.5 * s * s);
            case Type::log1p:
                return std::exp(log_factor) * scale * std::expm1(mean + std * mu + 0.5 * s * s);
            default:
                return std::exp(log_factor) * (mean + std * mu);
        }
    }

    /// sigma_A^2 of t ~ N(mu, sigma^2) whose <A> is known.
    PYAMP_HOST_DEVICE double variance(double amplitude, double sigma, double log_factor) const {
        const double s = std * sigma;
        switch (type) {
            case Type::log:
                return amplitude * amplitude * std::expm1(s * s);
            case Type::log1p: {
                const double shifted = amplitude + std::exp(log_factor) * scale;
                return shifted * shifted * std::expm1(s * s);
            }
            default: {
                const double deviation = std::exp(log_factor) * s;
                return deviation * deviation;
            }
        }
    }

    /// What rounding of t is relative to in A: near a zero of A that is more than A.
    double rounding_scale(double amplitude, double log_factor) const {
        switch (type) {
            case Type::log:
                return std::fabs(amplitude);
            case Type::log1p:
                return std::fabs(amplitude) + std::exp(log_factor) * scale;
            default:
                return std::fabs(amplitude) + std::exp(log_factor) * (std::fabs(mean) + std);
        }
    }
};

}  // namespace pyamp
