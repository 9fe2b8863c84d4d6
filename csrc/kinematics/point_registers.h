// As many points as lanes side by side, leg by leg; see simd/vector.h. What pairs give is, to the bit, what it is of
// one point with its legs side by side.
#pragma once

#include "kinematics/momenta_layout.h"
#include "kinematics/momentum_registers.h"
#include "kinematics/sure_bounds.h"

namespace pyamp::kinematics::PYAMP_ISA {

struct Points {
    int n_legs;
    Real e[SureBounds::max_legs];
    Directions legs[SureBounds::max_legs];

    /// @param momenta of as many points as lanes
    [[gnu::always_inline]] Points(const double* momenta, const MomentaLayout& layout, int legs_of_point)
        : n_legs(legs_of_point) {
        const auto set = [&](int leg, const Momenta& m) __attribute__((always_inline)) {
            e[leg] = m.e;
            legs[leg] = {m.x, m.y, m.z, m.norm(), m.pt2()};
        };
        if (!layout.is_rows()) {
            for (int leg = 0; leg < n_legs; ++leg) set(leg, Momenta(momenta + leg * layout.leg, layout.component));
            return;
        }
        for (int leg = 0; leg < n_legs; ++leg) {
            Four p[lanes<double>];
#pragma GCC unroll 8
            for (int l = 0; l < lanes<double>; ++l)
                p[l] = *reinterpret_cast<const UnalignedFour*>(momenta + l * layout.point + leg * layout.leg);
            set(leg, Momenta(p));
        }
    }
};

/// Whether all is sound but the separations of pairs, as of one point.
[[gnu::always_inline]] inline Mask surely_sound(const SureBounds& bounds, const Points& points) {
    Mask sound = Mask{} == Mask{};
    Real balance[4] = {};
    for (int leg = 0; leg < points.n_legs; ++leg) {
        const Real& e = points.e[leg];
        const Directions& p = points.legs[leg];
        const Real tolerated = bounds.tolerance * e;
        const Real off_shell = e - p.norm;
        const Real steepest = fma(p.pt2, broadcast(bounds.steepest[leg]), broadcast(bounds.no_steepest[leg]));
        sound &= (off_shell <= tolerated) & (-off_shell <= tolerated) & (e > 0.0) & (p.pt2 > bounds.least_pt2[leg]) &
                 (p.z * p.z <= steepest);
        const double sign = bounds.balance_sign[leg];
        balance[0] += sign * e;
        balance[1] += sign * p.x;
        balance[2] += sign * p.y;
        balance[3] += sign * p.z;
    }
    for (int c = 0; c < bounds.n_counts; ++c) {
        const auto& count = bounds.counts[c];
        Mask above{};  // minus their number
        for (int leg = 0; leg < points.n_legs; ++leg)
            if (count.legs >> leg & 1) above += points.legs[leg].pt2 > count.pt2;
        sound &= -above >= count.needed;
    }
    const Directions &a = points.legs[0], &b = points.legs[1];
    const Real e = points.e[0] + points.e[1], x = a.x + b.x, y = a.y + b.y, z = a.z + b.z;
    const Real tolerated = bounds.tolerance * e;
    for (const Real& component : balance) sound &= (component <= tolerated) & (-component <= tolerated);
    const Real s = (e - z) * (e + z) - x * x - y * y;
    return sound & (s >= bounds.lowest_s) & (s <= bounds.highest_s);
}

}  // namespace pyamp::kinematics::PYAMP_ISA
