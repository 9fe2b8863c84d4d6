// |s_ij| of contiguous momenta by the instruction set of the processor: what surrogates ask for at every point.
#pragma once

#include <cstddef>

namespace pyamp::kinematics {

/// |s_ij| (n, pairs) in the order of pair_index() from momenta (n, n_legs, 4), as accurate as invariants_cpu() and
/// the same bits at any place of any batch. At most 8 legs. Allocates nothing.
void abs_invariants(const double* momenta, std::size_t n, int n_legs, double* abs_s);

}  // namespace pyamp::kinematics
