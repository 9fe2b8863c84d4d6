// Sums over colours of products of colour-ordered amplitudes.
#pragma once

#include <vector>

namespace pyamp::quark_line {

/// C_st = sum over colours of (T^s1 ... T^sn)_ij times the complex conjugate of (T^t1 ... T^tn)_ij, for SU(3) with
/// tr(T^a T^b) = delta/2, from the Fierz identity of its generators.
///
/// @param orderings each a permutation of 0 ... n - 1
/// @return row by row
std::vector<double> colour_matrix(const std::vector<std::vector<int>>& orderings);

}  // namespace pyamp::quark_line
