// Truth for one massless quark line, a pair of leptons through photon and Z boson, and up to four gluons, at tree
// level.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "amplitudes/amplitude_provider.h"
#include "amplitudes/frame.h"
#include "amplitudes/quark_line/electroweak.h"
#include "amplitudes/quark_line/legs.h"

namespace pyamp {

class QuarkLine final : public AmplitudeProvider {
 public:
    /// @param process "21 21 -> 11 -11 1 -1": any crossing and order of the legs
    /// @param options read_parameters() of amplitudes/quark_line/electroweak.h
    /// @throws pyamp::Error for other processes and unknown options
    QuarkLine(const std::string& process, const nlohmann::json& options);

    const Process& process() const override { return process_; }
    CouplingOrders coupling_orders() const override;
    double spin_colour_average() const override;
    std::string version() const override;

    /// Failed (NaN): not finite, off-shell, momentum not conserved, or two legs exactly collinear.
    void evaluate(const double* momenta, std::size_t n, double* amplitude, double* accuracy) const override;

    /// Squares of the propagators of photon and Z boson are in, the factor (4 pi)^(gluons + 2) is not.
    void helicity_amplitudes_squared(const double* momenta, std::size_t n, double* out) const override;

 private:
    double value_at(const Momentum* point) const;

    Process process_;
    quark_line::Legs legs_;
    quark_line::Exchange exchange_;
    std::vector<double> colours_;
    double normalisation_;  ///< (4 pi)^(gluons + 2) over the average
};

}  // namespace pyamp
