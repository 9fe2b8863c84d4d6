// Representation "log_invariants" on the CPU.
#include "surrogate/log_invariants.h"

#include <array>
#include <cmath>

#include "kinematics/invariants_kernel.h"

namespace pyamp {
namespace {

using Legs = std::array<int, LogInvariants::max_legs>;

int pair_of(int i, int j, int n_legs) {
    return i < j ? kinematics::pair_index(i, j, n_legs) : kinematics::pair_index(j, i, n_legs);
}

/// Slot k of the ordered point holds leg slots[k].
Legs order_legs(const LogInvariants& representation, const double* abs_s) {
    Legs slots;
    for (int i = 0; i < LogInvariants::max_legs; ++i) slots[i] = i;
    std::array<double, LogInvariants::max_legs> key;
    for (const auto& group : representation.ordering) {
        for (const int leg : group.legs) {
            key[leg] = 0.0;
            for (const int w : group.reference) key[leg] += abs_s[pair_of(leg, w, representation.n_legs)];
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
    const kinematics::MomentaView view{momenta, 4 * n_legs, 4, 1, n, n_legs, n_incoming};
    std::array<double, max_pairs> abs_s, log_s;
    const int n_pairs = kinematics::pair_count(n_legs);
    for (std::size_t k = 0; k < n; ++k) {
        kinematics::point_invariants(view, k, abs_s.data());
        for (int pair = 0; pair < n_pairs; ++pair) {
            abs_s[pair] = std::fabs(abs_s[pair]);
            log_s[pair] = std::log(abs_s[pair]);
        }
        const Legs slots = order_legs(*this, abs_s.data());
        int feature = 0;
        for (int i = 0; i < n_legs; ++i)
            for (int j = i == 0 ? 2 : i + 1; j < n_legs; ++j, ++feature)
                *features++ = (log_s[pair_of(slots[i], slots[j], n_legs)] - log_s[0] - mean[feature]) / std[feature];
        double log_of_factor = 0.0;
        for (const auto& [i, j, power] : factor) log_of_factor += power * log_s[pair_of(i, j, n_legs)];
        log_factor[k] = log_of_factor;
    }
}

}  // namespace pyamp
