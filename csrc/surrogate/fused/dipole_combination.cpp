// The sum over dipoles, point by point.
#include "surrogate/fused/dipole_combination.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "surrogate/log_invariants.h"

namespace pyamp::fused {

DipoleCombination::DipoleCombination(const DipoleSum& network)
    : network_(network),
      n_features_(static_cast<std::size_t>(network.widths.front())),
      n_dipoles_(static_cast<std::size_t>(network.dipoles)),
      first_(static_cast<std::size_t>(network.first_feature())),
      n_network_outputs_(static_cast<std::size_t>(network.widths.back())),
      log_floor_(std::log(network.floor)) {}

void DipoleCombination::operator()(const double* features, const double* network_outputs, std::size_t n,
                                   std::size_t members, double* outputs) const {
    const std::size_t n_outputs = n_network_outputs_ - n_dipoles_;
    for (std::size_t point = 0; point < n; ++point) {
        const double* const of_point = features + point * n_features_ + first_;
        std::array<double, LogInvariants::max_dipoles> dipoles;
        for (std::size_t d = 0; d < n_dipoles_; ++d)
            dipoles[d] = network_.scale[d] * std::sinh(of_point[d] * network_.std[d] + network_.mean[d]);
        for (std::size_t member = 0; member < members; ++member) {
            const std::size_t row = member * n + point;
            const double* const from = network_outputs + row * n_network_outputs_;
            double* const to = outputs + row * n_outputs;
            double total = 0.0;
            for (std::size_t d = 0; d < n_dipoles_; ++d) total += std::sinh(from[d]) * dipoles[d];
            to[0] =
                (std::asinh(total / (2.0 * network_.floor)) + log_floor_ + from[n_dipoles_]) / network_.target_std;
            std::copy(from + n_dipoles_ + 1, from + n_network_outputs_, to + 1);
        }
    }
}

}  // namespace pyamp::fused
