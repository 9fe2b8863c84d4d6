// All s_ij of a batch of massless momenta: the contract that the CPU and the CUDA kernel share.
#pragma once

#include <cstddef>

#include "kinematics/invariants_point.h"

namespace pyamp::kinematics {

/// Momenta [E, px, py, pz] in GeV, double, incoming legs first with positive energy; strides in elements, any sign.
struct MomentaView {
    const double* data;
    std::ptrdiff_t stride_point, stride_leg, stride_component;
    std::size_t n_points;
    int n_legs;
    int n_incoming;

    PYAMP_HOST_DEVICE ThreeMomentum three_momentum(std::size_t point, int leg) const {
        const double* p = data + static_cast<std::ptrdiff_t>(point) * stride_point + leg * stride_leg;
        return {p[stride_component], p[2 * stride_component], p[3 * stride_component]};
    }
    /// +1 for s_ij = (p_i + p_j)^2, -1 for (p_i - p_j)^2 of an incoming and an outgoing leg.
    PYAMP_HOST_DEVICE double sign(int i, int j) const { return (i < n_incoming) == (j < n_incoming) ? 1.0 : -1.0; }
};

/// Position of the pair i < j in the order (0,1), (0,2), ..., (0,n-1), (1,2), ...
PYAMP_HOST_DEVICE constexpr int pair_index(int i, int j, int n_legs) {
    return i * (2 * n_legs - i - 1) / 2 + j - i - 1;
}
PYAMP_HOST_DEVICE constexpr int pair_count(int n_legs) { return n_legs * (n_legs - 1) / 2; }

/// s (n_points, n_pairs), contiguous, in GeV^2. The invariants depend on the three-momenta alone (massless legs).
void invariants_cpu(const MomentaView& momenta, double* s);

/// gradient (n_points, n_legs, 4), contiguous: sum over pairs of grad_s * ds/dp; the energy components are 0.
void invariants_backward_cpu(const MomentaView& momenta, const double* grad_s, double* gradient);

/// The same on the device of the pointers; stream is a cudaStream_t. Throw pyamp::Error when built without CUDA.
void invariants_cuda(const MomentaView& momenta, double* s, void* stream);
void invariants_backward_cuda(const MomentaView& momenta, const double* grad_s, double* gradient, void* stream);

}  // namespace pyamp::kinematics
