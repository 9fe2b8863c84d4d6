// Representation "momenta" on the CPU.
#include "surrogate/scaled_momenta.h"

namespace pyamp {

void ScaledMomenta::evaluate(const double* momenta, std::size_t n, double* features, double* log_factor) const {
    const auto row = static_cast<std::size_t>(n_features());
    for (std::size_t k = 0; k < n; ++k, momenta += row, features += row) {
        const PairInvariants invariants(momenta, n_legs, n_incoming);
        const double energy = std::sqrt(invariants.abs_s[0]);
        for (std::size_t component = 0; component < row; ++component)
            features[component] = (momenta[component] / energy - mean[component]) / std[component];
        log_factor[k] = factor.log(invariants);
    }
}

}  // namespace pyamp
