// Massless RAMBO: flat n-body phase space, Kleiss, Stirling and Ellis, Comput. Phys. Commun. 40 (1986) 359.
#pragma once

#include "phase_space/philox.h"

namespace pyamp {

/// n massless momenta, flat in phase space, in their centre-of-mass frame. Draws 4 n numbers.
///
/// @param sqrt_s  centre-of-mass energy in GeV
/// @param momenta (n, 4) written, [E, px, py, pz] in GeV; each on shell, their sum (sqrt_s, 0, 0, 0), to rounding
void rambo(PointRandom& random, int n, double sqrt_s, double* momenta) noexcept;

/// Volume of massless n-body phase space, every event of rambo() carries it as weight:
///   (2 pi)^(4 - 3 n) (pi / 2)^(n - 1) s^(n - 2) / ((n - 1)! (n - 2)!), in GeV^(2 n - 4).
double massless_phase_space_volume(int n, double s) noexcept;

}  // namespace pyamp
