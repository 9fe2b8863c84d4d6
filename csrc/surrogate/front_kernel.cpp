// Momenta to checks and features, point by point with legs and pairs in the lanes; compiled once for each instruction
// set, see CMakeLists.txt.
#include "kinematics/leg_registers.h"
#include "simd/logarithm.h"
#include "surrogate/front_plan.h"
#include "surrogate/multiparticle.h"

namespace pyamp::PYAMP_ISA {
namespace {

using namespace kinematics::PYAMP_ISA;
constexpr int L = lanes<double>;

/// Of one point; what lies beyond the pairs and their logarithms is not defined.
struct Pairs {
    alignas(64) double abs_s[FrontPlan::max_pairs];
    alignas(64) double log_s[FrontPlan::max_pairs];
};

/// @returns whether all pairs are surely separated
[[gnu::always_inline]] inline bool evaluate_pairs(const FrontPlan& plan, const Legs& legs, Pairs& pairs) {
    Mask separated = Mask{} == Mask{};
    for (int p = 0; p < plan.n_pairs; p += L) {
        const Real s = abs_invariant(legs, plan.first + p, plan.second + p);
        const Real pt2 = of_legs(legs.pt2, plan.first + p) * of_legs(legs.pt2, plan.second + p);
        separated &= s * s >= load(plan.separation + p) * pt2;
        store(pairs.abs_s + p, s);
        if (p < plan.n_logarithms) store(pairs.log_s + p, simd::PYAMP_ISA::quick_log(s));
    }
    return all(separated);
}

/// The same where nothing else is asked of the pairs.
[[gnu::always_inline]] inline bool are_separated(const FrontPlan& plan, const Legs& legs) {
    Mask separated = Mask{} == Mask{};
    for (int p = 0; p < plan.n_pairs; p += L)
        separated &= surely_separated(legs, plan.first + p, plan.second + p, load(plan.separation + p));
    return all(separated);
}

// Features leave in whole registers where the network may read them so: a load that finds its bytes in two stores
// waits for both to reach the cache.

/// s_01 as abs_invariant() has it, from the momenta (leg, 4) alone: the network waits for it.
[[gnu::always_inline]] inline double partonic_invariant(const double* p, const double* q) {
    const double p2 = p[1] * p[1] + p[2] * p[2] + p[3] * p[3];
    const double q2 = q[1] * q[1] + q[2] * q[2] + q[3] * q[3];
    const double dot = p[1] * q[1] + p[2] * q[2] + p[3] * q[3];
    const double norms = __builtin_sqrt(p2 * q2);
    if (dot <= 0.0) [[likely]]
        return 2.0 * (norms - dot);
    const auto difference = [](double a, double b, double c, double d) __attribute__((always_inline)) {
        return __builtin_fma(a, b, -(c * d)) + __builtin_fma(-c, d, c * d);
    };
    const double x = difference(p[2], q[3], p[3], q[2]);
    const double y = difference(p[3], q[1], p[1], q[3]);
    const double z = difference(p[1], q[2], p[2], q[1]);
    return 2.0 * (x * x + y * y + z * z) / (norms + dot);
}

[[gnu::always_inline]] inline void momenta_features(const FrontPlan& plan, double per_energy, const Legs& legs,
                                                    double* features) {
#if PYAMP_SIMD_BYTES == 64
#pragma GCC unroll 4
    for (int i = 0; i < max_legs; i += 2) {
        if (i >= plan.n_legs) break;
        const Real p = __builtin_shufflevector(legs.p[i], legs.p[i + 1], 0, 1, 2, 3, 4, 5, 6, 7);
        const Real feature = fma(p * load(plan.scale + 4 * i), broadcast(per_energy), load(plan.shift + 4 * i));
        store(features + 4 * i, feature);
    }
#else
    for (int i = 0; i < plan.n_legs; ++i) {
        const auto scale = *reinterpret_cast<const UnalignedFour*>(plan.scale + 4 * i);
        const auto shift = *reinterpret_cast<const UnalignedFour*>(plan.shift + 4 * i);
        *reinterpret_cast<UnalignedFour*>(features + 4 * i) = legs.p[i] * scale * per_energy + shift;
    }
#endif
}

[[gnu::always_inline]] inline void log_features(const FrontPlan& plan, const Pairs& pairs, double* features) {
    const Real log_s01 = broadcast(pairs.log_s[plan.partonic]);
    for (int i = 0; i < plan.n_features; i += L)
        store(features + i, fma(load(pairs.log_s + i) - log_s01, load(plan.scale + i), load(plan.shift + i)));
}

[[gnu::always_inline]] inline double key_of(const FrontPlan& plan, const double* abs_s, int leg, const int* reference,
                                            int n_reference) {
    double sum = 0.0;
    for (int w = 0; w < n_reference; ++w) sum += abs_s[plan.pair_of[leg][reference[w]]];
    return sum;
}

[[gnu::always_inline]] inline void exchange_if(bool condition, int& a, int& b) {
    const int exchanged = -static_cast<int>(condition) & (a ^ b);
    a ^= exchanged;
    b ^= exchanged;
}

/// Slot k of the ordered point holds leg slots[k]: in each group the largest key first, the sum of |s_iw| over the
/// reference legs w. Without branches, which nobody could predict.
[[gnu::always_inline]] inline void order_legs(const FrontPlan& plan, const double* abs_s, int* slots) {
    for (int i = 0; i < max_legs; ++i) slots[i] = i;
    double key[max_legs];
    for (int g = 0; g < plan.n_groups; ++g) {
        const auto& group = plan.groups[g];
        for (int m = 0; m < group.n_legs; ++m)
            key[group.legs[m]] = key_of(plan, abs_s, group.legs[m], group.reference, group.n_reference);
        for (int k = 1; k < group.n_legs; ++k)
            for (int m = k; m > 0; --m) {
                int &a = slots[group.legs[m - 1]], &b = slots[group.legs[m]];
                exchange_if(key[b] > key[a], a, b);
            }
    }
    const auto& c = plan.conjugation;
    if (c.n_pairs == 0) return;
    const bool is_exchanged = key_of(plan, abs_s, c.conjugates[0], c.reference, c.n_reference) >
                              key_of(plan, abs_s, c.legs[0], c.reference, c.n_reference);
    for (int k = 0; k < c.n_pairs; ++k) exchange_if(is_exchanged, slots[c.legs[k]], slots[c.conjugates[k]]);
}

/// ln of the shape of a resonance, whose features begin at `feature`.
[[gnu::always_inline]] inline double add_resonance(const FrontPlan& plan, const FrontPlan::Resonance& resonance,
                                                   const int* slots, const double* abs_s, double* features,
                                                   int feature) {
    double s = 0.0;
    for (int k = 1; k < resonance.n_legs; ++k)
        for (int m = 0; m < k; ++m) s += abs_s[plan.pair_of[slots[resonance.legs[m]]][slots[resonance.legs[k]]]];
    const double off_shell = s - resonance.mass2;
    const double phase = __builtin_atan(off_shell / resonance.unit);
    const double below = off_shell * off_shell + resonance.unit * resonance.unit;
    const double log_shape = __builtin_log1p(s * s / below);
    features[feature] = phase * plan.scale[feature] + plan.shift[feature];
    features[feature + 1] = log_shape * plan.scale[feature + 1] + plan.shift[feature + 1];
    return log_shape;
}

[[gnu::always_inline]] inline double final_splitting(Dipole::Splitting splitting, double z, double soft_j,
                                                     double soft_i) {
    switch (splitting) {
        case Dipole::Splitting::quark_gluon:
            return 2.0 * soft_j - (1.0 + z);
        case Dipole::Splitting::gluon_gluon:
            return 2.0 * (soft_j + soft_i - 2.0 + z * (1.0 - z));
        default:
            return 1.0 - 2.0 * z * (1.0 - z);
    }
}

[[gnu::always_inline]] inline double initial_splitting(Dipole::Splitting splitting, double x, double soft_j) {
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
[[gnu::always_inline]] inline void dipole_features(const FrontPlan& plan, const Dipole& dipole, const int* slots,
                                                   const double* abs_s, double (&features)[Dipole::n_features]) {
    const int i = slots[dipole.i], j = slots[dipole.j], k = slots[dipole.k];
    const double s_ij = abs_s[plan.pair_of[i][j]], s_ik = abs_s[plan.pair_of[i][k]], s_jk = abs_s[plan.pair_of[j][k]];
    double total, first, second;
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
    const double soft_j = total / (s_ij + s_jk);
    const double x = first < Dipole::least_x ? Dipole::least_x : first;
    double value = abs_s[plan.partonic] / s_ij;
    if (dipole.is_initial())
        value *= initial_splitting(dipole.splitting, x, soft_j) / x;
    else
        value *= final_splitting(dipole.splitting, second, soft_j, total / (s_ij + s_ik));
    if (dipole.configuration == Dipole::Configuration::final_initial) value /= x;
    features[0] = __builtin_asinh(value);
    features[1] = first;
    features[2] = second;
}

/// ln(|s_I| / s_01) of all sets, from the |s_ij| of ordered legs, as features from `feature` on.
[[gnu::always_inline]] inline void multiparticle_features(const FrontPlan& plan, const double* ordered_s, double s01,
                                                          double log_s01, double* features, int feature) {
    alignas(64) double logs[FrontPlan::max_sets];
    for (int i = 0; i < plan.n_sets; ++i) {
        const auto& set = plan.sets[i];
        double sum = 0.0;
        for (int k = set.begin; k < set.minus; ++k) sum += ordered_s[plan.pairs_of_sets[k]];
        for (int k = set.minus; k < set.end; ++k) sum -= ordered_s[plan.pairs_of_sets[k]];
        const double size = __builtin_fabs(sum), least = multiparticle::least * s01;
        logs[i] = size > least ? size : least;
    }
    for (int i = plan.n_sets; i % L != 0; ++i) logs[i] = 1.0;
    for (int i = 0; i < plan.n_sets; i += L) store(logs + i, simd::PYAMP_ISA::quick_log(load(logs + i)));
    for (int i = 0; i < plan.n_sets; ++i)
        features[feature + i] = (logs[i] - log_s01) * plan.scale[feature + i] + plan.shift[feature + i];
}

/// ln of the sum over all orders: that of the orders of a set of gluons that end with g is made of those of the set
/// without g.
[[gnu::always_inline]] inline double log_antenna(const FrontPlan& plan, const double* abs_s) {
    alignas(64) double link[FrontPlan::max_pairs];
    const Real s01 = broadcast(abs_s[plan.partonic]);
    for (int p = 0; p < plan.n_pairs; p += L) store(link + p, s01 / load(abs_s + p));
    const auto& antenna = plan.antenna;
    const auto of = [&](int i, int j) __attribute__((always_inline)) { return link[plan.pair_of[i][j]]; };
    double sums[1 << FrontPlan::max_inner][FrontPlan::max_inner];
    const int all = (1 << antenna.n_inner) - 1;
    for (int set = 1; set <= all; ++set)
        for (int g = 0; g < antenna.n_inner; ++g) {
            const int rest = set ^ 1 << g;
            if (rest > set) continue;
            double sum = rest == 0 ? of(antenna.first, antenna.inner[g]) : 0.0;
            for (int h = 0; h < antenna.n_inner; ++h)
                if (rest >> h & 1) sum += sums[rest][h] * of(antenna.inner[h], antenna.inner[g]);
            sums[set][g] = sum;
        }
    double total = 0.0;
    for (int g = 0; g < antenna.n_inner; ++g) total += sums[all][g] * of(antenna.inner[g], antenna.last);
    return simd::PYAMP_ISA::quick_log(broadcast(total))[0];
}

/// @returns ln of what else is in the factor: the shapes of all resonances, the antenna
[[gnu::always_inline]] inline double ordered_features(const FrontPlan& plan, const Pairs& pairs, double* features) {
    int slots[max_legs];
    order_legs(plan, pairs.abs_s, slots);
    const double log_s01 = pairs.log_s[plan.partonic];
    const double per_s01 = 1.0 / pairs.abs_s[plan.partonic];
    int pair_of_feature[FrontPlan::max_pairs];
    const int n = plan.n_pairs - 1;
    for (int k = 0; k < n; ++k) pair_of_feature[k] = plan.pair_of[slots[plan.first[k]]][slots[plan.second[k]]];
    for (int k = 0; k < n; ++k)
        features[k] = (pairs.log_s[pair_of_feature[k]] - log_s01) * plan.scale[k] + plan.shift[k];
    int end = n;
    if (plan.has_linear)
        for (int k = 0; k < n; ++k, ++end)
            features[end] = pairs.abs_s[pair_of_feature[k]] * per_s01 * plan.scale[end] + plan.shift[end];
    if (plan.has_energy) {
        features[end] = log_s01 * plan.scale[end] + plan.shift[end];
        ++end;
    }
    if (plan.n_sets > 0) {
        double ordered_s[FrontPlan::max_pairs];
        for (int k = 0; k < n; ++k) ordered_s[k] = pairs.abs_s[pair_of_feature[k]];
        multiparticle_features(plan, ordered_s, pairs.abs_s[plan.partonic], log_s01, features, end);
        end += plan.n_sets;
    }
    double log_shape = plan.antenna.n_inner > 0 ? log_antenna(plan, pairs.abs_s) : 0.0;
    for (int r = 0; r < plan.n_resonances; ++r, end += 2)
        log_shape += add_resonance(plan, plan.resonances[r], slots, pairs.abs_s, features, end);
    for (int d = 0; d < plan.n_dipoles; ++d) {
        double raw[Dipole::n_features];
        dipole_features(plan, plan.dipoles[d], slots, pairs.abs_s, raw);
        for (int part = 0; part < Dipole::n_features; ++part) {
            const int feature = end + part * plan.n_dipoles + d;
            features[feature] = raw[part] * plan.scale[feature] + plan.shift[feature];
        }
    }
    return log_shape;
}

template <FrontPlan::Kind kind>
bool evaluate(const FrontPlan& plan, const double* momenta, std::size_t n, double* features, double* log_factor,
              std::int32_t* undecided) {
    std::int32_t any_undecided = 0;
    for (std::size_t k = 0; k < n; ++k) {
        const double* const point = momenta + k * static_cast<std::size_t>(4 * plan.n_legs);
        double* const row = features + k * static_cast<std::size_t>(plan.n_features);
        // First, as all roots and divisions queue for one unit of the processor.
        double s01 = 0.0, per_energy = 0.0;
        if constexpr (kind == FrontPlan::Kind::momenta) {
            s01 = partonic_invariant(point, point + 4);
            per_energy = 1.0 / __builtin_sqrt(s01);
        }
        const Legs legs(point, plan.leg_offset);
        Pairs pairs;
        if constexpr (kind == FrontPlan::Kind::momenta) {
            momenta_features(plan, per_energy, legs, row);
            store(pairs.log_s, simd::PYAMP_ISA::quick_log(broadcast(s01)));
        }
        const bool separated = plan.n_logarithms == 0 ? are_separated(plan, legs) : evaluate_pairs(plan, legs, pairs);
        if constexpr (kind == FrontPlan::Kind::log_invariants) log_features(plan, pairs, row);
        double sum = 0.0;
        if constexpr (kind == FrontPlan::Kind::ordered_invariants) sum = ordered_features(plan, pairs, row);
        for (int t = 0; t < plan.n_terms; ++t) sum += plan.term_power[t] * pairs.log_s[plan.term_pair[t]];
        log_factor[k] = sum;
        undecided[k] = !(separated & surely_sound(plan.bounds, legs));
        any_undecided |= undecided[k];
    }
    return any_undecided != 0;
}

}  // namespace

FrontKernel front_kernel(FrontPlan::Kind kind) {
    switch (kind) {
        case FrontPlan::Kind::momenta:
            return evaluate<FrontPlan::Kind::momenta>;
        case FrontPlan::Kind::log_invariants:
            return evaluate<FrontPlan::Kind::log_invariants>;
        default:
            return evaluate<FrontPlan::Kind::ordered_invariants>;
    }
}

}  // namespace pyamp::PYAMP_ISA
