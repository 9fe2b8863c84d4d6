// The second stage of unweighting in the C interface.
#include "unweighting/second_stage.h"

#include <cmath>

#include "capi/guard.h"
#include "capi/pyamp.h"
#include "unweighting/pilot.h"

namespace unweighting = pyamp::unweighting;
using pyamp::capi::guarded;
using pyamp::capi::require;

int pyamp_two_stage(uint64_t seed, uint64_t index, double x, double x_max, int* accepted, double* weight) {
    return guarded([&] {
        require(accepted && weight, "pyamp_two_stage: accepted or weight is a null pointer");
        require(x_max > 0.0, "pyamp_two_stage: x_max is not positive");
        require(std::isfinite(x), "pyamp_two_stage: x is no finite number");
        const auto decision = unweighting::two_stage(x, x_max, unweighting::second_stage_uniform(seed, index));
        *accepted = decision.accepted;
        *weight = decision.weight;
    });
}

int pyamp_screen(uint64_t seed, uint64_t index, double y, double y_max, int* accepted, double* weight) {
    return guarded([&] {
        require(accepted && weight, "pyamp_screen: accepted or weight is a null pointer");
        require(y_max > 0.0, "pyamp_screen: y_max is not positive");
        require(std::isfinite(y), "pyamp_screen: y is no finite number");
        const auto decision = unweighting::two_stage(y, y_max, unweighting::first_stage_uniform(seed, index));
        *accepted = decision.accepted;
        *weight = decision.weight;
    });
}

int pyamp_roulette(uint64_t seed, uint64_t index, double relative_sigma, double kappa, double p_min, int* evaluate,
                   double* probability) {
    return guarded([&] {
        require(evaluate && probability, "pyamp_roulette: evaluate or probability is a null pointer");
        require(kappa >= 0.0, "pyamp_roulette: kappa is negative");
        require(p_min > 0.0, "pyamp_roulette: p_min is not positive");
        const auto decision =
            unweighting::roulette(relative_sigma, kappa, p_min, unweighting::second_stage_uniform(seed, index));
        *evaluate = decision.evaluate;
        *probability = decision.probability;
    });
}

int pyamp_roulette_weight(double x, double probability, double* weight) {
    return guarded([&] {
        require(weight, "pyamp_roulette_weight: weight is a null pointer");
        require(probability > 0.0 && probability <= 1.0,
                "pyamp_roulette_weight: probability is not above 0 and at most 1");
        *weight = unweighting::roulette_weight(x, probability);
    });
}

int pyamp_budget_maximum(size_t n, double const* x, double budget, uint64_t seed, double* maximum, double* error) {
    return guarded([&] {
        require(maximum && (x || n == 0), "pyamp_budget_maximum: x or maximum is a null pointer");
        const auto found = unweighting::budget_maximum(x, n, budget, seed);
        *maximum = found.value;
        if (error) *error = found.error;
    });
}

int pyamp_choose_roulette(size_t n, double const* x, double const* relative_sigma, double target, double* kappa,
                          double* p_min, double* mean_p, double* n_eff_over_n, int* reached) {
    return guarded([&] {
        require((x && relative_sigma) || n == 0, "pyamp_choose_roulette: an input is a null pointer");
        require(kappa && p_min && mean_p && n_eff_over_n && reached,
                "pyamp_choose_roulette: an output is a null pointer");
        const auto choice = unweighting::choose_roulette(x, relative_sigma, n, target);
        *kappa = choice.kappa;
        *p_min = choice.p_min;
        *mean_p = choice.mean_p;
        *n_eff_over_n = choice.n_eff_over_n;
        *reached = choice.reached;
    });
}
