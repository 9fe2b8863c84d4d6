// The exchange of a photon and a Z boson between a quark and a lepton.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "amplitudes/quark_line/complex.h"

namespace pyamp::quark_line {

/// GeV; pole masses and widths, by default those of Sherpa 3.0.3 (PDG 2018 rounded as there).
struct Parameters {
    double mz = 91.1876;
    double wz = 2.4952;
    double mw = 80.379;
    double ww = 2.085;
};

/// @param block JSON object with the names of the members above
/// @throws pyamp::Error for unknown keys and values that are no masses and widths
Parameters read_parameters(const nlohmann::json& block);

/// Complex-mass scheme (arXiv:hep-ph/0605312): mu^2 = m (m - i width), sin^2 = 1 - mu_W^2/mu_Z^2.
class Exchange {
 public:
    /// @param quark, lepton PDG ids of the particles, positive
    Exchange(int quark, int lepton, const Parameters& parameters);

    /// Q_q Q_l / s + g_q g_l / (s - mu_Z^2), in 1/GeV^2, for a quark and a lepton, each left- or right-handed.
    Scalar operator()(double s, bool quark_is_left, bool lepton_is_left) const;

 private:
    double charges_;
    Scalar mass_squared_;
    Scalar couplings_[2][2];  ///< g_q g_l; quark, lepton; 1 is left
};

}  // namespace pyamp::quark_line
