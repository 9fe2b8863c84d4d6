// Settings of the second stage from a pilot: events of the first stage, all with their x = truth/surrogate.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pyamp::unweighting {

struct Maximum {
    double value;
    double error;  ///< standard deviation over resampled pilots
};
/// The m with sum max(0, x - m) = budget * sum x: the largest x_max is not what rules the efficiency, but the share
/// of the cross section that may come as weight above 1.
/// @param x not negative, one of them positive
Maximum budget_maximum(const double* x, std::size_t n, double budget, std::uint64_t seed);

struct RouletteChoice {
    double kappa, p_min;
    double mean_p;        ///< over the pilot
    double n_eff_over_n;  ///< expected for it, Kish's
    bool reached;         ///< false: not even p = 1 has the effective sample size asked for, and p = 1 is chosen
};
/// The kappa and p_min with the smallest mean probability for which the pilot would have N_eff/N of at least the
/// target and no negative weight. p_min is at least 10/n: what is rarer than the pilot can know, 1 event in n with
/// some x, then adds no more than (x - 1)^2/10 to the mean squared weight.
/// @param relative_sigma uncertainty of the surrogate over its amplitude
RouletteChoice choose_roulette(const double* x, const double* relative_sigma, std::size_t n, double target);

}  // namespace pyamp::unweighting
