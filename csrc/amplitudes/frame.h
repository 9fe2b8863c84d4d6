// Brings a point to the partonic centre-of-mass frame without losing digits, and rotates it for the accuracy
// estimate.
#pragma once

namespace pyamp {

struct Momentum {
    double E, x, y, z;
};

/// The point of a process of two massless incoming legs in its partonic centre-of-mass frame, all energies positive.
///
/// @param momenta (n_legs, 4) [E, px, py, pz] in any frame, at most 8 legs
/// @return false where an entry is not finite, an energy not positive, or where the momenta are off-shell or not
///         conserved by more than 1e-6 of the largest energy
bool to_centre_of_mass(const double* momenta, int n_legs, Momentum* point);

/// The point turned by a fixed rotation, with the last leg and the beam energies rebuilt from momentum conservation:
/// rounding falls differently, and a point that does not conserve momentum gives another amplitude.
void rotated_and_rebuilt(const Momentum* point, int n_legs, Momentum* rotated);

}  // namespace pyamp
