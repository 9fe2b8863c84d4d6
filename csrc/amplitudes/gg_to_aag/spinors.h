// Spinor products of the five legs, tabulated once per point.
#pragma once

#include "amplitudes/gg_to_aag/complex.h"
#include "amplitudes/gg_to_aag/frame.h"

namespace pyamp::gg_to_aag {

/// All legs outgoing (incoming ones carry a factor i in both spinors). Entry 5*i + j; the diagonal is zero.
struct SpinorProducts {
    Complex angle[25];           ///< <ij>
    Complex square[25];          ///< [ij]
    Complex inverse_angle[25];   ///< 1/<ij> = [ji]/s_ij
    Complex inverse_square[25];  ///< 1/[ij] = <ji>/s_ij
    double s[25];                ///< s_ij = <ij>[ji], not from p_i.p_j, which cancels for nearly collinear pairs
    double inverse_s[25];
};

void spinor_products(const Point& point, SpinorProducts& out);

}  // namespace pyamp::gg_to_aag
