// Truth for g g -> gamma gamma g: one loop of five massless quarks, squared.
#pragma once

#include "amplitudes/amplitude_provider.h"

namespace pyamp {

class GgToAag final : public AmplitudeProvider {
 public:
    const Process& process() const override;
    CouplingOrders coupling_orders() const override;
    double spin_colour_average() const override;
    std::string version() const override;

    /// Failed (NaN): not finite, off-shell, momentum not conserved, or two legs exactly collinear.
    void evaluate(const double* momenta, std::size_t n, double* amplitude, double* accuracy) const override;

    void helicity_amplitudes_squared(const double* momenta, std::size_t n, double* out) const override;
};

}  // namespace pyamp
