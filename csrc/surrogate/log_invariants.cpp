// Representation "log_invariants" on the CPU.
#include "surrogate/log_invariants.h"

namespace pyamp {
namespace {

using Legs = std::array<int, max_legs>;

/// Slot k of the ordered point holds leg slots[k].
Legs order_legs(const std::vector<LogInvariants::Group>& ordering, const PairInvariants& invariants) {
    Legs slots;
    for (int i = 0; i < max_legs; ++i) slots[i] = i;
    std::array<double, max_legs> key;
    for (const auto& group : ordering) {
        for (const int leg : group.legs) {
            key[leg] = 0.0;
            for (const int w : group.reference) key[leg] += invariants.abs_s[invariants.pair(leg, w)];
        }
        // Insertion sort, the largest key first: groups have two or three legs.
        for (std::size_t k = 1; k < group.legs.size(); ++k)
            for (std::size_t m = k; m > 0 && key[slots[group.legs[m]]] > key[slots[group.legs[m - 1]]]; --m)
                std::swap(slots[group.legs[m]], slots[group.legs[m - 1]]);
    }
    return slots;
}

}  // namespace

void LogInvariants::evaluate(const double* momenta, std::size_t n, double* features, double* log_factor) const {
    for (std::size_t k = 0; k < n; ++k) {
        const PairInvariants invariants(momenta + k * static_cast<std::size_t>(4 * n_legs), n_legs, n_incoming);
        const auto& abs_s = invariants.abs_s;
        const auto& log_s = invariants.log_s;
        const Legs slots = order_legs(ordering, invariants);
        int feature = 0;
        const auto append = [&](double value) {
            *features++ = (value - mean[feature]) / std[feature];
            ++feature;
        };
        const auto for_each_pair = [&](const auto& value_of) {
            for (int i = 0; i < n_legs; ++i)
                for (int j = i == 0 ? 2 : i + 1; j < n_legs; ++j)
                    append(value_of(invariants.pair(slots[i], slots[j])));
        };
        for_each_pair([&](int pair) { return log_s[pair] - log_s[0]; });
        if (linear) for_each_pair([&](int pair) { return abs_s[pair] / abs_s[0]; });
        if (energy) append(log_s[0]);
        log_factor[k] = factor.log(invariants);
    }
}

}  // namespace pyamp
