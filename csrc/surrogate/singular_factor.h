// |s_ij| of one point and the known singular factor prod |s_ij|^power: what all representations share.
//
// The factor carries the whole mass dimension of the amplitude, so that the network predicts a dimensionless number.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "kinematics/invariants_kernel.h"

namespace pyamp {

constexpr int max_legs = 8;
constexpr int max_pairs = kinematics::pair_count(max_legs);

struct PairInvariants {
    int n_legs;
    std::array<double, max_pairs> abs_s, log_s;

    /// @param momenta (n_legs, 4) contiguous
    PairInvariants(const double* momenta, int legs, int n_incoming) : n_legs(legs) {
        kinematics::point_invariants({momenta, 4 * n_legs, 4, 1, 1, n_legs, n_incoming}, 0, abs_s.data());
        for (int pair = 0; pair < kinematics::pair_count(n_legs); ++pair) {
            abs_s[pair] = std::fabs(abs_s[pair]);
            log_s[pair] = std::log(abs_s[pair]);
        }
    }

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

}  // namespace pyamp
