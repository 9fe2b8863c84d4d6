// The legs of one point side by side in registers, and what pairs of them give; see simd/vector.h.
#pragma once

#include "kinematics/sure_bounds.h"
#include "simd/masks.h"
#include "simd/vector.h"

namespace pyamp::kinematics::PYAMP_ISA {

using simd::PYAMP_ISA::all;
using simd::PYAMP_ISA::bits;
using simd::PYAMP_ISA::broadcast;
using simd::PYAMP_ISA::lanes;
using simd::PYAMP_ISA::load;
using simd::PYAMP_ISA::Mask;
using simd::PYAMP_ISA::square_root;
using simd::PYAMP_ISA::store;
using Real = simd::PYAMP_ISA::Vec<double>;

constexpr int max_legs = SureBounds::max_legs;
constexpr int leg_registers = max_legs / lanes<double>;

/// A four-momentum; never passed by value, since that differs between instruction sets.
typedef double Four __attribute__((vector_size(32)));
typedef double UnalignedFour __attribute__((vector_size(32), aligned(8), may_alias));

[[gnu::always_inline]] inline Real fma(const Real& a, const Real& b, const Real& c) {
    return simd::PYAMP_ISA::fma(a, b, c);
}

/// a b + c rounded once, whatever the instruction set.
[[gnu::always_inline]] inline Real exact_fma(const Real& a, const Real& b, const Real& c) {
#if defined(__FMA__)
    return fma(a, b, c);
#else
    Real result;
    for (int l = 0; l < lanes<double>; ++l) result[l] = __builtin_fma(a[l], b[l], c[l]);
    return result;
#endif
}

/// a b - c d with an error below 1.5 ulp, as in invariants_point.h.
[[gnu::always_inline]] inline Real difference_of_products(const Real& a, const Real& b, const Real& c,
                                                          const Real& d) {
    const Real cd = c * d;
    return exact_fma(a, b, -cd) + exact_fma(-c, d, cd);
}

/// Lane of each leg; beyond the last one that leg again.
struct Legs {
    Four p[max_legs];
    Real e[leg_registers], x[leg_registers], y[leg_registers], z[leg_registers];
    Real norm[leg_registers], pt2[leg_registers];

    /// @param offsets of the legs in momenta, numbers
    [[gnu::always_inline]] Legs(const double* momenta, const std::ptrdiff_t (&offsets)[max_legs]) {
#pragma GCC unroll 8
        for (int i = 0; i < max_legs; ++i) p[i] = *reinterpret_cast<const UnalignedFour*>(momenta + offsets[i]);
#pragma GCC unroll 4
        for (int r = 0; r < leg_registers; ++r) {
            transpose(r);
            pt2[r] = fma(x[r], x[r], y[r] * y[r]);
            norm[r] = square_root(fma(z[r], z[r], pt2[r]));
        }
    }

