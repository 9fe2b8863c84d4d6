// Amplitude and its spreads that one member gives, for as many rows as lanes: likelihood.h and target.h in registers.
#pragma once

#include "simd/log_normal.h"
#include "surrogate/moments_plan.h"

namespace pyamp::PYAMP_ISA {

using namespace simd::PYAMP_ISA;
using Real = Vec<double>;

[[gnu::always_inline]] inline Real at_most(const Real& x, double limit) {
    return x > limit ? broadcast(limit) : x;  // NaN stays
}

struct Moments {
    Real amplitude, sigma, statistical_variance;
};

/// Of the constants of the target and the singular factor of each row.
template <MomentsPlan::Target type>
struct TargetOfRows {
    const MomentsPlan& plan;
    Real log_factor;
    Real factor;  ///< of log1p and linear

    [[gnu::always_inline]] TargetOfRows(const MomentsPlan& constants, const Real& log_of_factor)
        : plan(constants), log_factor(log_of_factor) {
        if constexpr (type != MomentsPlan::Target::log) factor = wide_exp(log_factor);
    }

    [[gnu::always_inline]] Real spread(const Real& sigma) const { return plan.std * sigma; }

    /// Mean of A where t ~ N(mu, sigma^2), s = std sigma.
    [[gnu::always_inline]] Real amplitude(const Real& mu, const Real& s) const {
        const Real t = fma(mu, broadcast(plan.std), broadcast(plan.mean));
        if constexpr (type == MomentsPlan::Target::log) return log_normal_mean(log_factor + t, s);
        if constexpr (type == MomentsPlan::Target::log1p) return factor * plan.scale * wide_expm1(fma(0.5 * s, s, t));
        if constexpr (type == MomentsPlan::Target::linear) return factor * t;
    }

    /// Standard deviation of A whose mean is known.
    [[gnu::always_inline]] Real sigma(const Real& mean, const Real& s) const {
        if constexpr (type == MomentsPlan::Target::log) return mean * log_normal_spread(s);
        if constexpr (type == MomentsPlan::Target::log1p)
            return fma(factor, broadcast(plan.scale), mean) * log_normal_spread(s);
        if constexpr (type == MomentsPlan::Target::linear) return factor * s;
    }
};

[[gnu::always_inline]] inline Real sigma_from_log(const Real& log_sigma) { return wide_exp(at_most(log_sigma, 0.0)); }

template <MomentsPlan::Target type>
[[gnu::always_inline]] inline Moments of_gaussian(const TargetOfRows<type>& target, const Real& mu,
                                                  const Real& sigma) {
    const Real s = target.spread(sigma);
    const Real amplitude = target.amplitude(mu, s);
    return {amplitude, target.sigma(amplitude, s), Real{}};
}

/// @param output output(j): the j-th output of each row
template <MomentsPlan::Target type, typename Output>
[[gnu::always_inline]] inline Moments of_mixture(const TargetOfRows<type>& target, std::size_t components,
                                                 const Output& output) {
    Real largest = output(0);
    for (std::size_t k = 1; k < components; ++k) {
        const Real logit = output(k);
        largest = logit > largest ? logit : largest;
    }
    Real sum{};
    for (std::size_t k = 0; k < components; ++k) sum += wide_exp(output(k) - largest);
    const auto weight = [&](std::size_t k)
                            __attribute__((always_inline)) { return wide_exp(output(k) - largest) / sum; };
    const auto gaussian = [&](std::size_t k) __attribute__((always_inline)) {
        return of_gaussian(target, output(components + k), sigma_from_log(output(2 * components + k)));
    };
    Moments result{};
    for (std::size_t k = 0; k < components; ++k)
        result.amplitude = fma(weight(k), gaussian(k).amplitude, result.amplitude);
    Real variance{};
    for (std::size_t k = 0; k < components; ++k) {
        const auto [mean, sigma, none] = gaussian(k);
        const Real offset = mean - result.amplitude;
        variance = fma(weight(k), fma(offset, offset, sigma * sigma), variance);
    }
    result.sigma = square_root(variance);
    return result;
}

template <MomentsPlan::Target type, typename Output>
[[gnu::always_inline]] inline Moments of_evidential(const TargetOfRows<type>& target, const Output& output) {
    const Real mu = output(0);
    const Real nu = wide_softplus(output(1));
    const Real variance = wide_softplus(output(3)) / wide_softplus(output(2));
    Moments result = of_gaussian(target, mu, at_most(square_root(variance), 1.0));
    const Real s = target.spread(at_most(square_root(variance / nu), 1.0));
    const Real statistical = target.sigma(target.amplitude(mu, s), s);
    result.statistical_variance = s == 0.0 ? Real{} : statistical * statistical;
    return result;
}

template <MomentsPlan::Likelihood likelihood, MomentsPlan::Target type, typename Output>
[[gnu::always_inline]] inline Moments member_moments(const MomentsPlan& plan, const TargetOfRows<type>& target,
                                                     const Output& output) {
    if constexpr (likelihood == MomentsPlan::Likelihood::gaussian)
        return of_gaussian(target, output(0), sigma_from_log(output(1)));
    else if constexpr (likelihood == MomentsPlan::Likelihood::mean_squared_error)
        return of_gaussian(target, output(0), broadcast(plan.sigma));
    else if constexpr (likelihood == MomentsPlan::Likelihood::mixture)
        return of_mixture(target, plan.components, output);
    else
        return of_evidential(target, output);
}

}  // namespace pyamp::PYAMP_ISA
