#include "phase_space/sampler.h"

#include <cmath>
#include <map>
#include <string>

#include "error.h"
#include "phase_space/rambo.h"

namespace pyamp {
namespace {

constexpr double kPicobarnPerInverseGeV2 = 0.3893793721e9;  // (hbar c)^2, CODATA 2018

double identical_factor(const std::vector<int>& pdg_ids, int n_incoming) {
    std::map<int, int> multiplicity;
    double factor = 1;
    for (std::size_t i = n_incoming; i < pdg_ids.size(); ++i) factor /= ++multiplicity[pdg_ids[i]];
    return factor;
}

/// Boost along z by rapidity y, on the light cone: p+ e^y and p- e^-y, with the smaller of p+ and p- from pT^2 so
/// that nothing cancels.
void boost_massless(double* p, double y) {
    const double pt2 = p[1] * p[1] + p[2] * p[2];
    const double large = p[0] + std::abs(p[3]);
    const double small = large > 0 ? pt2 / large : 0;
    const double plus = (p[3] >= 0 ? large : small) * std::exp(y);
    const double minus = (p[3] >= 0 ? small : large) * std::exp(-y);
    p[0] = (plus + minus) / 2;
    p[3] = (plus - minus) / 2;
}

}  // namespace

PhaseSpaceSampler::PhaseSpaceSampler(std::vector<int> pdg_ids, int n_incoming, const BeamEnergy& energy, Cuts cuts)
    : pdg_ids_(std::move(pdg_ids)), energy_(energy), cuts_(std::move(cuts)), identical_factor_(0) {
    if (n_incoming != 2 || n_legs() < 4)
        throw Error("phase space: " + std::to_string(n_incoming) + " incoming of " + std::to_string(n_legs()) +
                    " legs; expected 2 incoming and at least 2 outgoing");
    if (!(energy.sqrt_s_hat_min > 0 && energy.sqrt_s_hat_min <= energy.sqrt_s_hat_max &&
          energy.sqrt_s_hat_max <= energy.sqrt_s && std::isfinite(energy.exponent)))
        throw Error("phase space: sqrt_s_hat from " + std::to_string(energy.sqrt_s_hat_min) + " to " +
                    std::to_string(energy.sqrt_s_hat_max) + " GeV at sqrt_s = " + std::to_string(energy.sqrt_s) +
                    " GeV; expected 0 < minimum <= maximum <= sqrt_s");
    identical_factor_ = identical_factor(pdg_ids_, n_incoming);
}

bool PhaseSpaceSampler::trial(std::uint64_t seed, std::uint64_t index, double* momenta,
                              double* weight) const noexcept {
    PointRandom random(seed, RandomStream::phase_space, index);
    const int n_outgoing = n_legs() - 2;
    rambo(random, n_outgoing, 1.0, momenta + 8);  // massless: the energy is a factor

    double sqrt_s_hat = energy_.sqrt_s;
    double y = 0;
    double t = 0;
    if (!energy_.fixed()) {
        const double a = energy_.exponent;
        const double u = random.uniform();
        // Inverse of the cumulative distribution of exp(-a t) on [0, range]; a -> 0 is flat.
        t = a == 0 ? u * log_tau_range() : -std::log1p(-a * u * log_tau_scale()) / a;
        const double log_tau = log_tau_min() + t;
        y = (random.uniform() - 0.5) * -log_tau;
        sqrt_s_hat = energy_.sqrt_s * std::exp(log_tau / 2);
    }

    const double first = sqrt_s_hat / 2 * std::exp(y);
    const double second = sqrt_s_hat / 2 * std::exp(-y);
    const double incoming[8] = {first, 0, 0, first, second, 0, 0, -second};
    for (int i = 0; i < 8; ++i) momenta[i] = incoming[i];
    for (int leg = 2; leg < n_legs(); ++leg) {
        double* p = momenta + 4 * leg;
        for (int mu = 0; mu < 4; ++mu) p[mu] *= sqrt_s_hat;
        if (!energy_.fixed()) boost_massless(p, y);
    }
    if (!cuts_.passes(momenta)) return false;
    *weight = weight_of(t, sqrt_s_hat * sqrt_s_hat);
    return true;
}

double PhaseSpaceSampler::log_tau_min() const noexcept {
    return 2 * std::log(energy_.sqrt_s_hat_min / energy_.sqrt_s);
}

double PhaseSpaceSampler::log_tau_range() const noexcept {
    return 2 * std::log(energy_.sqrt_s_hat_max / energy_.sqrt_s) - log_tau_min();
}

double PhaseSpaceSampler::log_tau_scale() const noexcept {
    const double a = energy_.exponent;
    return a == 0 ? log_tau_range() : -std::expm1(-a * log_tau_range()) / a;
}

double PhaseSpaceSampler::weight_of(double t, double s_hat) const noexcept {
    const double jacobian =
        energy_.fixed() ? 1 : log_tau_scale() * std::exp(energy_.exponent * t) * -(log_tau_min() + t);
    return jacobian * identical_factor_ * kPicobarnPerInverseGeV2 * massless_phase_space_volume(n_legs() - 2, s_hat) /
           (2 * s_hat);
}

double PhaseSpaceSampler::weight_at(const double* momenta) const noexcept {
    double total[4];
    for (int mu = 0; mu < 4; ++mu) total[mu] = momenta[mu] + momenta[4 + mu];
    const double s_hat = total[0] * total[0] - total[1] * total[1] - total[2] * total[2] - total[3] * total[3];
    return weight_of(std::log(s_hat) - 2 * std::log(energy_.sqrt_s) - log_tau_min(), s_hat);
}

}  // namespace pyamp
