// g g -> gamma gamma g as an amplitude provider: frame, helicity sum, normalisation, accuracy.
#include "amplitudes/gg_to_aag/gg_to_aag.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "amplitudes/gg_to_aag/frame.h"
#include "amplitudes/gg_to_aag/helicity_sum.h"

namespace pyamp {

namespace {

constexpr double charges = 11.0 / 9;  // sum of Q_q^2 over u, d, s, c, b

// 8 N_c (N_c^2 - 1) g_s^6 e^4 (sum Q^2)^2 / (16 pi^2)^2 / (4 * 64), with the couplings alpha_s^3 alpha^2 taken out.
constexpr double normalisation = 3 * std::numbers::pi * charges * charges;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double epsilon = std::numeric_limits<double>::epsilon();

double value_at(const gg_to_aag::Point& point, gg_to_aag::Workspace& work) {
    gg_to_aag::evaluate_point(point, work);
    const double value = normalisation * gg_to_aag::helicity_sum(work);
    return std::isfinite(value) ? value : nan;
}

}  // namespace

const Process& GgToAag::process() const {
    static const Process process{"gg_to_aag", {21, 21, 22, 22, 21}, 2};
    return process;
}

CouplingOrders GgToAag::coupling_orders() const { return {3, 2}; }

double GgToAag::spin_colour_average() const { return 256; }

std::string GgToAag::version() const { return "pyamp builtin gg_to_aag 1"; }

void GgToAag::evaluate(const double* momenta, std::size_t n, double* amplitude, double* accuracy) const {
    gg_to_aag::Workspace work;
    gg_to_aag::Point point;
    gg_to_aag::Point turned;
    for (std::size_t i = 0; i < n; ++i) {
        const bool good = to_centre_of_mass(momenta + 20 * i, gg_to_aag::n_legs, point.data());
        amplitude[i] = good ? value_at(point, work) : nan;
        if (!accuracy) continue;
        accuracy[i] = nan;
        if (std::isnan(amplitude[i])) continue;
        // Two equal values do not mean an exact one; a rotated point that fails means that nothing is known.
        rotated_and_rebuilt(point.data(), gg_to_aag::n_legs, turned.data());
        const double rotated = value_at(turned, work);
        accuracy[i] = std::isnan(rotated) ? infinity : std::max(epsilon, std::abs(rotated / amplitude[i] - 1));
    }
}

void GgToAag::helicity_amplitudes_squared(const double* momenta, std::size_t n, double* out) const {
    gg_to_aag::Workspace work;
    gg_to_aag::Point point;
    for (std::size_t i = 0; i < n; ++i, out += gg_to_aag::n_helicities) {
        if (to_centre_of_mass(momenta + 20 * i, gg_to_aag::n_legs, point.data())) {
            gg_to_aag::evaluate_point(point, work);
            gg_to_aag::squared_by_helicity(work, out);
        } else {
            std::fill_n(out, gg_to_aag::n_helicities, nan);
        }
    }
}

}  // namespace pyamp
