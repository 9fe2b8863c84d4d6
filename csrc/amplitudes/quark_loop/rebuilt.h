// A point given in double, completed to the digits of double-double.
#pragma once

#include "amplitudes/frame.h"
#include "amplitudes/quark_loop/external_field.h"

namespace pyamp::quark_loop {

/// Exactly massless and conserved momenta: the three-momentum of one outgoing leg, all energies and the beams follow
/// from the three-momenta of the other outgoing legs and the axis of the beams.
///
/// @param point     in its centre-of-mass frame, two incoming legs first
/// @param dependent the leg that follows from the others
/// @param shift     how far one of the others is moved in a direction that is not special, as a fraction of its
/// energy
void rebuilt(const pyamp::Momentum* point, int n_legs, int dependent, double shift, Momentum<DoubleDouble>* legs);

}  // namespace pyamp::quark_loop
