// Representation "log_invariants" on the CPU.
#include "surrogate/log_invariants.h"

#include <array>

namespace pyamp {
namespace {

using Legs = std::array<int, max_legs>;

/// Position of every pair of legs, in either order.
using PairTable = std::array<std::array<int, max_legs>, max_legs>;

/// Of processes with up to max_legs legs.
constexpr auto pair_tables = [] {
    std::array<PairTable, max_legs + 1> tables{};
    for (int n_legs = 0; n_legs <= max_legs; ++n_legs)
        for (int i = 0; i < n_legs; ++i)
            for (int j = i + 1; j < n_legs; ++j)
                tables[n_legs][i][j] = tables[n_legs][j][i] = kinematics::pair_index(i, j, n_legs);
    return tables;
}();

/// Slot k of the ordered point holds leg slots[k].
Legs order_legs(const std::vector<LogInvariants::Group>& ordering, const PairTable& pairs, const double* abs_s) {
    Legs slots;
    for (int i = 0; i < max_legs; ++i) slots[i] = i;
    std::array<double, max_legs> key;
    for (const auto& group : ordering) {
        for (const int leg : group.legs) {
            key[leg] = 0.0;
            for (const int w : group.reference) key[leg] += abs_s[pairs[leg][w]];
        }
        // Insertion sort, the largest key first: groups have two or three legs.
        for (std::size_t k = 1; k < group.legs.size(); ++k)
            for (std::size_t m = k; m > 0 && key[slots[group.legs[m]]] > key[slots[group.legs[m - 1]]]; --m)
                std::swap(slots[group.legs[m]], slots[group.legs[m - 1]]);
    }
    return slots;
}

void standardise(double* __restrict row, int n, const double* __restrict mean, const double* __restrict std) {
    for (int i = 0; i < n; ++i) row[i] = (row[i] - mean[i]) / std[i];
}

}  // namespace

void LogInvariants::evaluate(const double* momenta, std::size_t n, double* features, double* log_factor) const {
    const PairTable& pairs = pair_tables[static_cast<std::size_t>(n_legs)];
    const int size = n_features();
    for_each_point(momenta, n, n_legs, [&](std::size_t k, const PairInvariants& invariants) {
        const double* const abs_s = invariants.abs_s;
        const double* const log_s = invariants.log_s;
        const Legs slots = order_legs(ordering, pairs, abs_s);
        double* const row = features + k * static_cast<std::size_t>(size);
        double* end = row;
        const auto for_each_pair = [&](const auto& value_of) {
            for (int i = 0; i < n_legs; ++i)
                for (int j = i == 0 ? 2 : i + 1; j < n_legs; ++j) *end++ = value_of(pairs[slots[i]][slots[j]]);
        };
        for_each_pair([&](int pair) { return log_s[pair] - log_s[0]; });
        if (linear) for_each_pair([&](int pair) { return abs_s[pair] / abs_s[0]; });
        if (energy) *end++ = log_s[0];
        standardise(row, size, mean.data(), std.data());
        log_factor[k] = factor.log(invariants);
    });
}

}  // namespace pyamp
