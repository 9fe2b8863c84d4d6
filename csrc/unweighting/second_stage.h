// The decision on an event that the first stage accepted with the surrogate's amplitude; x = truth/surrogate.
#pragma once

#include <cstdint>

namespace pyamp::unweighting {

/// The uniform number of a decision, draw 1 of its index in the stream `unweighting`: the first stage has draw 0.
double second_stage_uniform(std::uint64_t seed, std::uint64_t index);
/// Draw 0, for a host that accepts by a screen and only then asks the surrogate: the rest of its first stage.
double first_stage_uniform(std::uint64_t seed, std::uint64_t index);

struct Acceptance {
    bool accepted;
    double weight;  ///< max(1, x/x_max)
};
/// Accepts with probability min(1, x/x_max); accepted or not, the mean weight is x/x_max.
Acceptance two_stage(double x, double x_max, double uniform);

struct Roulette {
    bool evaluate;       ///< is the truth to be asked?
    double probability;  ///< of that
};
/// Asks the truth with probability min(max(kappa * relative_sigma, p_min), 1), and always where the uncertainty is no
/// number. Every event is accepted, with `roulette_weight` where the truth was asked, else with weight 1.
/// @param relative_sigma uncertainty of the surrogate over its amplitude
Roulette roulette(double relative_sigma, double kappa, double p_min, double uniform);
/// The weight of an event whose truth was asked: 1 + (x - 1)/probability, so that x is the mean over both outcomes.
/// It is negative for x < 1 - probability.
double roulette_weight(double x, double probability);

}  // namespace pyamp::unweighting
