// What the outputs of a network are turned into, as plain numbers for the kernels of the moments, which are compiled
// once for each instruction set.
#pragma once

#include <cstddef>

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

/// See likelihood.h and target.h for the meaning of the numbers.
struct MomentsPlan {
    enum class Likelihood { gaussian, mean_squared_error, mixture, evidential };
    enum class Target { log, log1p, linear };

    Likelihood likelihood;
    Target target;
    double mean, std, scale;  ///< of the target
    double sigma;             ///< of mean_squared_error
    std::size_t components;   ///< of mixture
    std::size_t n_outputs;
};

/// Numbers of scratch that the kernel needs for so many members.
inline std::size_t moments_scratch_size(std::size_t members) {
    constexpr std::size_t columns = 8, most_lanes = 8;
    return members == 1 ? 0 : 3 * ((members + columns - 1) / columns * columns) * most_lanes;
}

/// Moments over the mixture of each member, then over the members; see amplitude_moments().
/// A point gives the same bits at any place of any batch.
/// @param scratch moments_scratch_size() numbers
using MomentsKernel = void (*)(const MomentsPlan&, const NetworkOutputs&, double* scratch, const MomentsView& result);

namespace baseline {
void evaluate_moments(const MomentsPlan&, const NetworkOutputs&, double*, const MomentsView&);
}
namespace avx2 {
void evaluate_moments(const MomentsPlan&, const NetworkOutputs&, double*, const MomentsView&);
}
namespace avx512 {
void evaluate_moments(const MomentsPlan&, const NetworkOutputs&, double*, const MomentsView&);
}

}  // namespace pyamp
