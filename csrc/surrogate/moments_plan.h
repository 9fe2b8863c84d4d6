// What the outputs of a network are turned into, as plain numbers for the kernels of the moments, which are compiled
// once for each instruction set.
#pragma once

#include <cstddef>

namespace pyamp {

/// Arrays (n).
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
    double unit;  ///< by which all results are multiplied in the end: the couplings
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

/// Numbers of scratch that the kernel needs.
inline std::size_t moments_scratch_size(std::size_t members, std::size_t n) {
    constexpr std::size_t columns = 8, most_lanes = 8;
    if (members == 1) return 0;
    return 3 * ((members + columns - 1) / columns * columns) * (n == 1 ? 1 : most_lanes);
}

/// Moments over the mixture of each member, then over the members; see amplitude_moments().
/// A point gives the same bits at any place of any batch.
/// @param scratch moments_scratch_size() numbers
/// @returns whether all results are finite before they are multiplied by the unit
using MomentsKernel = bool (*)(const MomentsPlan&, const NetworkOutputs&, double* scratch, const MomentsView& result);

namespace baseline {
MomentsKernel moments_kernel(const MomentsPlan& plan);
}
namespace avx2 {
MomentsKernel moments_kernel(const MomentsPlan& plan);
}
namespace avx512 {
MomentsKernel moments_kernel(const MomentsPlan& plan);
}

}  // namespace pyamp
