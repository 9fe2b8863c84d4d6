// What pairs of massless legs give, whatever lies in the lanes: pairs of one point, or points. See simd/vector.h.
#pragma once

#include "simd/masks.h"
#include "simd/vector.h"

namespace pyamp::kinematics::PYAMP_ISA {

using simd::PYAMP_ISA::all;
using simd::PYAMP_ISA::bits;
using simd::PYAMP_ISA::broadcast;
using simd::PYAMP_ISA::lanes;
using simd::PYAMP_ISA::load;
using simd::PYAMP_ISA::Mask;
using simd::PYAMP_ISA::square_root;
using simd::PYAMP_ISA::store;
using Real = simd::PYAMP_ISA::Vec<double>;

[[gnu::always_inline]] inline Real fma(const Real& a, const Real& b, const Real& c) {
    return simd::PYAMP_ISA::fma(a, b, c);
}

/// a b + c rounded once, whatever the instruction set.
[[gnu::always_inline]] inline Real exact_fma(const Real& a, const Real& b, const Real& c) {
#if defined(__FMA__)
    return fma(a, b, c);
#else
    Real result;
    for (int l = 0; l < lanes<double>; ++l) result[l] = __builtin_fma(a[l], b[l], c[l]);
    return result;
#endif
}

/// a b - c d with an error below 1.5 ulp, as in invariants_point.h; of numbers too, since those there are compiled
/// for other instructions.
[[gnu::always_inline]] inline double difference_of_products(double a, double b, double c, double d) {
    const double cd = c * d;
    return __builtin_fma(a, b, -cd) + __builtin_fma(-c, d, cd);
}
[[gnu::always_inline]] inline Real difference_of_products(const Real& a, const Real& b, const Real& c,
                                                          const Real& d) {
    const Real cd = c * d;
    return exact_fma(a, b, -cd) + exact_fma(-c, d, cd);
}

/// A leg in each lane.
struct Directions {
    Real x, y, z, norm, pt2;
};

/// |s_ij| of massless legs: massless_invariant() of invariants_point.h.
[[gnu::always_inline]] inline Real abs_invariant(const Directions& p, const Directions& q) {
    const Real norms = p.norm * q.norm;
    const Real dot = fma(p.x, q.x, fma(p.y, q.y, p.z * q.z));
    const Real cx = difference_of_products(p.y, q.z, p.z, q.y);
    const Real cy = difference_of_products(p.z, q.x, p.x, q.z);
    const Real cz = difference_of_products(p.x, q.y, p.y, q.x);
    const Mask opposite = dot <= 0.0;
    const Real numerator = opposite ? norms - dot : fma(cx, cx, fma(cy, cy, cz * cz));
    return 2.0 * (opposite ? numerator : numerator / (norms + dot));
}

/// Whether legs are surely separated whose |s_ij| is known.
[[gnu::always_inline]] inline Mask surely_separated(const Directions& p, const Directions& q, const Real& abs_s,
                                                    const Real& separation) {
    return abs_s * abs_s >= separation * (p.pt2 * q.pt2);
}

/// The same from |p||q| - p.q, of which enough must remain.
[[gnu::always_inline]] inline Mask surely_separated(const Directions& p, const Directions& q,
                                                    const Real& separation) {
    const Real norms = p.norm * q.norm;
    const Real dot = fma(p.x, q.x, fma(p.y, q.y, p.z * q.z));
    const Real s = 2.0 * (norms - dot);
    return (s > 1e-8 * norms) & surely_separated(p, q, s, separation);
}

}  // namespace pyamp::kinematics::PYAMP_ISA
