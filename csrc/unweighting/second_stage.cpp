#include "unweighting/second_stage.h"

#include <algorithm>
#include <cmath>

#include "phase_space/philox.h"

namespace pyamp::unweighting {

double second_stage_uniform(std::uint64_t seed, std::uint64_t index) {
    PointRandom random(seed, RandomStream::unweighting, index);
    random.uniform();  // the first stage's
    return random.uniform();
}

double first_stage_uniform(std::uint64_t seed, std::uint64_t index) {
    return PointRandom(seed, RandomStream::unweighting, index).uniform();
}

Acceptance two_stage(double x, double x_max, double uniform) {
    const double ratio = x / x_max;
    return {uniform < ratio, std::max(1.0, ratio)};
}

Roulette roulette(double relative_sigma, double kappa, double p_min, double uniform) {
    const bool known = std::isfinite(relative_sigma) && relative_sigma >= 0.0;
    const double probability = known ? std::min(std::max(kappa * relative_sigma, p_min), 1.0) : 1.0;
    return {uniform < probability, probability};
}

double roulette_weight(double x, double probability) { return 1.0 + (x - 1.0) / probability; }

}  // namespace pyamp::unweighting
