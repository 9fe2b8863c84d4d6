// Finite parts of the massless one-loop scalar integrals with s -> s + i0.
#pragma once

#include "amplitudes/quark_loop/complex.h"

namespace pyamp::quark_loop {

/// ln(-s - i0).
template <class R>
Complex<R> log_minus(const R& s);

/// Box int d^Dl / (i pi^(D/2)) 1/(D1 D2 D3 D4) without its terms (-s)^-eps / eps^2, which cancel in a finite
/// amplitude. Bern, Dixon, Kosower, Nucl. Phys. B412 (1994) 751, hep-ph/9306240.
///
/// @param m  squared masses of the four corners in turn, exactly zero for massless ones; at least one is massless,
///           and the first one is
/// @param s  (K1 + K2)^2
/// @param t  (K2 + K3)^2
template <class R>
Complex<R> finite_box(const R m[4], const R& s, const R& t);

/// Triangle int d^4l / (i pi^2) 1/(D1 D2 D3) with three masses and positive Kaellen function, as momenta of
/// a physical point have it.
template <class R>
Complex<R> three_mass_triangle(const R m[3]);

}  // namespace pyamp::quark_loop
