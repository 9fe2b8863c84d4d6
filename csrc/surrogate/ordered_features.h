// Features of ordered legs, of one point or of as many as lanes: T is double or a register.
#pragma once

#include "surrogate/multiparticle.h"
#include "surrogate/ordered_legs.h"

namespace pyamp::PYAMP_ISA {

/// (value * scale + shift) of feature k
template <typename T>
[[gnu::always_inline]] inline T standardised(const FrontPlan& plan, const T& value, int k) {
    return value * plan.scale[k] + plan.shift[k];
}

/// ln of the shape of a resonance, whose features begin at `feature`.
template <typename T, typename Ordered>
[[gnu::always_inline]] inline T add_resonance(const FrontPlan& plan, const FrontPlan::Resonance& resonance,
                                              const Ordered& ordered, T* features, int feature) {
    using namespace simd::PYAMP_ISA;
    T s{};
    for (int k = 1; k < resonance.n_legs; ++k)
        for (int m = 0; m < k; ++m) s += ordered.abs_s(resonance.legs[m], resonance.legs[k]);
    const T off_shell = s - resonance.mass2;
    const T phase = for_each_number(off_shell / resonance.unit, [](double x) { return __builtin_atan(x); });
    const T below = off_shell * off_shell + resonance.unit * resonance.unit;
    const T log_shape = for_each_number(s * s / below, [](double x) { return __builtin_log1p(x); });
    features[feature] = standardised(plan, phase, feature);
    features[feature + 1] = standardised(plan, log_shape, feature + 1);
    return log_shape;
}

template <typename T>
[[gnu::always_inline]] inline T final_splitting(Dipole::Splitting splitting, const T& z, const T& soft_j,
                                                const T& soft_i) {
    switch (splitting) {
        case Dipole::Splitting::quark_gluon:
            return 2.0 * soft_j - (1.0 + z);
        case Dipole::Splitting::gluon_gluon:
            return 2.0 * (soft_j + soft_i - 2.0 + z * (1.0 - z));
        default:
            return 1.0 - 2.0 * z * (1.0 - z);
    }
}

template <typename T>
[[gnu::always_inline]] inline T initial_splitting(Dipole::Splitting splitting, const T& x, const T& soft_j) {
    switch (splitting) {
        case Dipole::Splitting::quark_gluon:
            return 2.0 * soft_j - (1.0 + x);
        case Dipole::Splitting::gluon_gluon:
            return 2.0 * (soft_j - 1.0 + x * (1.0 - x) + (1.0 - x) / x);
        case Dipole::Splitting::gluon_quark:
            return 1.0 - 2.0 * x * (1.0 - x);
        default:
            return x + 2.0 * (1.0 - x) / x;
    }
}

/// Its three features before they are standardised.
template <typename T, typename Ordered>
[[gnu::always_inline]] inline void dipole_features(const Dipole& dipole, const Ordered& ordered, const T& s01,
                                                   T (&features)[Dipole::n_features]) {
    using namespace simd::PYAMP_ISA;
    const T s_ij = ordered.abs_s(dipole.i, dipole.j), s_ik = ordered.abs_s(dipole.i, dipole.k),
            s_jk = ordered.abs_s(dipole.j, dipole.k);
    T total, first, second;
    switch (dipole.configuration) {
        case Dipole::Configuration::final_final:
            total = s_ij + s_ik + s_jk;
            first = s_ij / total;
            second = s_ik / (s_ik + s_jk);
            break;
        case Dipole::Configuration::final_initial:
            total = s_ik + s_jk;
            first = (total - s_ij) / total;
            second = s_ik / total;
            break;
        case Dipole::Configuration::initial_final:
            total = s_ij + s_ik;
            first = (total - s_jk) / total;
            second = s_ij / total;
            break;
        default:
            total = s_ik;
            first = (total - s_ij - s_jk) / total;
            second = s_ij / total;
    }
    const T soft_j = total / (s_ij + s_jk);
    const T x = first < Dipole::least_x ? T{} + Dipole::least_x : first;
    T value = s01 / s_ij;
    if (dipole.is_initial())
        value *= initial_splitting<T>(dipole.splitting, x, soft_j) / x;
    else
        value *= final_splitting<T>(dipole.splitting, second, soft_j, total / (s_ij + s_ik));
    if (dipole.configuration == Dipole::Configuration::final_initial) value /= x;
    features[0] = for_each_number(value, [](double y) { return __builtin_asinh(y); });
    features[1] = first;
    features[2] = second;
}

/// ln(|s_I| / s_01) of all sets, as features from `feature` on.
template <typename T, typename Ordered>
[[gnu::always_inline]] inline void multiparticle_features(const FrontPlan& plan, const Ordered& ordered, const T& s01,
                                                          const T& log_s01, T* features, int feature) {
    alignas(64) T logs[FrontPlan::max_sets];
    for (int i = 0; i < plan.n_sets; ++i) {
        const auto& set = plan.sets[i];
        T sum{};
        for (int k = set.begin; k < set.minus; ++k) sum += ordered.abs_s(plan.pairs_of_sets[k]);
        for (int k = set.minus; k < set.end; ++k) sum -= ordered.abs_s(plan.pairs_of_sets[k]);
        logs[i] = simd::PYAMP_ISA::at_least(simd::PYAMP_ISA::absolute_value(sum), multiparticle::least * s01);
    }
    simd::PYAMP_ISA::natural_logs(logs, plan.n_sets);
    for (int i = 0; i < plan.n_sets; ++i)
        features[feature + i] = standardised<T>(plan, logs[i] - log_s01, feature + i);
}

/// ln of the sum over all orders: that of the orders of a set of gluons that end with g is made of those of the set
/// without g.
template <typename T>
[[gnu::always_inline]] inline T log_antenna(const FrontPlan& plan, const T* abs_s) {
    T link[FrontPlan::max_pairs];
    for (int p = 0; p < plan.n_pairs; ++p) link[p] = abs_s[plan.partonic] / abs_s[p];
    const auto& antenna = plan.antenna;
    const auto of = [&](int i, int j) __attribute__((always_inline)) { return link[plan.pair_of[i][j]]; };
    T sums[1 << FrontPlan::max_inner][FrontPlan::max_inner];
    const int all = (1 << antenna.n_inner) - 1;
    for (int set = 1; set <= all; ++set)
        for (int g = 0; g < antenna.n_inner; ++g) {
            const int rest = set ^ 1 << g;
            if (rest > set) continue;
            T sum{};
            if (rest == 0) sum = of(antenna.first, antenna.inner[g]);
            for (int h = 0; h < antenna.n_inner; ++h)
                if (rest >> h & 1) sum += sums[rest][h] * of(antenna.inner[h], antenna.inner[g]);
            sums[set][g] = sum;
        }
    T total{};
    for (int g = 0; g < antenna.n_inner; ++g) total += sums[all][g] * of(antenna.inner[g], antenna.last);
    return simd::PYAMP_ISA::natural_log(total);
}

/// @param ordered the legs of `pairs` in order: OrderedPoint or OrderedPoints
/// @returns ln of what else is in the factor: the shapes of all resonances, the antenna
template <typename T, typename Ordered>
[[gnu::always_inline]] inline T ordered_features(const FrontPlan& plan, const Pairs<T>& pairs, const Ordered& ordered,
                                                 T* features) {
    const T s01 = pairs.abs_s[plan.partonic], log_s01 = pairs.log_s[plan.partonic];
    const int n = plan.n_pairs - 1;
    for (int k = 0; k < n; ++k) features[k] = standardised<T>(plan, ordered.log_s(k) - log_s01, k);
    int end = n;
    if (plan.has_linear) {
        const T per_s01 = 1.0 / s01;
        for (int k = 0; k < n; ++k, ++end) features[end] = standardised<T>(plan, ordered.abs_s(k) * per_s01, end);
    }
    if (plan.has_energy) {
        features[end] = standardised(plan, log_s01, end);
        ++end;
    }
    if (plan.n_sets > 0) multiparticle_features(plan, ordered, s01, log_s01, features, end);
    end += plan.n_sets;
    T log_shape{};
    if (plan.antenna.n_inner > 0) log_shape = log_antenna(plan, pairs.abs_s);
    for (int r = 0; r < plan.n_resonances; ++r, end += 2)
        log_shape += add_resonance(plan, plan.resonances[r], ordered, features, end);
    for (int d = 0; d < plan.n_dipoles; ++d) {
        T raw[Dipole::n_features];
        dipole_features(plan.dipoles[d], ordered, s01, raw);
        for (int part = 0; part < Dipole::n_features; ++part) {
            const int feature = end + part * plan.n_dipoles + d;
            features[feature] = standardised(plan, raw[part], feature);
        }
    }
    return log_shape;
}

}  // namespace pyamp::PYAMP_ISA
