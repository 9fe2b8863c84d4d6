// Momenta to checks and features, point by point with legs and pairs in the lanes, or as many points at once as there
// are lanes: the same operations, so the same bits. Compiled once for each instruction set, see CMakeLists.txt.
#include "kinematics/leg_registers.h"
#include "kinematics/point_registers.h"
#include "simd/transpose.h"
#include "surrogate/ordered_features.h"

namespace pyamp::PYAMP_ISA {
namespace {

using namespace kinematics::PYAMP_ISA;
using simd::PYAMP_ISA::all;
using simd::PYAMP_ISA::quick_log;
using simd::PYAMP_ISA::square_root;
using Kind = FrontPlan::Kind;
constexpr int L = lanes<double>;

/// @returns whether all pairs are surely separated
[[gnu::always_inline]] inline bool evaluate_pairs(const FrontPlan& plan, const Legs& legs, Pairs<double>& pairs) {
    Mask separated = Mask{} == Mask{};
    for (int k = 0; k < plan.n_pairs; k += L) {
        const Directions p = directions(legs, plan.first + k), q = directions(legs, plan.second + k);
        const Real s = abs_invariant(p, q);
        separated &= surely_separated(p, q, s, load(plan.separation + k));
        store(pairs.abs_s + k, s);
        if (k < plan.n_logarithms) store(pairs.log_s + k, quick_log(s));
    }
    return all(separated);
}

/// The same where nothing else is asked of the pairs.
[[gnu::always_inline]] inline bool are_separated(const FrontPlan& plan, const Legs& legs) {
    Mask separated = Mask{} == Mask{};
    for (int k = 0; k < plan.n_pairs; k += L)
        separated &= surely_separated(directions(legs, plan.first + k), directions(legs, plan.second + k),
                                      load(plan.separation + k));
    return all(separated);
}

/// s_01 as abs_invariant() has it, from the momenta alone: the network waits for it. T is double or a register.
/// @param p, q components x, y, z
template <typename T>
[[gnu::always_inline]] inline T partonic_invariant(const T (&p)[3], const T (&q)[3]) {
    const T p2 = p[0] * p[0] + p[1] * p[1] + p[2] * p[2];
    const T q2 = q[0] * q[0] + q[1] * q[1] + q[2] * q[2];
    const T dot = p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
    const T norms = square_root(p2 * q2);
    const T of_opposite = 2.0 * (norms - dot);
    const auto is_opposite = dot <= 0.0;
    if (all(is_opposite)) [[likely]]
        return of_opposite;
    const T x = difference_of_products(p[1], q[2], p[2], q[1]);
    const T y = difference_of_products(p[2], q[0], p[0], q[2]);
    const T z = difference_of_products(p[0], q[1], p[1], q[0]);
    return is_opposite ? of_opposite : 2.0 * (x * x + y * y + z * z) / (norms + dot);
}

// Features leave in whole registers where the network may read them so: a load that finds its bytes in two stores
// waits for both to reach the cache.

/// V is a register, or a momentum.
template <typename V>
[[gnu::always_inline]] inline V momentum_feature(const V& p, const V& scale, const V& per_energy, const V& shift) {
    if constexpr (sizeof(V) == 64)
        return fma(p * scale, per_energy, shift);
    else
        return p * scale * per_energy + shift;
}

[[gnu::always_inline]] inline void momenta_features(const FrontPlan& plan, double per_energy, const Legs& legs,
                                                    double* features) {
#if PYAMP_SIMD_BYTES == 64
#pragma GCC unroll 4
    for (int i = 0; i < max_legs; i += 2) {
        if (i >= plan.n_legs) break;
        const Real p = __builtin_shufflevector(legs.p[i], legs.p[i + 1], 0, 1, 2, 3, 4, 5, 6, 7);
        store(features + 4 * i,
              momentum_feature(p, load(plan.scale + 4 * i), broadcast(per_energy), load(plan.shift + 4 * i)));
    }
#else
    for (int i = 0; i < plan.n_legs; ++i) {
        const Four scale = *reinterpret_cast<const UnalignedFour*>(plan.scale + 4 * i);
        const Four shift = *reinterpret_cast<const UnalignedFour*>(plan.shift + 4 * i);
        *reinterpret_cast<UnalignedFour*>(features + 4 * i) =
            momentum_feature(legs.p[i], scale, per_energy - Four{}, shift);
    }
#endif
}

[[gnu::always_inline]] inline void log_features(const FrontPlan& plan, const Pairs<double>& pairs, double* features) {
    const Real log_s01 = broadcast(pairs.log_s[plan.partonic]);
    for (int i = 0; i < plan.n_features; i += L)
        store(features + i, fma(load(pairs.log_s + i) - log_s01, load(plan.scale + i), load(plan.shift + i)));
}

/// One point, (n_legs, 4). @returns whether it is surely sound and in the domain
template <Kind kind>
[[gnu::noinline]] bool evaluate_point(const FrontPlan& plan, const double* momenta, double* features,
                                      double* log_factor) {
    // First, as all roots and divisions queue for one unit of the processor.
    double s01 = 0.0, per_energy = 0.0;
    if constexpr (kind == Kind::momenta) {
        const double *const p = momenta, *const q = momenta + 4;
        s01 = partonic_invariant({p[1], p[2], p[3]}, {q[1], q[2], q[3]});
        per_energy = 1.0 / square_root(s01);
    }
    const Legs legs(momenta, plan.leg_offset);
    Pairs<double> pairs;
    if constexpr (kind == Kind::momenta) {
        momenta_features(plan, per_energy, legs, features);
        store(pairs.log_s, quick_log(broadcast(s01)));
    }
    const bool separated = plan.n_logarithms == 0 ? are_separated(plan, legs) : evaluate_pairs(plan, legs, pairs);
    if constexpr (kind == Kind::log_invariants) log_features(plan, pairs, features);
    double sum = 0.0;
    if constexpr (kind == Kind::ordered_invariants)
        sum = ordered_features(plan, pairs, OrderedPoint(plan, pairs), features);
    for (int t = 0; t < plan.n_terms; ++t) sum += plan.term_power[t] * pairs.log_s[plan.term_pair[t]];
    *log_factor = sum;
    return separated & surely_sound(plan.bounds, legs);
}

/// columns[i] of L points to column i of rows (L, n). What follows them is overwritten, up to L - 1 numbers.
[[gnu::always_inline]] inline void write_rows(const Real* columns, int n, double* rows) {
    // From the last columns on: what is written beyond a row is the next one's begin, which comes later.
    for (int first = (n - 1) / L * L; first >= 0; first -= L) {
        Real square[L];
#pragma GCC unroll 8
        for (int i = 0; i < L; ++i) square[i] = columns[first + i < n ? first + i : n - 1];
        simd::PYAMP_ISA::transpose(square);
#pragma GCC unroll 8
        for (int l = 0; l < L; ++l) store(rows + l * n + first, square[l]);
    }
}

/// L points; apart, since it needs much memory. @returns whether all are surely sound and in the domain
template <Kind kind>
[[gnu::noinline]] bool evaluate_points(const FrontPlan& plan, const double* momenta, const MomentaLayout& layout,
                                       double* features, double* log_factor, std::int32_t* undecided) {
    const Points points(momenta, layout, plan.n_legs);
    Mask sound = surely_sound(plan.bounds, points);
    Real columns[FrontPlan::max_features];
    Pairs<Real> pairs;
    if constexpr (kind == Kind::momenta) {
        const Directions &a = points.legs[0], &b = points.legs[1];
        const Real s01 = partonic_invariant({a.x, a.y, a.z}, {b.x, b.y, b.z});
        const Real per_energy = 1.0 / square_root(s01);
        for (int leg = 0, i = 0; leg < plan.n_legs; ++leg) {
            const Directions& p = points.legs[leg];
            for (const Real* const component : {&points.e[leg], &p.x, &p.y, &p.z}) {
                columns[i] =
                    momentum_feature(*component, broadcast(plan.scale[i]), per_energy, broadcast(plan.shift[i]));
                ++i;
            }
        }
        pairs.log_s[0] = quick_log(s01);
    }
    for (int k = 0; k < plan.n_pairs; ++k) {
        const Directions &p = points.legs[plan.first[k]], &q = points.legs[plan.second[k]];
        const Real separation = broadcast(plan.separation[k]);
        if (plan.n_logarithms == 0) {
            sound &= surely_separated(p, q, separation);
            continue;
        }
        pairs.abs_s[k] = abs_invariant(p, q);
        sound &= surely_separated(p, q, pairs.abs_s[k], separation);
        if (k < plan.n_logarithms) pairs.log_s[k] = quick_log(pairs.abs_s[k]);
    }
    if constexpr (kind == Kind::log_invariants)
        for (int i = 0; i < plan.n_features; ++i)
            columns[i] =
                fma(pairs.log_s[i] - pairs.log_s[plan.partonic], broadcast(plan.scale[i]), broadcast(plan.shift[i]));
    Real sum{};
    if constexpr (kind == Kind::ordered_invariants)
        sum = ordered_features(plan, pairs, OrderedPoints(plan, pairs), columns);
    write_rows(columns, plan.n_features, features);
    for (int t = 0; t < plan.n_terms; ++t) sum += plan.term_power[t] * pairs.log_s[plan.term_pair[t]];
    store(log_factor, sum);
    for (int l = 0; l < L; ++l) undecided[l] = sound[l] == 0;
    return all(sound);
}

/// The first point, (n_legs, 4); a copy where it does not lie so, each momentum in one store, which a wide load soon
/// after finds whole.
[[gnu::always_inline]] inline const double* row_of(const double* momenta, const MomentaLayout& layout, int n_legs,
                                                   Four* copy) {
    if (layout.is_rows()) return momenta;
    for (int leg = 0; leg < n_legs; ++leg) {
        const double* const from = momenta + leg * layout.leg;
        copy[leg] = Four{from[0], from[layout.component], from[2 * layout.component], from[3 * layout.component]};
    }
    return reinterpret_cast<const double*>(copy);
}

template <Kind kind>
bool evaluate(const FrontPlan& plan, const double* momenta, const MomentaLayout& layout, std::size_t n,
              double* features, double* log_factor, std::int32_t* undecided) {
    const auto n_features = static_cast<std::size_t>(plan.n_features);
    bool all_sound = true;
    std::size_t k = 0;
    for (; k + L <= n; k += L)
        all_sound &= evaluate_points<kind>(plan, layout.at(momenta, k), layout, features + k * n_features,
                                           log_factor + k, undecided + k);
    Four copy[max_legs];
    for (; k < n; ++k) {
        const double* const point = row_of(layout.at(momenta, k), layout, plan.n_legs, copy);
        const bool sound = evaluate_point<kind>(plan, point, features + k * n_features, log_factor + k);
        undecided[k] = !sound;
        all_sound &= sound;
    }
    return !all_sound;
}

}  // namespace

FrontKernel front_kernel(FrontPlan::Kind kind) {
    switch (kind) {
        case Kind::momenta:
            return evaluate<Kind::momenta>;
        case Kind::log_invariants:
            return evaluate<Kind::log_invariants>;
        default:
            return evaluate<Kind::ordered_invariants>;
    }
}

}  // namespace pyamp::PYAMP_ISA
