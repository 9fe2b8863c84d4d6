// Invariant masses of three and more legs.
//
// Momentum conservation gives a set of legs and its complement the same invariant. Of the two, one is taken that has
// no incoming leg, in whose invariant nothing cancels; else the smaller one; of equal ones that with leg 0.
#pragma once

#include <algorithm>
#include <bit>
#include <vector>

namespace pyamp::multiparticle {

constexpr double least = 1e-12;  ///< what a sum that cancels is not below, in units of s_01

/// By size, and in lexical order of the legs.
inline std::vector<std::vector<int>> sets(int n_legs, int n_incoming) {
    std::vector<std::vector<int>> result;
    for (unsigned mask = 1; mask < 1u << n_legs; ++mask) {
        const int size = std::popcount(mask);
        if (size < 3 || size > n_legs - 3) continue;
        const int incoming = std::popcount(mask & ((1u << n_incoming) - 1));
        const bool smaller = 2 * size < n_legs || (2 * size == n_legs && mask % 2 == 1);
        if (incoming > 1 || (incoming == 1 && !smaller)) continue;
        auto& legs = result.emplace_back();
        for (int leg = 0; leg < n_legs; ++leg)
            if (mask >> leg & 1) legs.push_back(leg);
    }
    std::sort(result.begin(), result.end(),
              [](const auto& a, const auto& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; });
    return result;
}

}  // namespace pyamp::multiparticle
