// What a network sees of the momenta.
#pragma once

#include <cstddef>
#include <variant>

#include "surrogate/log_invariants.h"
#include "surrogate/scaled_momenta.h"

namespace pyamp {

using Representation = std::variant<LogInvariants, ScaledMomenta>;

inline int n_features(const Representation& representation) {
    return std::visit([](const auto& r) { return r.n_features(); }, representation);
}

/// Standardised features (n, n_features) and ln of the singular factor (n) of momenta (n, n_legs, 4), contiguous.
inline void evaluate_features(const Representation& representation, const double* momenta, std::size_t n,
                              double* features, double* log_factor) {
    std::visit([&](const auto& r) { r.evaluate(momenta, n, features, log_factor); }, representation);
}

}  // namespace pyamp
