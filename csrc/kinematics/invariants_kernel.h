// What one point costs: the loop bodies of the CPU and CUDA kernels.
#pragma once

#include "kinematics/invariants.h"

namespace pyamp::kinematics {

PYAMP_HOST_DEVICE void point_invariants(const MomentaView& momenta, std::size_t point, double* s) {
    for (int i = 0; i < momenta.n_legs; ++i) {
        const ThreeMomentum p = momenta.three_momentum(point, i);
        for (int j = i + 1; j < momenta.n_legs; ++j)
            *s++ = momenta.sign(i, j) * massless_invariant(p, momenta.three_momentum(point, j));
    }
}

PYAMP_HOST_DEVICE void point_invariants_backward(const MomentaView& momenta, std::size_t point, const double* grad_s,
                                                 double* gradient) {
    for (int i = 0; i < momenta.n_legs; ++i) {
        const ThreeMomentum p = momenta.three_momentum(point, i);
        ThreeMomentum g{0.0, 0.0, 0.0};
        for (int j = 0; j < momenta.n_legs; ++j) {
            if (j == i) continue;
            const int pair = i < j ? pair_index(i, j, momenta.n_legs) : pair_index(j, i, momenta.n_legs);
            const ThreeMomentum q = momenta.three_momentum(point, j);
            add_massless_invariant_gradient(p, q, p.abs(), q.abs(), momenta.sign(i, j) * grad_s[pair], g);
        }
        double* out = gradient + 4 * i;
        out[0] = 0.0;
        out[1] = g.x;
        out[2] = g.y;
        out[3] = g.z;
    }
}

}  // namespace pyamp::kinematics
