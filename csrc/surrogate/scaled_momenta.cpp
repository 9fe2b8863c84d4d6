// Representation "momenta" on the CPU.
#include "surrogate/scaled_momenta.h"

#include <cmath>

namespace pyamp {

void ScaledMomenta::evaluate(const double* momenta, std::size_t n, double* features, double* log_factor) const {
    const auto row = static_cast<std::size_t>(n_features());
    for_each_point(momenta, n, n_legs, [&](std::size_t k, const PairInvariants& invariants) {
        const double energy = std::sqrt(invariants.abs_s[0]);
        for (std::size_t i = 0; i < row; ++i)
            features[k * row + i] = (momenta[k * row + i] / energy - mean[i]) / std[i];
        log_factor[k] = factor.log(invariants);
    });
}

}  // namespace pyamp
