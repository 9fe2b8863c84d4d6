// Sum of the primitives over the 12 orderings, four labellings at a time.
#include "amplitudes/gg_to_aag/helicity_sum.h"

#include <algorithm>
#include <bit>

#include "amplitudes/gg_to_aag/orderings.h"
#include "amplitudes/gg_to_aag/primitives.h"

// The sum is compiled once more for 256-bit registers and chosen when the library is loaded. Same operations in the
// same order, no fused multiply-add: every machine gets the same bits.
#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && defined(__has_attribute)
#if __has_attribute(target_clones)
#define PYAMP_CLONES __attribute__((target_clones("avx2", "default")))
#endif
#endif
#ifndef PYAMP_CLONES
#define PYAMP_CLONES
#endif

namespace pyamp::gg_to_aag {

namespace {

PYAMP_INLINE void scatter(const LaneIndex& configuration, const Complexes& value, Complex* sum) {
    for (int lane = 0; lane < n_lanes; ++lane) {
        Complex& c = sum[configuration[lane]];
        c.re += value.re[lane];
        c.im += value.im[lane];
    }
}

PYAMP_CLONES void sum_orderings(const SpinorProducts& spinors, const FunctionTable& functions, Complex* p,
                                Complex* q) {
    for (int n = 0; n < n_groups; ++n) {
        const Group& group = groups[n];
        const Labelled k{spinors, functions, group};
        if (n < n_orderings / n_lanes) scatter(LaneIndex{}, all_plus(k), p);
        scatter(group.minus_1, one_minus(k), p);
        const Parts adjacent = adjacent_minus(k);
        scatter(group.minus_12, adjacent.p, p);
        scatter(group.minus_12, adjacent.q, q);
        const Parts alternating = alternating_minus(k);
        scatter(group.minus_13, alternating.p, p);
        scatter(group.minus_13, alternating.q, q);
    }
}

/// The five cyclic rotations of one ordering, each in all four lanes of a group.
PYAMP_CLONES void single_ordering(const SpinorProducts& spinors, const FunctionTable& functions, const int* order,
                                  Complex* p, Complex* q) {
    const auto put = [](int configuration, const Complexes& value, Complex* sum) {
        sum[configuration] = {value.re[0], value.im[0]};
    };
    for (int r = 0; r < n_legs; ++r) {
        Group group{};
        for (int lane = 0; lane < n_lanes; ++lane) {
            set_lane(group, lane,
                     {order[r], order[(r + 1) % 5], order[(r + 2) % 5], order[(r + 3) % 5], order[(r + 4) % 5]});
        }
        const Labelled k{spinors, functions, group};
        if (r == 0) put(0, all_plus(k), p);
        put(1 << r, one_minus(k), p);
        const Parts adjacent = adjacent_minus(k);
        put(1 << r | 1 << (r + 1) % 5, adjacent.p, p);
        put(1 << r | 1 << (r + 1) % 5, adjacent.q, q);
        const Parts alternating = alternating_minus(k);
        put(1 << r | 1 << (r + 2) % 5, alternating.p, p);
        put(1 << r | 1 << (r + 2) % 5, alternating.q, q);
    }
}

bool is_computed(int configuration) { return std::popcount(static_cast<unsigned>(configuration)) <= 2; }

void clear(Workspace& work) {
    std::fill_n(work.p, n_helicities, Complex{0, 0});
    std::fill_n(work.q, n_helicities, Complex{0, 0});
}

}  // namespace

void evaluate_point(const Point& point, Workspace& work) {
    clear(work);
    spinor_products(point, work.spinors);
    // Logarithms in units of s_12 are of order one, which the cancelling terms like best.
    function_table(work.spinors, work.spinors.s[1], work.functions);
    sum_orderings(work.spinors, work.functions, work.p, work.q);
}

double helicity_sum(const Workspace& work) {
    double sum = 0;
    for (int h = 0; h < n_helicities; ++h) {
        // |p + iq|^2 + |p - iq|^2 for the configuration and its parity partner.
        if (is_computed(h)) sum += 2 * (norm(work.p[h]) + norm(work.q[h]));
    }
    return sum;
}

void squared_by_helicity(const Workspace& work, double* out) {
    for (int h = 0; h < n_helicities; ++h) {
        if (!is_computed(h)) continue;
        const Complex iq{-work.q[h].im, work.q[h].re};
        out[h] = norm(work.p[h] + iq);
        out[n_helicities - 1 - h] = norm(work.p[h] - iq);
    }
}

void primitive_squared_by_helicity(const Point& point, const int* order, double mu2, double* out) {
    Workspace work;
    clear(work);
    spinor_products(point, work.spinors);
    function_table(work.spinors, mu2, work.functions);
    single_ordering(work.spinors, work.functions, order, work.p, work.q);
    squared_by_helicity(work, out);
}

}  // namespace pyamp::gg_to_aag
