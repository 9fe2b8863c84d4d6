// Representation "momenta": all components of all legs in units of the partonic energy sqrt(|s_01|).
#pragma once

#include <vector>

#include "surrogate/singular_factor.h"

namespace pyamp {

struct ScaledMomenta {
    int n_legs = 0;
    int n_incoming = 2;
    SingularFactor factor;
    std::vector<double> mean, std;  ///< one per feature: leg by leg [E, px, py, pz]

    int n_features() const { return 4 * n_legs; }
};

}  // namespace pyamp
