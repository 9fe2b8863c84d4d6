// The 32 helicity amplitudes of g g -> gamma gamma g: primitives summed over the photon insertions.
#pragma once

#include "amplitudes/gg_to_aag/frame.h"
#include "amplitudes/gg_to_aag/function_table.h"
#include "amplitudes/gg_to_aag/spinors.h"

namespace pyamp::gg_to_aag {

constexpr int n_helicities = 32;

/// All that is computed at one point; some kilobytes, kept by the caller and reused from point to point.
struct Workspace {
    SpinorProducts spinors;
    FunctionTable functions;
    Complex p[n_helicities];  ///< sum c Re f of each helicity configuration with at most two negative legs
    Complex q[n_helicities];  ///< sum c Im f
};

/// Fills the workspace for a point in its centre-of-mass frame.
void evaluate_point(const Point& point, Workspace& work);

/// Sum over all 32 helicities of |A_h|^2 in GeV^-2.
double helicity_sum(const Workspace& work);

/// |A_h|^2 for every helicity configuration. Bit i of the index: leg i has negative helicity, all legs outgoing.
void squared_by_helicity(const Workspace& work, double* out);

/// A single primitive A(order) in the 32 helicities of its *positions*, with ln(-s / mu2); for checks against the
/// literature only, since one primitive depends on mu2 and lacks the terms proportional to the tree.
void primitive_squared_by_helicity(const Point& point, const int* order, double mu2, double* out);

}  // namespace pyamp::gg_to_aag
