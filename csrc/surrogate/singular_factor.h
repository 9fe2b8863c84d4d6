// |s_ij| of one point and the known singular factor prod |s_ij|^power: what all representations share.
//
// The factor carries the whole mass dimension of the amplitude, so that the network predicts a dimensionless number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "kinematics/abs_invariants.h"
#include "kinematics/invariants.h"
#include "simd/array_math.h"

namespace pyamp {

constexpr int max_legs = 8;
constexpr int max_pairs = kinematics::pair_count(max_legs);

/// |s_ij| and their logarithms of one point, (pairs).
struct PairInvariants {
    int n_legs;
    const double *abs_s, *log_s;

    int pair(int i, int j) const {
        return i < j ? kinematics::pair_index(i, j, n_legs) : kinematics::pair_index(j, i, n_legs);
    }
};

struct SingularFactor {
    struct Term {
        int i, j;
        double power;
    };
    std::vector<Term> terms;

    double log(const PairInvariants& invariants) const {
        double result = 0.0;
        for (const auto& [i, j, power] : terms) result += power * invariants.log_s[invariants.pair(i, j)];
        return result;
    }
};

/// Calls f(k, invariants) for each of n points, momenta (n, n_legs, 4) contiguous. Allocates nothing.
template <typename F>
void for_each_point(const double* momenta, std::size_t n, int n_legs, const F& f) {
    constexpr std::size_t block = 16;
    double abs_s[block * max_pairs], log_s[block * max_pairs];
    const auto row = static_cast<std::size_t>(4 * n_legs);
    const auto pairs = static_cast<std::size_t>(kinematics::pair_count(n_legs));
    for (std::size_t first = 0; first < n; first += block) {
        const std::size_t count = std::min(block, n - first);
        kinematics::abs_invariants(momenta + first * row, count, n_legs, abs_s);
        std::copy_n(abs_s, count * pairs, log_s);
        simd::array_math().log(log_s, count * pairs);
        for (std::size_t k = 0; k < count; ++k)
            f(first + k, PairInvariants{n_legs, abs_s + k * pairs, log_s + k * pairs});
    }
}

}  // namespace pyamp
