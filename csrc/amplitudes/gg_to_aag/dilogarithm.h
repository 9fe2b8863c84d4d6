// The dilogarithm on the real axis and its continuation Li2(1 - r) to negative r.
#pragma once

#include "amplitudes/gg_to_aag/complex.h"

namespace pyamp::gg_to_aag {

/// Real dilogarithm for x <= 1; NaN above, where it is not real.
double li2(double x);

/// Li2(1 - r) from logarithms the caller already has, since the loop functions need them anyway.
///
/// @param r            ratio of two invariants
/// @param delta        1 - r, to full relative precision
/// @param log_abs_r    ln|r|
/// @param log_abs_delta ln|1 - r|
/// @param im_log_r     Im ln r: 0 for r > 0, -pi or +pi for r < 0 (which invariant is timelike)
Complex li2_one_minus(double r, double delta, double log_abs_r, double log_abs_delta, double im_log_r);

}  // namespace pyamp::gg_to_aag
