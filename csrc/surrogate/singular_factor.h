// The known singular factor prod |s_ij|^power, which all representations share.
//
// It carries the whole mass dimension of the amplitude, so that the network predicts a dimensionless number.
#pragma once

#include <vector>

#include "kinematics/invariants.h"

namespace pyamp {

constexpr int max_legs = 8;
constexpr int max_pairs = kinematics::pair_count(max_legs);

struct SingularFactor {
    struct Term {
        int i, j;
        double power;
    };
    std::vector<Term> terms;
};

}  // namespace pyamp
