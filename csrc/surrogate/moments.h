// From the outputs of a network to the amplitude and its uncertainties.
#pragma once

#include <cstddef>
#include <vector>

#include "surrogate/likelihood.h"
#include "surrogate/recalibration.h"
#include "surrogate/target.h"

namespace pyamp {

/// Arrays (n), couplings stripped.
struct MomentsView {
    double* amplitude;
    double* sigma_syst;
    double* sigma_stat;
};

/// What n points gave, contiguous.
struct NetworkOutputs {
    const double* outputs;     ///< (members, n, n_outputs)
    const double* log_sigma;   ///< (n) of the sigma network, or nullptr
    const double* log_factor;  ///< (n) ln of the singular factor
    std::size_t members, n;
};

/// Memory that calls may share one after the other.
struct MomentsWorkspace {
    std::vector<MixtureComponent> mixture;
    std::vector<double> means, amplitudes;
};

/// Moments over the mixture of each member, then over the members: amplitude the mean of the members' means,
/// sigma_syst^2 the mean of their variances (or what the sigma network says), sigma_stat^2 the variance of their
/// means and the mean of what the likelihood itself calls statistical.
void amplitude_moments(const Likelihood& likelihood, const Target& target, const NetworkOutputs& network,
                       MomentsWorkspace& work, const MomentsView& result);

void recalibrate(const Recalibration& recalibration, std::size_t n, const MomentsView& result);

}  // namespace pyamp
