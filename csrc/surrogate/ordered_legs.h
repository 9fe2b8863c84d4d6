// Legs put in order: in each group the largest key first, the sum of |s_iw| over the reference legs w. Of one point a
// table says which leg holds which slot; of as many points as lanes the invariants themselves change places.
#pragma once

#include "simd/number_or_register.h"
#include "surrogate/front_plan.h"

namespace pyamp::PYAMP_ISA {

/// Of the pairs of the plan; what lies beyond them and their logarithms is not defined. T is double or a register.
template <typename T>
struct Pairs {
    alignas(64) T abs_s[FrontPlan::max_pairs];
    alignas(64) T log_s[FrontPlan::max_pairs];
};

template <typename T>
[[gnu::always_inline]] inline T key_of(const FrontPlan& plan, const T* abs_s, int leg, const int* reference,
                                       int n_reference) {
    T sum{};
    for (int w = 0; w < n_reference; ++w) sum += abs_s[plan.pair_of[leg][reference[w]]];
    return sum;
}

/// Each group is sorted by insertion, then the legs change places with their conjugates, without branches, which
/// nobody could predict.
template <typename T, typename Ordered>
[[gnu::always_inline]] inline void order(const FrontPlan& plan, const T* abs_s, Ordered& ordered) {
    for (int g = 0; g < plan.n_groups; ++g) {
        const auto& group = plan.groups[g];
        for (int m = 0; m < group.n_legs; ++m)
            ordered.set_key(group.legs[m], key_of(plan, abs_s, group.legs[m], group.reference, group.n_reference));
        for (int k = 1; k < group.n_legs; ++k)
            for (int m = k; m > 0; --m) ordered.put_larger_first(group.legs[m - 1], group.legs[m]);
    }
    const auto& c = plan.conjugation;
    if (c.n_pairs == 0) return;
    const auto is_exchanged = key_of(plan, abs_s, c.conjugates[0], c.reference, c.n_reference) >
                              key_of(plan, abs_s, c.legs[0], c.reference, c.n_reference);
    for (int k = 0; k < c.n_pairs; ++k) ordered.exchange_if(is_exchanged, c.legs[k], c.conjugates[k]);
}

/// Invariants of the ordered legs of one point. The first pairs of the plan, all but (0,1), are those of features.
class OrderedPoint {
 public:
    [[gnu::always_inline]] OrderedPoint(const FrontPlan& plan, const Pairs<double>& pairs)
        : plan_(plan), pairs_(pairs) {
        for (int i = 0; i < FrontPlan::max_legs; ++i) slots_[i] = i;
        order(plan, pairs.abs_s, *this);
        for (int k = 0; k < plan.n_pairs - 1; ++k)
            pair_of_feature_[k] = plan.pair_of[slots_[plan.first[k]]][slots_[plan.second[k]]];
    }

    [[gnu::always_inline]] void set_key(int leg, double key) { key_[leg] = key; }
    [[gnu::always_inline]] void put_larger_first(int i, int j) {
        exchange_if(key_[slots_[j]] > key_[slots_[i]], i, j);
    }
    [[gnu::always_inline]] void exchange_if(bool condition, int i, int j) {
        const int exchanged = -static_cast<int>(condition) & (slots_[i] ^ slots_[j]);
        slots_[i] ^= exchanged;
        slots_[j] ^= exchanged;
    }

    [[gnu::always_inline]] double abs_s(int feature) const { return pairs_.abs_s[pair_of_feature_[feature]]; }
    [[gnu::always_inline]] double log_s(int feature) const { return pairs_.log_s[pair_of_feature_[feature]]; }
    [[gnu::always_inline]] double abs_s(int i, int j) const {
        return pairs_.abs_s[plan_.pair_of[slots_[i]][slots_[j]]];
    }

 private:
    const FrontPlan& plan_;
    const Pairs<double>& pairs_;
    double key_[FrontPlan::max_legs];  ///< of legs
    int slots_[FrontPlan::max_legs];
    int pair_of_feature_[FrontPlan::max_pairs];
};

/// The same of as many points as lanes.
class OrderedPoints {
 public:
    using Real = simd::PYAMP_ISA::Vec<double>;
    using Mask = simd::PYAMP_ISA::Mask;

    [[gnu::always_inline]] OrderedPoints(const FrontPlan& plan, const Pairs<Real>& pairs) : plan_(plan) {
        for (int k = 0; k < plan.n_pairs; ++k) {
            pairs_.abs_s[k] = pairs.abs_s[k];
            pairs_.log_s[k] = pairs.log_s[k];
        }
        order(plan, pairs.abs_s, *this);
    }

    [[gnu::always_inline]] void set_key(int leg, const Real& key) { key_[leg] = key; }
    [[gnu::always_inline]] void put_larger_first(int i, int j) {
        const Mask is_larger = key_[j] > key_[i];
        exchange_if(is_larger, key_[i], key_[j]);
        exchange_if(is_larger, i, j);
    }
    [[gnu::always_inline]] void exchange_if(const Mask& condition, int i, int j) {
        for (int leg = 0; leg < plan_.n_legs; ++leg) {
            if (leg == i || leg == j) continue;
            const int of_i = plan_.pair_of[leg][i], of_j = plan_.pair_of[leg][j];
            exchange_if(condition, pairs_.abs_s[of_i], pairs_.abs_s[of_j]);
            exchange_if(condition, pairs_.log_s[of_i], pairs_.log_s[of_j]);
        }
    }

    [[gnu::always_inline]] const Real& abs_s(int feature) const { return pairs_.abs_s[feature]; }
    [[gnu::always_inline]] const Real& log_s(int feature) const { return pairs_.log_s[feature]; }
    [[gnu::always_inline]] const Real& abs_s(int i, int j) const { return pairs_.abs_s[plan_.pair_of[i][j]]; }

 private:
    [[gnu::always_inline]] static void exchange_if(const Mask& condition, Real& a, Real& b) {
        const Real first = a, second = b;
        a = condition ? second : first;
        b = condition ? first : second;
    }

    const FrontPlan& plan_;
    Pairs<Real> pairs_;
    Real key_[FrontPlan::max_legs];  ///< of slots
};

}  // namespace pyamp::PYAMP_ISA
