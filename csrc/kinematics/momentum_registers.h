// As many momenta as lanes, component by component, whatever the lanes are: legs of one point, or points. See
// simd/vector.h.
#pragma once

#include "kinematics/pairs_of_legs.h"

namespace pyamp::kinematics::PYAMP_ISA {

/// A four-momentum; never passed by value, since that differs between instruction sets.
typedef double Four __attribute__((vector_size(32)));
typedef double UnalignedFour __attribute__((vector_size(32), aligned(8), may_alias));

struct Momenta {
    Real e, x, y, z;

    /// @param component  numbers from one component to the next of neighbouring momenta
    [[gnu::always_inline]] Momenta(const double* from, std::ptrdiff_t component)
        : e(load(from)), x(load(from + component)), y(load(from + 2 * component)), z(load(from + 3 * component)) {}

    /// @param q as many as lanes
    [[gnu::always_inline]] explicit Momenta(const Four* q) {
#if PYAMP_SIMD_BYTES == 64
        const Real q04 = __builtin_shufflevector(q[0], q[4], 0, 1, 2, 3, 4, 5, 6, 7);
        const Real q15 = __builtin_shufflevector(q[1], q[5], 0, 1, 2, 3, 4, 5, 6, 7);
        const Real q26 = __builtin_shufflevector(q[2], q[6], 0, 1, 2, 3, 4, 5, 6, 7);
        const Real q37 = __builtin_shufflevector(q[3], q[7], 0, 1, 2, 3, 4, 5, 6, 7);
        const Real ey01 = __builtin_shufflevector(q04, q15, 0, 8, 2, 10, 4, 12, 6, 14);
        const Real xz01 = __builtin_shufflevector(q04, q15, 1, 9, 3, 11, 5, 13, 7, 15);
        const Real ey23 = __builtin_shufflevector(q26, q37, 0, 8, 2, 10, 4, 12, 6, 14);
        const Real xz23 = __builtin_shufflevector(q26, q37, 1, 9, 3, 11, 5, 13, 7, 15);
        e = __builtin_shufflevector(ey01, ey23, 0, 1, 8, 9, 4, 5, 12, 13);
        x = __builtin_shufflevector(xz01, xz23, 0, 1, 8, 9, 4, 5, 12, 13);
        y = __builtin_shufflevector(ey01, ey23, 2, 3, 10, 11, 6, 7, 14, 15);
        z = __builtin_shufflevector(xz01, xz23, 2, 3, 10, 11, 6, 7, 14, 15);
#elif PYAMP_SIMD_BYTES == 32
        const Real ey01 = __builtin_shufflevector(q[0], q[1], 0, 4, 2, 6);
        const Real xz01 = __builtin_shufflevector(q[0], q[1], 1, 5, 3, 7);
        const Real ey23 = __builtin_shufflevector(q[2], q[3], 0, 4, 2, 6);
        const Real xz23 = __builtin_shufflevector(q[2], q[3], 1, 5, 3, 7);
        e = __builtin_shufflevector(ey01, ey23, 0, 1, 4, 5);
        x = __builtin_shufflevector(xz01, xz23, 0, 1, 4, 5);
        y = __builtin_shufflevector(ey01, ey23, 2, 3, 6, 7);
        z = __builtin_shufflevector(xz01, xz23, 2, 3, 6, 7);
#else
        for (int l = 0; l < lanes<double>; ++l) {
            e[l] = q[l][0];
            x[l] = q[l][1];
            y[l] = q[l][2];
            z[l] = q[l][3];
        }
#endif
    }

    [[gnu::always_inline]] Real pt2() const { return fma(x, x, y * y); }
    [[gnu::always_inline]] Real norm() const { return square_root(fma(z, z, pt2())); }
};

}  // namespace pyamp::kinematics::PYAMP_ISA
