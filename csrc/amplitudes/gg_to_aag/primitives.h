// The colour-ordered fermion-loop primitives A(1,2,3,4,5) of five gluons (Bern, Dixon, Kosower,
// arXiv:hep-ph/9302280), stripped of i c_Gamma and of the terms proportional to the tree, which cancel in the sum
// over photon insertions.
#pragma once

#include "amplitudes/gg_to_aag/function_table.h"
#include "amplitudes/gg_to_aag/lanes.h"
#include "amplitudes/gg_to_aag/spinors.h"

namespace pyamp::gg_to_aag {

/// A primitive is sum_k c_k f_k with rational coefficients c and loop functions f. Parity conjugates c (up to a
/// common sign) but not f, so with p = sum c Re f and q = sum c Im f the amplitude is p + i q and its parity
/// partner has the modulus of p - i q: both helicities for the price of one.
struct Parts {
    Complexes p{};
    Complexes q{};

    PYAMP_INLINE void add(const Complexes& c, const Complexes& f) {
        p = p + f.re * c;
        q = q + f.im * c;
    }
};

/// Everything at a point that four labellings refer to by position 1 ... 5.
struct Labelled {
    const SpinorProducts& t;
    const FunctionTable& f;
    const Group& at;

    PYAMP_INLINE Complexes angle(int i, int j) const { return gather(t.angle, at.pair[i][j]); }
    PYAMP_INLINE Complexes sq(int i, int j) const { return gather(t.square, at.pair[i][j]); }
    PYAMP_INLINE Complexes over_angle(int i, int j) const { return gather(t.inverse_angle, at.pair[i][j]); }
    PYAMP_INLINE Complexes over_sq(int i, int j) const { return gather(t.inverse_square, at.pair[i][j]); }
    PYAMP_INLINE Reals s(int i, int j) const { return gather(t.s, at.pair[i][j]); }
    PYAMP_INLINE Reals over_s(int i, int j) const { return gather(t.inverse_s, at.pair[i][j]); }
    PYAMP_INLINE Complexes log(int i, int j) const { return gather(f.log, at.pair[i][j]); }
};

/// (+ + + + +): rational.
PYAMP_INLINE Complexes all_plus(const Labelled& k) {
    const Reals s12 = k.s(1, 2), s23 = k.s(2, 3), s34 = k.s(3, 4), s45 = k.s(4, 5), s51 = k.s(5, 1);
    Complexes sum = k.angle(1, 2) * k.sq(2, 3) * k.angle(3, 4) * k.sq(4, 1) -
                    k.sq(1, 2) * k.angle(2, 3) * k.sq(3, 4) * k.angle(4, 1);
    sum.re -= s12 * s23 + s23 * s34 + s34 * s45 + s45 * s51 + s51 * s12;
    return 1.0 / 6 *
           (sum * k.over_angle(1, 2) * k.over_angle(2, 3) * k.over_angle(3, 4) * k.over_angle(4, 5) *
            k.over_angle(5, 1));
}

/// (- + + + +): rational.
PYAMP_INLINE Complexes one_minus(const Labelled& k) {
    const Complexes first = cube(k.sq(2, 5)) * k.over_sq(1, 2) * k.over_sq(5, 1);
    const Complexes second = cube(k.angle(1, 4)) * k.sq(4, 5) * k.angle(3, 5) * k.over_angle(1, 2) *
                             k.over_angle(2, 3) * square(k.over_angle(4, 5));
    const Complexes third = cube(k.angle(1, 3)) * k.sq(3, 2) * k.angle(4, 2) * k.over_angle(1, 5) *
                            k.over_angle(5, 4) * square(k.over_angle(3, 2));
    return 1.0 / 3 * (square(k.over_angle(3, 4)) * (first - second + third));
}

/// (- - + + +).
PYAMP_INLINE Parts adjacent_minus(const Labelled& k) {
    const Complexes a12 = k.angle(1, 2);
    const Complexes over_34_45 = k.over_angle(3, 4) * k.over_angle(4, 5);
    const Complexes over_D = k.over_angle(2, 3) * over_34_45 * k.over_angle(5, 1);
    const Complexes up = k.sq(3, 4) * k.angle(4, 1);
    const Complexes down = k.angle(2, 4) * k.sq(4, 5);
    const Complexes X_over = up * down * over_34_45;
    const Complexes q = k.angle(2, 3) * up + down * k.angle(5, 1);
    const Complexes a12_2_over_D = square(a12) * over_D;

    Parts A;
    A.add(-1.0 / 3 * (a12_2_over_D * a12), k.log(2, 3) + k.log(5, 1));
    A.add(1.0 / 3 * (q * a12_2_over_D), gather(k.f.L0, k.at.l_23_51));
    A.add(1.0 / 3 * (q * X_over), gather(k.f.L2, k.at.l_23_51));
    // <35>[35]/[12] - <12> = (s12 - s35)/[12] = (s34 + s45)/[12], where nothing cancels.
    const Complexes rational = (k.s(3, 4) + k.s(4, 5)) * (square(k.sq(3, 5)) * k.over_sq(2, 3) * k.over_sq(5, 1) *
                                                          k.over_sq(1, 2) * over_34_45) -
                               0.5 * k.over_s(2, 3) * k.over_s(5, 1) * (a12 * X_over);
    A.p = A.p + 1.0 / 3 * rational;
    return A;
}

/// (- + - + +).
PYAMP_INLINE Parts alternating_minus(const Labelled& k) {
    const Complexes a12 = k.angle(1, 2), a13 = k.angle(1, 3), a23 = k.angle(2, 3), a34 = k.angle(3, 4);
    const Complexes a41 = k.angle(4, 1), a53 = k.angle(5, 3), a15 = k.angle(1, 5);
    const Complexes b24 = k.sq(2, 4), b25 = k.sq(2, 5);
    const Complexes i45 = k.over_angle(4, 5), i51 = k.over_angle(5, 1), i34 = k.over_angle(3, 4);
    const Complexes i24 = k.over_angle(2, 4), i25 = k.over_angle(2, 5);
    const Reals over_s51 = k.over_s(5, 1), over_s34 = k.over_s(3, 4);

    const Complexes over_D = k.over_angle(1, 2) * k.over_angle(2, 3) * i34 * i45 * i51;
    const Complexes a13_2 = square(a13);
    const Complexes a13_3_over_D = a13_2 * a13 * over_D;
    const Complexes q = a15 * k.sq(5, 2) * a23 - a34 * k.sq(4, 2) * k.angle(2, 1);
    const Complexes b24_2 = square(b24), b25_2 = square(b25);
    const Complexes w_plus_bare = b24_2 * a41 * i45 * i51;
    const Complexes w_minus_bare = b25_2 * a53 * i45 * i34;
    const Complexes w_plus = over_s51 * over_s51 * w_plus_bare;
    const Complexes w_minus = over_s34 * over_s34 * w_minus_bare;
    const Complexes K_plus = 2.0 / 3 * (w_plus_bare * b24 * i24);
    const Complexes K_minus = 2.0 / 3 * (w_minus_bare * b25 * i25);
    const Complexes a23_41 = a23 * a41, a12_34 = a12 * a34;
    const Complexes a21_53 = -(a12 * a53), a32_15 = -(a23 * a15);

    // The overall sign of the formula (-A = ...) is taken in at the end.
    Parts A;
    A.add(-(w_plus * a13_2), gather(k.f.ls1, k.at.ls1_23_34));
    A.add(-(w_plus * a12_34 * a23_41 * square(i24)), gather(k.f.g, k.at.ls1_23_34));
    A.add(w_minus * a13_2, gather(k.f.ls1, k.at.ls1_12_51));
    A.add(w_minus * a21_53 * a32_15 * square(i25), gather(k.f.g, k.at.ls1_12_51));
    A.add(K_plus * square(a23_41), gather(k.f.L2, k.at.l_23_51));
    A.add(-(K_minus * square(a21_53)), gather(k.f.L2, k.at.l_12_34));
    const Complexes b24_25_over_45 = b24 * b25 * i45;
    A.add(1.0 / 3 * (a13 * b24_25_over_45 * q) + K_plus * square(a12_34) - K_minus * square(a32_15),
          gather(k.f.L2, k.at.l_34_51));
    A.add(-1.0 / 3 * (a13_3_over_D * q), gather(k.f.L0, k.at.l_34_51));
    A.add(1.0 / 3 * (a13_3_over_D * a13), k.log(3, 4) + k.log(5, 1));

    const Complexes over_12 = k.over_sq(1, 2), over_23 = k.over_sq(2, 3), over_34 = k.over_sq(3, 4);
    const Complexes over_51 = k.over_sq(5, 1);
    A.p = A.p + 1.0 / 3 * (b24_2 * b25_2 * over_12 * over_23 * over_34 * i45 * over_51) -
          0.5 * over_s51 * (K_plus * a12 * a41 * over_23 * over_34) -
          0.5 * over_s34 * (K_minus * a23 * a53 * over_12 * over_51) +
          1.0 / 6 * over_s34 * over_s51 * (a13_2 * b24_25_over_45);
    return {-A.p, -A.q};
}

}  // namespace pyamp::gg_to_aag
