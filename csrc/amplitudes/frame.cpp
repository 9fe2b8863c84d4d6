// Boost to the partonic centre-of-mass frame in light-cone variables; rotation for the accuracy estimate.
#include "amplitudes/frame.h"

#include <algorithm>
#include <cmath>

namespace pyamp {

namespace {

/// Single-precision momenta still pass (and show in the accuracy); anything worse is not this process.
constexpr double tolerance = 1e-6;

constexpr int n_incoming = 2;
constexpr int max_legs = 8;

double length(const Momentum& p) { return std::sqrt(p.x * p.x + p.y * p.y + p.z * p.z); }

bool is_physical(const Momentum* p, int n_legs) {
    double scale = 0;
    Momentum total{0, 0, 0, 0};
    for (int i = 0; i < n_legs; ++i) {
        const double sign = i < n_incoming ? -1 : 1;
        total.E += sign * p[i].E;
        total.x += sign * p[i].x;
        total.y += sign * p[i].y;
        total.z += sign * p[i].z;
        scale = std::max(scale, p[i].E);
    }
    // Comparisons written so that NaN and infinity fail them.
    bool good = std::isfinite(scale);
    for (int i = 0; i < n_legs; ++i)
        good = good && p[i].E > 0 && std::abs(p[i].E - length(p[i])) <= tolerance * scale;
    for (double violation : {total.E, total.x, total.y, total.z}) {
        good = good && std::abs(violation) <= tolerance * scale;
    }
    return good;
}

/// Beams along z: p+ and p- only rescale, and the small one is p_T^2 over the large one, so E - |z| never cancels.
/// The beams are rebuilt from the outgoing legs: a strongly boosted point knows its slow beam only to few digits.
void boost_along_z(Momentum* p, int n_legs) {
    double plus[max_legs];
    double minus[max_legs];
    double total_plus = 0;
    double total_minus = 0;
    for (int i = n_incoming; i < n_legs; ++i) {
        const double pt2 = p[i].x * p[i].x + p[i].y * p[i].y;
        const double large = p[i].E + std::abs(p[i].z);
        const double small = pt2 / large;
        plus[i] = p[i].z >= 0 ? large : small;
        minus[i] = p[i].z >= 0 ? small : large;
        total_plus += plus[i];
        total_minus += minus[i];
    }
    const double factor = std::sqrt(total_minus / total_plus);
    for (int i = n_incoming; i < n_legs; ++i) {
        const double a = plus[i] * factor;
        const double b = minus[i] / factor;
        p[i].E = 0.5 * (a + b);
        p[i].z = 0.5 * (a - b);
    }
    const double beam_energy = 0.5 * std::sqrt(total_plus * total_minus);
    for (int i = 0; i < n_incoming; ++i) p[i] = {beam_energy, 0, 0, std::copysign(beam_energy, p[i].z)};
}

void boost_any_direction(Momentum* p, int n_legs) {
    const double E = p[0].E + p[1].E;
    const double bx = (p[0].x + p[1].x) / E;
    const double by = (p[0].y + p[1].y) / E;
    const double bz = (p[0].z + p[1].z) / E;
    const double gamma = 1 / std::sqrt(1 - (bx * bx + by * by + bz * bz));
    for (int i = 0; i < n_legs; ++i) {
        Momentum& q = p[i];
        const double shift = gamma * (gamma / (gamma + 1) * (bx * q.x + by * q.y + bz * q.z) - q.E);
        q.x += shift * bx;
        q.y += shift * by;
        q.z += shift * bz;
        q.E = length(q);
    }
}

Momentum rotate(const Momentum& p) {
    // The rotation of the quaternion (4, 1, 2, 3)/sqrt(30): no axis is special.
    constexpr double c = 1.0 / 15;
    const double x = c * (2 * p.x - 10 * p.y + 11 * p.z);
    const double y = c * (14 * p.x + 5 * p.y + 2 * p.z);
    const double z = c * (-5 * p.x + 10 * p.y + 10 * p.z);
    return {p.E, x, y, z};
}

}  // namespace

bool to_centre_of_mass(const double* momenta, int n_legs, Momentum* point) {
    for (int i = 0; i < n_legs; ++i) {
        const double* p = momenta + 4 * i;
        point[i] = {p[0], p[1], p[2], p[3]};
    }
    if (!is_physical(point, n_legs)) return false;
    const bool beams_along_z = point[0].x == 0 && point[0].y == 0 && point[1].x == 0 && point[1].y == 0;
    if (beams_along_z) {
        boost_along_z(point, n_legs);
    } else {
        boost_any_direction(point, n_legs);
    }
    return true;
}

void rotated_and_rebuilt(const Momentum* point, int n_legs, Momentum* p) {
    for (int i = 0; i < n_legs; ++i) p[i] = rotate(point[i]);
    Momentum others{0, 0, 0, 0};
    for (int i = n_incoming; i < n_legs - 1; ++i) {
        others.x += p[i].x;
        others.y += p[i].y;
        others.z += p[i].z;
    }
    Momentum& last = p[n_legs - 1];
    last = {0, -others.x, -others.y, -others.z};
    double energy = 0;
    for (int i = n_incoming; i < n_legs; ++i) {
        p[i].E = length(p[i]);
        energy += p[i].E;
    }
    const double beam_energy = 0.5 * energy;
    const Momentum axis{0, p[0].x - p[1].x, p[0].y - p[1].y, p[0].z - p[1].z};
    const double scale = beam_energy / length(axis);
    p[0] = {beam_energy, scale * axis.x, scale * axis.y, scale * axis.z};
    p[1] = {beam_energy, -p[0].x, -p[0].y, -p[0].z};
}

}  // namespace pyamp
