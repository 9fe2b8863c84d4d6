// One Lorentz invariant of two massless momenta without cancellation, for host and device.
#pragma once

#include <cmath>

#include "kinematics/host_device.h"

namespace pyamp::kinematics {

/// a b - c d with an error below 1.5 ulp (Kahan; Jeannerod, Louvet, Muller, Math. Comp. 82 (2013) 2245).
PYAMP_HOST_DEVICE double difference_of_products(double a, double b, double c, double d) {
    const double cd = c * d;
    const double error = std::fma(-c, d, cd);
    return std::fma(a, b, -cd) + error;
}

struct ThreeMomentum {
    double x, y, z;
    PYAMP_HOST_DEVICE double abs() const { return std::sqrt(x * x + y * y + z * z); }
};

/// (p + q)^2 = 2 (|p||q| - p.q) of massless p, q.
/// Within the same hemisphere the difference is rewritten as |p x q|^2 / (|p||q| + p.q), exact to a few ulp for any
/// angle; the energies do not enter, since their rounding would destroy a small invariant.
/// @param norms |p||q|
PYAMP_HOST_DEVICE double massless_invariant(const ThreeMomentum& p, const ThreeMomentum& q, double norms) {
    const double dot = p.x * q.x + p.y * q.y + p.z * q.z;
    if (dot <= 0.0) return 2.0 * (norms - dot);
    const double cx = difference_of_products(p.y, q.z, p.z, q.y);
    const double cy = difference_of_products(p.z, q.x, p.x, q.z);
    const double cz = difference_of_products(p.x, q.y, p.y, q.x);
    return 2.0 * (cx * cx + cy * cy + cz * cz) / (norms + dot);
}
PYAMP_HOST_DEVICE double massless_invariant(const ThreeMomentum& p, const ThreeMomentum& q) {
    return massless_invariant(p, q, p.abs() * q.abs());
}

/// Adds weight * d(p + q)^2/dp to gradient: 2 (|q| p/|p| - q). A vanishing p has no direction and gets none.
PYAMP_HOST_DEVICE void add_massless_invariant_gradient(const ThreeMomentum& p, const ThreeMomentum& q, double p_abs,
                                                       double q_abs, double weight, ThreeMomentum& gradient) {
    if (p_abs == 0.0) return;
    const double ratio = q_abs / p_abs;
    gradient.x += 2.0 * weight * (ratio * p.x - q.x);
    gradient.y += 2.0 * weight * (ratio * p.y - q.y);
    gradient.z += 2.0 * weight * (ratio * p.z - q.z);
}

}  // namespace pyamp::kinematics
