// 10 logarithms, 30 ratios with L0, L1, L2, Li2, and 30 Ls1 of a five-point kinematics.
#include "amplitudes/gg_to_aag/function_table.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "amplitudes/gg_to_aag/orderings.h"

namespace pyamp::gg_to_aag {

namespace {

/// 1 - s_ij/s_lm, with s_lm = s_ij + s_ik + s_jk: from whichever form has the smaller terms.
double one_minus_ratio(double s_ij, double s_ik, double s_jk, double s_lm, double inverse_lm) {
    const bool sum_is_smaller = std::max(std::abs(s_ik), std::abs(s_jk)) < std::max(std::abs(s_lm), std::abs(s_ij));
    return (sum_is_smaller ? s_ik + s_jk : s_lm - s_ij) * inverse_lm;
}

}  // namespace

void function_table(const SpinorProducts& t, double mu2, FunctionTable& f) {
    for (int i = 0; i < n_legs; ++i) {
        for (int j = i + 1; j < n_legs; ++j) {
            const double s = t.s[5 * i + j];
            const Complex value{std::log(std::abs(s) / mu2), s > 0 ? -std::numbers::pi : 0.0};
            f.log[5 * i + j] = f.log[5 * j + i] = value;
        }
    }
    for (int l = 0; l < n_legs; ++l) {
        for (int m = l + 1; m < n_legs; ++m) {
            int rest[3];
            for (int i = 0, n = 0; i < n_legs; ++i) {
                if (i != l && i != m) rest[n++] = i;
            }
            const double s_lm = t.s[5 * l + m];
            const double inverse = t.inverse_s[5 * l + m];
            // Opposite to leg rest[a]: the ratio of the pair formed by the two others.
            Ratio ratio[3];
            LFunctions value[3];
            for (int a = 0; a < 3; ++a) {
                const int i = rest[(a + 1) % 3];
                const int j = rest[(a + 2) % 3];
                const int k = rest[a];
                const double delta = one_minus_ratio(t.s[5 * i + j], t.s[5 * i + k], t.s[5 * j + k], s_lm, inverse);
                ratio[a] = make_ratio(t.s[5 * i + j], s_lm, delta);
                value[a] = l_functions(ratio[a]);
                const int at = l_index(i, j, l, m);
                f.L0[at] = inverse * value[a].L0;
                f.L1[at] = value[a].L1;
                f.L2[at] = inverse * inverse * inverse * value[a].L2;
            }
            for (int middle = 0; middle < 3; ++middle) {
                const int a = (middle + 1) % 3;
                const int b = (middle + 2) % 3;
                // 1 - r1 - r2 is the ratio of the third pair, which lies opposite to the middle leg.
                const Complex ls = ls1(ratio[a], value[a], ratio[b], value[b], ratio[middle].r);
                const int at = ls1_index(rest[middle], l, m);
                f.ls1[at] = ls;
                f.g[at] = 2.0 * ls + value[a].L1 + value[b].L1;
            }
        }
    }
}

}  // namespace pyamp::gg_to_aag
