// CPU kernel of the invariants.
#include "kinematics/invariants.h"
#include "kinematics/invariants_kernel.h"

namespace pyamp::kinematics {

PYAMP_CPU_VERSIONS void invariants_cpu(const MomentaView& momenta, double* s) {
    const int n_pairs = pair_count(momenta.n_legs);
    for (std::size_t k = 0; k < momenta.n_points; ++k) point_invariants(momenta, k, s + k * n_pairs);
}

PYAMP_CPU_VERSIONS void invariants_backward_cpu(const MomentaView& momenta, const double* grad_s, double* gradient) {
    const int n_pairs = pair_count(momenta.n_legs);
    for (std::size_t k = 0; k < momenta.n_points; ++k)
        point_invariants_backward(momenta, k, grad_s + k * n_pairs, gradient + k * 4 * momenta.n_legs);
}

}  // namespace pyamp::kinematics