 private:
    [[gnu::always_inline]] void transpose(int r) {
        const Four* const q = p + r * lanes<double>;
#if PYAMP_SIMD_BYTES == 64
        const Real q04 = __builtin_shufflevector(q[0], q[4], 0, 1, 2, 3, 4, 5, 6, 7);
        const Real q15 = __builtin_shufflevector(q[1], q[5], 0, 1, 2, 3, 4, 5, 6, 7);
        const Real q26 = __builtin_shufflevector(q[2], q[6], 0, 1, 2, 3, 4, 5, 6, 7);
        const Real q37 = __builtin_shufflevector(q[3], q[7], 0, 1, 2, 3, 4, 5, 6, 7);
        const Real ey01 = __builtin_shufflevector(q04, q15, 0, 8, 2, 10, 4, 12, 6, 14);
        const Real xz01 = __builtin_shufflevector(q04, q15, 1, 9, 3, 11, 5, 13, 7, 15);
        const Real ey23 = __builtin_shufflevector(q26, q37, 0, 8, 2, 10, 4, 12, 6, 14);
        const Real xz23 = __builtin_shufflevector(q26, q37, 1, 9, 3, 11, 5, 13, 7, 15);
        e[r] = __builtin_shufflevector(ey01, ey23, 0, 1, 8, 9, 4, 5, 12, 13);
        x[r] = __builtin_shufflevector(xz01, xz23, 0, 1, 8, 9, 4, 5, 12, 13);
        y[r] = __builtin_shufflevector(ey01, ey23, 2, 3, 10, 11, 6, 7, 14, 15);
        z[r] = __builtin_shufflevector(xz01, xz23, 2, 3, 10, 11, 6, 7, 14, 15);
#elif PYAMP_SIMD_BYTES == 32
        const Real ey01 = __builtin_shufflevector(q[0], q[1], 0, 4, 2, 6);
        const Real xz01 = __builtin_shufflevector(q[0], q[1], 1, 5, 3, 7);
        const Real ey23 = __builtin_shufflevector(q[2], q[3], 0, 4, 2, 6);
        const Real xz23 = __builtin_shufflevector(q[2], q[3], 1, 5, 3, 7);
        e[r] = __builtin_shufflevector(ey01, ey23, 0, 1, 4, 5);
        x[r] = __builtin_shufflevector(xz01, xz23, 0, 1, 4, 5);
        y[r] = __builtin_shufflevector(ey01, ey23, 2, 3, 6, 7);
        z[r] = __builtin_shufflevector(xz01, xz23, 2, 3, 6, 7);
#else
        for (int l = 0; l < lanes<double>; ++l) {
            e[r][l] = q[l][0];
            x[r][l] = q[l][1];
            y[r][l] = q[l][2];
            z[r][l] = q[l][3];
        }
#endif
    }
};

/// Numbers of as many legs as lanes.
[[gnu::always_inline]] inline Real of_legs(const Real (&of_all)[leg_registers], const long long* legs) {
#if defined(__AVX512F__)
    return _mm512_maskz_permutexvar_pd(0xff, _mm512_loadu_si512(legs), of_all[0]);
#else
    const double* const numbers = reinterpret_cast<const double*>(of_all);
    Real result;
    for (int l = 0; l < lanes<double>; ++l) result[l] = numbers[legs[l]];
    return result;
#endif
}

/// |s_ij| of massless legs: massless_invariant() of invariants_point.h.
[[gnu::always_inline]] inline Real abs_invariant(const Legs& legs, const long long* first, const long long* second) {
    const Real px = of_legs(legs.x, first), py = of_legs(legs.y, first), pz = of_legs(legs.z, first);
    const Real qx = of_legs(legs.x, second), qy = of_legs(legs.y, second), qz = of_legs(legs.z, second);
    const Real norms = of_legs(legs.norm, first) * of_legs(legs.norm, second);
    const Real dot = fma(px, qx, fma(py, qy, pz * qz));
    const Real cx = difference_of_products(py, qz, pz, qy);
    const Real cy = difference_of_products(pz, qx, px, qz);
    const Real cz = difference_of_products(px, qy, py, qx);
    const Mask opposite = dot <= 0.0;
    const Real numerator = opposite ? norms - dot : fma(cx, cx, fma(cy, cy, cz * cz));
    return 2.0 * (opposite ? numerator : numerator / (norms + dot));
}

/// Whether pairs are surely separated, from |p||q| - p.q, of which enough must remain.
[[gnu::always_inline]] inline Mask surely_separated(const Legs& legs, const long long* first, const long long* second,
                                                    const Real& separation) {
    const Real norms = of_legs(legs.norm, first) * of_legs(legs.norm, second);
    const Real dot =
        fma(of_legs(legs.x, first), of_legs(legs.x, second),
            fma(of_legs(legs.y, first), of_legs(legs.y, second), of_legs(legs.z, first) * of_legs(legs.z, second)));
    const Real s = 2.0 * (norms - dot);
    const Real pt2 = of_legs(legs.pt2, first) * of_legs(legs.pt2, second);
    return (s > 1e-8 * norms) & (s * s >= separation * pt2);
}

/// Whether all is sound but the separations of pairs; false with NaN.
[[gnu::always_inline]] inline bool surely_sound(const SureBounds& bounds, const Legs& legs) {
    Mask sound = Mask{} == Mask{};
#pragma GCC unroll 4
    for (int r = 0; r < leg_registers; ++r) {
        constexpr int L = lanes<double>;
        const Real tolerated = bounds.tolerance * legs.e[r];
        const Real off_shell = legs.e[r] - legs.norm[r];
        const Real z2 = legs.z[r] * legs.z[r];
        const Real steepest = fma(legs.pt2[r], load(bounds.steepest + r * L), load(bounds.no_steepest + r * L));
        sound &= (off_shell <= tolerated) & (-off_shell <= tolerated) & (legs.e[r] > 0.0) &
                 (legs.pt2[r] > load(bounds.least_pt2 + r * L)) & (z2 <= steepest);
    }
    unsigned is_sound = all(sound);
    for (int c = 0; c < bounds.n_counts; ++c) {
        const auto& count = bounds.counts[c];
        unsigned above = 0;
#pragma GCC unroll 4
        for (int r = 0; r < leg_registers; ++r) above |= bits(legs.pt2[r] > count.pt2) << (r * lanes<double>);
        is_sound &= __builtin_popcount(above & count.legs) >= count.needed;
    }
    const Four total = legs.p[0] + legs.p[1];
    Four balance = total;
#pragma GCC unroll 8
    for (int i = 2; i < max_legs; ++i) balance += bounds.balance_sign[i] * legs.p[i];
    const double tolerated = bounds.tolerance * total[0];
    const auto balanced = (balance <= tolerated) & (-balance <= tolerated);
    is_sound &= static_cast<unsigned>(balanced[0] & balanced[1] & balanced[2] & balanced[3]) & 1u;
    const double s = (total[0] - total[3]) * (total[0] + total[3]) - total[1] * total[1] - total[2] * total[2];
    is_sound &= static_cast<unsigned>(s >= bounds.lowest_s) & static_cast<unsigned>(s <= bounds.highest_s);
    return is_sound != 0;
}

}  // namespace pyamp::kinematics::PYAMP_ISA
