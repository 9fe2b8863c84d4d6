// What one thread does for one point: invariants, flags, features and moments, all in float64 as on the CPU.
#pragma once

#include <cmath>

#include "kinematics/invariants_point.h"
#include "kinematics/point_check.h"
#include "surrogate/cuda/group.h"
#include "surrogate/cuda/program.h"
#include "surrogate/likelihood.h"

namespace pyamp::cuda {

/// Shared memory of a tile: element k of point p at k * stride + p; the momenta are padded against bank conflicts.
struct PointMemory {
    int stride;
    double *momenta, *norms, *abs_s, *log_s;
    double *log_factor, *scale;                      ///< scale: what features are multiples of, inverted
    double *mean, *spread, *variance, *statistical;  ///< over the members so far
    std::int32_t* flags;
    std::uint32_t* order;  ///< slot k of the ordered point holds the leg in its k-th four bits

    PYAMP_DEVICE_BODY double momentum(int leg, int component, int p) const {
        return momenta[(4 * leg + component) * (stride + 1) + p];
    }
    PYAMP_DEVICE_BODY kinematics::ThreeMomentum three_momentum(int leg, int p) const {
        return {momentum(leg, 1, p), momentum(leg, 2, p), momentum(leg, 3, p)};
    }
    PYAMP_DEVICE_BODY double norm(int leg, int p) const { return norms[leg * stride + p]; }
};

PYAMP_DEVICE_CALL void evaluate_pair(const PointProgram& program, const PointMemory& memory, int slot, int p) {
    const int i = program.pair_i[slot], j = program.pair_j[slot];
    const double s = kinematics::massless_invariant(memory.three_momentum(i, p), memory.three_momentum(j, p),
                                                    memory.norm(i, p) * memory.norm(j, p));
    memory.abs_s[slot * memory.stride + p] = s;
    memory.log_s[slot * memory.stride + p] = std::log(s);
}

/// See pyamp::check_point.
PYAMP_DEVICE_CALL std::int32_t check_point(const PointProgram& program, const PointMemory& memory, int p) {
    std::int32_t flags = 0;
    double balance[4] = {};
    double energy_in = 0.0;
    for (int leg = 0; leg < program.n_legs; ++leg) {
        const bool incoming = leg < program.n_incoming;
        PYAMP_UNROLL
        for (int mu = 0; mu < 4; ++mu) {
            const double component = memory.momentum(leg, mu, p);
            if (!(std::fabs(component) <= 1.7976931348623157e308)) return flag_not_finite;
            balance[mu] += incoming ? component : -component;
        }
        const double energy = memory.momentum(leg, 0, p);
        if (!(std::fabs(energy - memory.norm(leg, p)) <= kinematic_tolerance * energy) || !(energy > 0.0))
            flags |= flag_off_shell;
        if (incoming) energy_in += energy;
    }
    PYAMP_UNROLL
    for (int mu = 0; mu < 4; ++mu)
        if (!(std::fabs(balance[mu]) <= kinematic_tolerance * energy_in)) flags |= flag_not_conserved;
    return flags;
}

PYAMP_DEVICE_BODY double pseudorapidity(const PointMemory& memory, int leg, int p) {
    return std::asinh(memory.momentum(leg, 3, p) /
                      std::hypot(memory.momentum(leg, 1, p), memory.momentum(leg, 2, p)));
}

/// See pyamp::Cuts. The i-th hardest leg exceeds its minimum where at least i legs do, so that nothing is sorted.
PYAMP_DEVICE_BODY bool passes(const CutsProgram& cuts, int n_legs, const PointMemory& memory, int p) {
    const auto squared_pt = [&](int leg) {
        const double x = memory.momentum(leg, 1, p), y = memory.momentum(leg, 2, p);
        return x * x + y * y;
    };
    for (int rule = 0; rule < cuts.n_pt; ++rule)
        for (int k = 0; k < cuts.pt[rule].n; ++k) {
            int harder = 0;
            for (int leg = 0; leg < n_legs; ++leg)
                if ((cuts.pt[rule].legs >> leg & 1u) && squared_pt(leg) > cuts.pt[rule].squared_minima[k]) ++harder;
            if (harder <= k) return false;
        }
    for (int rule = 0; rule < cuts.n_eta; ++rule)
        for (int leg = 0; leg < n_legs; ++leg)
            if ((cuts.eta[rule].legs >> leg & 1u) &&
                !(std::fabs(memory.momentum(leg, 3, p)) < std::sqrt(squared_pt(leg)) * cuts.eta[rule].sinh_maximum))
                return false;
    for (int k = 0; k < cuts.n_delta_r; ++k) {
        const auto& rule = cuts.delta_r[k];
        const double ax = memory.momentum(rule.i, 1, p), ay = memory.momentum(rule.i, 2, p);
        const double bx = memory.momentum(rule.j, 1, p), by = memory.momentum(rule.j, 2, p);
        const double d_eta = pseudorapidity(memory, rule.i, p) - pseudorapidity(memory, rule.j, p);
        const double d_phi = std::atan2(ax * by - ay * bx, ax * bx + ay * by);
        if (!(d_eta * d_eta + d_phi * d_phi > rule.squared_minimum)) return false;
    }
    return true;
}

/// See pyamp::Domain.
PYAMP_DEVICE_BODY bool domain_contains(const PointProgram& program, const PointMemory& memory, int p) {
    double total[4] = {};
    for (int leg = 0; leg < program.n_incoming; ++leg) {
        PYAMP_UNROLL
        for (int mu = 0; mu < 4; ++mu) total[mu] += memory.momentum(leg, mu, p);
    }
    const double squared = (total[0] - total[3]) * (total[0] + total[3]) - total[1] * total[1] - total[2] * total[2];
    const double sqrt_s_hat = std::sqrt(squared);
    return sqrt_s_hat >= program.sqrt_s_hat_min && sqrt_s_hat <= program.sqrt_s_hat_max &&
           passes(program.cuts, program.n_legs, memory, p);
}

PYAMP_DEVICE_BODY int leg_at(std::uint32_t order, int slot) { return static_cast<int>(order >> (4 * slot) & 15u); }

PYAMP_DEVICE_BODY std::uint32_t with_legs_exchanged(std::uint32_t order, int a, int b) {
    const auto difference = static_cast<std::uint32_t>(leg_at(order, a) ^ leg_at(order, b));
    return order ^ (difference << (4 * a)) ^ (difference << (4 * b));
}

PYAMP_DEVICE_BODY int slot_of(const PointProgram& program, int i, int j) {
    return program.slot_of_pair[i < j ? kinematics::pair_index(i, j, program.n_legs)
                                      : kinematics::pair_index(j, i, program.n_legs)];
}

/// See LogInvariants: insertion sort of each group, the largest key first.
PYAMP_DEVICE_BODY std::uint32_t order_legs(const PointProgram& program, const PointMemory& memory, int p) {
    std::uint32_t order = 0x76543210u;
    for (int g = 0; g < program.n_groups; ++g) {
        const auto& group = program.ordering[g];
        const auto key = [&](int slot) {
            const int leg = leg_at(order, slot);
            double sum = 0.0;
            for (int w = 0; w < group.n_reference; ++w)
                sum += memory.abs_s[slot_of(program, leg, group.reference[w]) * memory.stride + p];
            return sum;
        };
        for (int k = 1; k < group.n_legs; ++k)
            for (int m = k; m > 0 && key(group.legs[m]) > key(group.legs[m - 1]); --m)
                order = with_legs_exchanged(order, group.legs[m], group.legs[m - 1]);
    }
    return order;
}

/// All that is known of a point before its features.
PYAMP_DEVICE_CALL void combine_invariants(const PointProgram& program, const PointMemory& memory, int p) {
    if (memory.flags[p] == 0 && !domain_contains(program, memory, p)) memory.flags[p] = flag_outside_domain;
    double log_factor = 0.0;
    for (int k = 0; k < program.n_terms; ++k)
        log_factor += program.term_power[k] * memory.log_s[program.term_slot[k] * memory.stride + p];
    memory.log_factor[p] = log_factor;
    memory.scale[p] = program.is_momenta ? 1.0 / std::sqrt(memory.abs_s[p]) : 1.0 / memory.abs_s[p];
    if (!program.is_momenta) memory.order[p] = order_legs(program, memory, p);
}

/// One standardised feature. That of legs i < j has the number of the pair less one, (0,1) having none.
PYAMP_DEVICE_BODY double feature_value(const PointProgram& program, const PointMemory& memory, int feature, int p) {
    double value;
    const int n_logs = kinematics::pair_count(program.n_legs) - 1;
    if (program.is_momenta) {
        value = memory.momentum(feature / 4, feature % 4, p) * memory.scale[p];
    } else if (program.energy && feature == program.n_features - 1) {
        value = memory.log_s[p];
    } else {
        const bool is_log = feature < n_logs;
        const int pair = (is_log ? feature : feature - n_logs) + 1;
        const std::uint32_t order = memory.order[p];
        const int slot = slot_of(program, leg_at(order, program.pair_i[pair]), leg_at(order, program.pair_j[pair]));
        value = is_log ? memory.log_s[slot * memory.stride + p] - memory.log_s[p]
                       : memory.abs_s[slot * memory.stride + p] * memory.scale[p];
    }
    return (value - program.mean[feature]) * program.inverse_std[feature];
}

struct Moments {
    double amplitude, variance, statistical_variance;
};

PYAMP_DEVICE_BODY Moments gaussian_moments(const Target& target, double mean, double sigma, double log_factor) {
    const double amplitude = target.amplitude(mean, sigma, log_factor);
    return {amplitude, target.variance(amplitude, sigma, log_factor), 0.0};
}

/// See GaussianMixture.
template <typename Outputs>
PYAMP_DEVICE_BODY Moments mixture_moments(const Target& target, int size, const Outputs& outputs, double log_factor) {
    double largest = outputs[0];
    for (int k = 1; k < size; ++k) largest = largest < outputs[k] ? outputs[k] : largest;
    double sum = 0.0;
    for (int k = 0; k < size; ++k) sum += std::exp(outputs[k] - largest);
    const auto weight = [&](int k) { return std::exp(outputs[k] - largest) / sum; };
    const auto moments = [&](int k) {
        return gaussian_moments(target, outputs[size + k], sigma_from_log(outputs[2 * size + k]), log_factor);
    };
    Moments result{0.0, 0.0, 0.0};
    for (int k = 0; k < size; ++k) result.amplitude += weight(k) * moments(k).amplitude;
    for (int k = 0; k < size; ++k) {
        const Moments component = moments(k);
        const double offset = component.amplitude - result.amplitude;
        result.variance += weight(k) * (component.variance + offset * offset);
    }
    return result;
}

template <typename Outputs>
PYAMP_DEVICE_BODY Moments member_moments(const PointProgram& program, const Outputs& outputs, double log_factor) {
    const Target& target = program.target;
    switch (program.likelihood) {
        case LikelihoodType::heteroskedastic_gaussian:
            return gaussian_moments(target, outputs[0], sigma_from_log(outputs[1]), log_factor);
        case LikelihoodType::mean_squared_error:
            return gaussian_moments(target, outputs[0], program.likelihood_sigma, log_factor);
        case LikelihoodType::gaussian_mixture:
            return mixture_moments(target, program.likelihood_size, outputs, log_factor);
        default: {
            const Evidential::Widths widths = Evidential::widths(outputs[1], outputs[2], outputs[3]);
            Moments result = gaussian_moments(target, outputs[0], widths.sigma, log_factor);
            result.statistical_variance =
                gaussian_moments(target, outputs[0], widths.statistical_sigma, log_factor).variance;
            return result;
        }
    }
}

/// Welford's update of mean and sum of squared deviations.
template <typename Outputs>
PYAMP_DEVICE_CALL void add_member(const PointProgram& program, const PointMemory& memory, int member, int p,
                                  const Outputs& outputs) {
    const Moments moments = member_moments(program, outputs, memory.log_factor[p]);
    if (member == 0) {
        memory.mean[p] = moments.amplitude;
        memory.spread[p] = 0.0;
        memory.variance[p] = moments.variance;
        memory.statistical[p] = moments.statistical_variance;
        return;
    }
    const double offset = moments.amplitude - memory.mean[p];
    memory.mean[p] += offset / (member + 1);
    memory.spread[p] += offset * (moments.amplitude - memory.mean[p]);
    memory.variance[p] += moments.variance;
    memory.statistical[p] += moments.statistical_variance;
}

/// The sigma network's ln sigma in place of what the members say; a sum over members as that is.
PYAMP_DEVICE_CALL void set_variance(const PointProgram& program, const PointMemory& memory, int members, int p,
                                    double log_sigma) {
    memory.variance[p] =
        members * program.target.variance(memory.mean[p], sigma_from_log(log_sigma), memory.log_factor[p]);
}

/// See ScaleRecalibration and IsotonicRecalibration.
PYAMP_DEVICE_BODY double recalibration_factor(const PointProgram& program, const double* sigma,
                                              double relative_sigma) {
    const int n = program.n_recalibration;
    if (n == 0) return program.recalibration_scale;
    const double* calibrated = sigma + n;
    if (!(relative_sigma > sigma[0])) return calibrated[0] / sigma[0];
    if (relative_sigma >= sigma[n - 1]) return calibrated[n - 1] / sigma[n - 1];
    int below = 0, above = n - 1;
    while (above - below > 1) {
        const int middle = (below + above) / 2;
        (sigma[middle] > relative_sigma ? above : below) = middle;
    }
    const double fraction = std::log(relative_sigma / sigma[below]) / std::log(sigma[above] / sigma[below]);
    return calibrated[below] * std::pow(calibrated[above] / calibrated[below], fraction) / relative_sigma;
}

PYAMP_DEVICE_BODY bool is_finite(double x) { return std::fabs(x) <= 1.7976931348623157e308; }

PYAMP_DEVICE_CALL void write_result(const PointProgram& program, const PointMemory& memory, const Arrays& arrays,
                                    int members, int p, std::size_t k) {
    const double amplitude = memory.mean[p];
    double sigma_syst = std::sqrt(memory.variance[p] / members);
    double sigma_stat = std::sqrt((memory.spread[p] + memory.statistical[p]) / members);
    const double relative_sigma = std::hypot(sigma_syst, sigma_stat) / std::fabs(amplitude);
    const double factor = recalibration_factor(program, arrays.recalibration, relative_sigma);
    sigma_syst *= factor;
    sigma_stat *= factor;
    std::int32_t flags = memory.flags[p];
    if (flags == 0 && !(is_finite(amplitude) && is_finite(sigma_syst) && is_finite(sigma_stat))) flags = flag_failed;
    double coupling = arrays.coupling_factor;
    if (arrays.alpha_s) {
        const double alpha_s = arrays.alpha_s[k];
        coupling *= std::pow(alpha_s, arrays.alpha_s_power);
        if (!(alpha_s > 0.0 && is_finite(alpha_s))) flags |= flag_failed;
    }
    const double sound = flags == 0 ? coupling : std::nan("");
    if (arrays.amplitude) arrays.amplitude[k] = amplitude * sound;
    if (arrays.sigma_syst) arrays.sigma_syst[k] = sigma_syst * sound;
    if (arrays.sigma_stat) arrays.sigma_stat[k] = sigma_stat * sound;
    if (arrays.flags) arrays.flags[k] = flags;
}

}  // namespace pyamp::cuda
