// The sure bounds of a domain.
#include "kinematics/sure_bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kinematics/cuts.h"
#include "kinematics/point_check.h"

namespace pyamp::kinematics {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double margin = 1e-12;         // of numbers rounded a few times
constexpr double smallest_pt2 = 1e-140;  // products of two are normal numbers
// cosh(delta eta) - cos(delta phi) below which the rounding of what delta R is compared with counts.
constexpr double least_separation = 1e-8;

double squared(double x) { return x * x; }

/// Legs whose angles are cut.
void need_direction(SureBounds& bounds, int leg) {
    bounds.least_pt2[leg] = std::max(bounds.least_pt2[leg], smallest_pt2);
}

void add(SureBounds& bounds, const Cuts::PtRule& rule) {
    const std::size_t n = rule.legs.size();
    unsigned legs = 0;
    for (const int leg : rule.legs) {
        legs |= 1u << leg;
        bounds.least_pt2[leg] = std::max(bounds.least_pt2[leg], (1 + margin) * rule.squared_minima.back());
        need_direction(bounds, leg);
    }
    // The i-th hardest leg exceeds a value where i + 1 legs do; equal values are met where the last of them is.
    for (std::size_t i = 0; i + 1 < n; ++i) {
        if (rule.squared_minima[i] == rule.squared_minima[i + 1]) continue;
        if (bounds.n_counts == SureBounds::max_counts) {
            bounds.lowest_s = infinity;  // too many for this structure: no point is sure
            return;
        }
        bounds.counts[bounds.n_counts++] = {(1 + margin) * rule.squared_minima[i], legs, static_cast<int>(i + 1)};
    }
}

void add(SureBounds& bounds, const Cuts::EtaRule& rule) {
    for (const int leg : rule.legs) {
        bounds.steepest[leg] = bounds.no_steepest[leg] == 0.0
                                   ? std::min(bounds.steepest[leg], (1 - margin) * squared(rule.sinh_maximum))
                                   : (1 - margin) * squared(rule.sinh_maximum);
        bounds.no_steepest[leg] = 0.0;
        need_direction(bounds, leg);
    }
}

void add(SureBounds& bounds, const Cuts::DeltaRRule& rule) {
    const double separation = squared(2 * std::max(rule.surely_above, least_separation));
    for (const auto& [i, j] : rule.pairs) {
        bounds.separation[i][j] = bounds.separation[j][i] = std::max(bounds.separation[i][j], separation);
        need_direction(bounds, i);
        need_direction(bounds, j);
    }
}

}  // namespace

SureBounds make_sure_bounds(double lowest_sqrt_s, double highest_sqrt_s, const Cuts& cuts, int n_legs) {
    SureBounds bounds{};
    bounds.tolerance = (1 - 1e-3) * kinematic_tolerance;
    bounds.lowest_s = (1 + margin) * squared(lowest_sqrt_s);
    bounds.highest_s = std::min((1 - margin) * squared(highest_sqrt_s), std::numeric_limits<double>::max());
    for (int leg = 0; leg < SureBounds::max_legs; ++leg) {
        bounds.balance_sign[leg] = leg >= n_legs ? 0.0 : leg < 2 ? 1.0 : -1.0;
        bounds.least_pt2[leg] = -1.0;
        bounds.no_steepest[leg] = infinity;
    }
    for (const auto& rule : cuts.pt_rules()) add(bounds, rule);
    for (const auto& rule : cuts.eta_rules()) add(bounds, rule);
    for (const auto& rule : cuts.delta_r_rules()) add(bounds, rule);
    // Registers hold the last leg again where there is none.
    for (int leg = n_legs; leg < SureBounds::max_legs; ++leg) {
        bounds.least_pt2[leg] = bounds.least_pt2[n_legs - 1];
        bounds.steepest[leg] = bounds.steepest[n_legs - 1];
        bounds.no_steepest[leg] = bounds.no_steepest[n_legs - 1];
    }
    return bounds;
}

}  // namespace pyamp::kinematics
