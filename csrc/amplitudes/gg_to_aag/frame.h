// Brings a point to the partonic centre-of-mass frame without losing digits, and rotates it for the accuracy
// estimate.
#pragma once

#include <array>

namespace pyamp::gg_to_aag {

constexpr int n_legs = 5;
constexpr int n_incoming = 2;

struct Momentum {
    double E, x, y, z;
};

/// Physical momenta (all energies positive), legs g g -> gamma gamma g.
using Point = std::array<Momentum, n_legs>;

/// The point in its partonic centre-of-mass frame.
///
/// @param momenta (5, 4) [E, px, py, pz] in any frame
/// @return false where an entry is not finite, an energy not positive, or where the momenta are off-shell or not
///         conserved by more than 1e-6 of the largest energy
bool to_centre_of_mass(const double* momenta, Point& point);

/// The point turned by a fixed rotation, with the gluon and the beam energies rebuilt from momentum conservation:
/// rounding falls differently, and a point that does not conserve momentum gives another amplitude.
Point rotated_and_rebuilt(const Point& point);

}  // namespace pyamp::gg_to_aag
