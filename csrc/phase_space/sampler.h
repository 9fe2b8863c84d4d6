// Phase-space points of 2 -> n massless legs by trial index: partonic energy and boost, RAMBO, cuts, weight.
#pragma once

#include <cstdint>
#include <vector>

#include "kinematics/cuts.h"

namespace pyamp {

/// Partonic energies. Fixed: sqrt_s_hat_min = sqrt_s_hat_max = sqrt_s. Hadronic beams: tau = s_hat / S with density
/// dN / d ln(tau) ~ tau^(-exponent) between the bounds, and rapidity y of the system uniform in |y| < -ln(tau) / 2.
struct BeamEnergy {
    double sqrt_s;          ///< of the beams, GeV
    double sqrt_s_hat_min;  ///< GeV
    double sqrt_s_hat_max;  ///< GeV
    double exponent = 0;

    bool fixed() const noexcept { return sqrt_s_hat_min == sqrt_s; }
};

class PhaseSpaceSampler {
 public:
    /// @throws pyamp::Error unless there are two incoming and at least two outgoing legs and
    ///         0 < sqrt_s_hat_min <= sqrt_s_hat_max <= sqrt_s
    PhaseSpaceSampler(std::vector<int> pdg_ids, int n_incoming, const BeamEnergy& energy, Cuts cuts);

    int n_legs() const noexcept { return static_cast<int>(pdg_ids_.size()); }

    /// One trial; false where it fails the cuts.
    ///
    /// @param momenta (n_legs, 4) written, [E, px, py, pz] in GeV in the laboratory, the first beam along +z
    /// @param weight  written; weight * |M|^2 averaged over all trials, those that fail the cuts counting as 0, is
    ///                the cross section in pb: flux 1/(2 s_hat), phase-space volume and the factor for identical
    ///                outgoing legs included. For hadronic beams it is a density in d ln(tau) dy, to be multiplied
    ///                by x1 f(x1) x2 f(x2), with x = sqrt(tau) exp(+-y).
    bool trial(std::uint64_t seed, std::uint64_t index, double* momenta, double* weight) const noexcept;

    /// The weight of a trial whose incoming legs are those of a point that came from elsewhere.
    ///
    /// @param momenta (n_legs, 4) in GeV
    double weight_at(const double* momenta) const noexcept;

 private:
    double log_tau_min() const noexcept;
    double log_tau_range() const noexcept;
    /// Integral of exp(-exponent t) over that range.
    double log_tau_scale() const noexcept;
    /// @param t ln(tau) above its minimum
    double weight_of(double t, double s_hat) const noexcept;

    std::vector<int> pdg_ids_;
    BeamEnergy energy_;
    Cuts cuts_;
    double identical_factor_;  ///< 1 / (product of multiplicity!) of the outgoing species
};

}  // namespace pyamp
