// L0, L1, L2 and Ls1: the combinations of logarithms and dilogarithms in which one-loop five-point amplitudes are
// free of spurious poles (Bern, Dixon, Kosower, arXiv:hep-ph/9302280), with s -> s + i0.
#pragma once

#include "amplitudes/gg_to_aag/complex.h"

namespace pyamp::gg_to_aag {

/// r = s_a / s_b with what the functions need of it. delta = 1 - r comes from the caller, who knows it without
/// cancellation from the other invariants.
struct Ratio {
    double r;
    double delta;
    double log_abs_r;
    double log_abs_delta;
    double im_log_r;
};

Ratio make_ratio(double s_a, double s_b, double delta);

struct LFunctions {
    Complex L0, L1, L2;
    Complex li2;  ///< Li2(1 - r)
};

/// L0 = ln r/(1-r), L1 = (L0 + 1)/(1-r), L2 = (ln r - (r - 1/r)/2)/(1-r)^3; series around r = 1.
LFunctions l_functions(const Ratio& ratio);

/// Ls1(r1, r2) with d = 1 - r1 - r2 given to full relative precision; an integral representation around d = 0.
Complex ls1(const Ratio& ratio1, const LFunctions& l1, const Ratio& ratio2, const LFunctions& l2, double d);

}  // namespace pyamp::gg_to_aag
