// What a network sees of the momenta.
#pragma once

#include <variant>

#include "surrogate/log_invariants.h"
#include "surrogate/scaled_momenta.h"

namespace pyamp {

using Representation = std::variant<LogInvariants, ScaledMomenta>;

inline int n_features(const Representation& representation) {
    return std::visit([](const auto& r) { return r.n_features(); }, representation);
}

}  // namespace pyamp
