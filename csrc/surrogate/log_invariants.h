// Representation "log_invariants": momenta to scale-free features that do not see the exchange of identical legs.
//
// Within each group of identical legs the legs are ordered by a key, the sum of |s_iw| over the reference legs w, the
// largest first; the features are ln(|s_ij| / s_01) of the ordered legs, so both the features and the surrogate are
// exactly symmetric. The known singular factor prod |s_ij|^power carries the whole mass dimension of the amplitude,
// so the network predicts a dimensionless number and scales exactly with the energy.
#pragma once

#include <cstddef>
#include <vector>

#include "kinematics/invariants.h"

namespace pyamp {

struct LogInvariants {
    static constexpr int max_legs = 8;
    static constexpr int max_pairs = kinematics::pair_count(max_legs);

    struct Group {
        std::vector<int> legs;
        std::vector<int> reference;  ///< legs w of the ordering key
    };
    struct Power {
        int i, j;
        double power;
    };

    int n_legs = 0;
    int n_incoming = 2;
    std::vector<Group> ordering;
    std::vector<Power> factor;
    std::vector<double> mean, std;  ///< one per feature

    int n_features() const { return kinematics::pair_count(n_legs) - 1; }

    /// Standardised features (n, n_features) and ln of the singular factor (n) of momenta (n, n_legs, 4), contiguous.
    void evaluate(const double* momenta, std::size_t n, double* features, double* log_factor) const;
};

}  // namespace pyamp
