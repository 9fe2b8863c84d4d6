// From the outputs of a dipole network's MLP to those that the likelihood reads, in float64 whatever the network's
// arithmetic.
#pragma once

#include <cstddef>

#include "model_file/network.h"

namespace pyamp::fused {

class DipoleCombination {
 public:
    explicit DipoleCombination(const DipoleSum& network);

    std::size_t n_network_outputs() const { return n_network_outputs_; }

    /// @param features (n, n_features), standardised
    /// @param network_outputs (members, n, n_network_outputs)
    /// @param outputs (members, n, n_outputs)
    void operator()(const double* features, const double* network_outputs, std::size_t n, std::size_t members,
                    double* outputs) const;

 private:
    DipoleSum network_;
    std::size_t n_features_, n_dipoles_, first_, n_network_outputs_;
    double log_floor_;
};

}  // namespace pyamp::fused
