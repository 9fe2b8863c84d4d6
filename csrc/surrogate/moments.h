// From the outputs of a network to the amplitude and its uncertainties.
#pragma once

#include <cstddef>

#include "surrogate/likelihood.h"
#include "surrogate/moments_plan.h"
#include "surrogate/recalibration.h"
#include "surrogate/target.h"

namespace pyamp {

/// Moments over the mixture of each member, then over the members: amplitude the mean of the members' means,
/// sigma_syst^2 the mean of their variances (or what the sigma network says), sigma_stat^2 the variance of their
/// means and the mean of what the likelihood itself calls statistical.
class AmplitudeMoments {
 public:
    AmplitudeMoments(const Likelihood& likelihood, const Target& target);

    /// @param scratch moments_scratch_size() numbers
    /// @returns whether all results are finite
    bool evaluate(const NetworkOutputs& network, double* scratch, const MomentsView& result) const {
        return kernel_(plan_, network, scratch, result);
    }

 private:
    MomentsPlan plan_;
    MomentsKernel kernel_;
};

/// @returns whether all uncertainties are finite
bool recalibrate(const Recalibration& recalibration, std::size_t n, const MomentsView& result);

}  // namespace pyamp
