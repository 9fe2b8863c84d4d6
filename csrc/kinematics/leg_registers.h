// The legs of one point side by side in registers; see simd/vector.h.
#pragma once

#include "kinematics/momentum_registers.h"
#include "kinematics/sure_bounds.h"

namespace pyamp::kinematics::PYAMP_ISA {

constexpr int max_legs = SureBounds::max_legs;
constexpr int leg_registers = max_legs / lanes<double>;

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
            const Momenta m(p + r * lanes<double>);
            e[r] = m.e, x[r] = m.x, y[r] = m.y, z[r] = m.z;
            pt2[r] = m.pt2();
            norm[r] = m.norm();
        }
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

/// As many legs of the point as lanes.
[[gnu::always_inline]] inline Directions directions(const Legs& legs, const long long* which) {
    return {of_legs(legs.x, which), of_legs(legs.y, which), of_legs(legs.z, which), of_legs(legs.norm, which),
            of_legs(legs.pt2, which)};
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
