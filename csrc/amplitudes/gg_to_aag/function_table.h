// Every logarithm and loop function that occurs at a point, each computed once.
#pragma once

#include "amplitudes/gg_to_aag/loop_functions.h"
#include "amplitudes/gg_to_aag/spinors.h"

namespace pyamp::gg_to_aag {

struct FunctionTable {
    Complex log[25];  ///< ln(-s_ij / mu^2 - i0), entry 5*i + j
    // Entry l_index(i, j, l, m) for {i,j,l,m} all different: L_n(s_ij / s_lm).
    Complex L0[100];  ///< L0 / s_lm
    Complex L1[100];
    Complex L2[100];  ///< L2 / s_lm^3
    // Entry ls1_index(j, l, m): with {i,k} the two other legs, Ls1(s_ij, s_jk; s_lm).
    Complex ls1[50];
    Complex g[50];  ///< 2 Ls1 + L1(s_ij / s_lm) + L1(s_jk / s_lm)
};

/// mu2 in GeV^2 only matters for a single primitive: it drops out of the sum over orderings.
void function_table(const SpinorProducts& spinors, double mu2, FunctionTable& out);

}  // namespace pyamp::gg_to_aag
