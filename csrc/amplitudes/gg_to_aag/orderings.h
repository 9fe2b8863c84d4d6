// The 60 labellings of the legs over which the primitives are evaluated, in groups of four for the vector registers.
#pragma once

#include <array>
#include <cstdint>

namespace pyamp::gg_to_aag {

constexpr int n_lanes = 4;
constexpr int n_orderings = 12;
constexpr int n_groups = 5 * n_orderings / n_lanes;

constexpr int pair_index(int i, int j) {
    // 01 02 03 04 12 13 14 23 24 34 -> 0 ... 9
    const int a = i < j ? i : j;
    const int b = i < j ? j : i;
    return a * (9 - a) / 2 + (b - a - 1);
}

/// Entries of the L function table, L(s_ij / s_lm), and of the Ls1 table, Ls1(s_ij, s_jk; s_lm).
constexpr int l_index(int i, int j, int l, int m) { return 10 * pair_index(i, j) + pair_index(l, m); }
constexpr int ls1_index(int middle, int l, int m) { return 10 * middle + pair_index(l, m); }

using LaneIndex = std::array<std::uint8_t, n_lanes>;

/// Where four labellings find their entries in the tables of a point. Positions are 1 ... 5 as in the formulas.
struct Group {
    LaneIndex pair[6][6];                   ///< 5*i + j of the legs at two positions
    LaneIndex l_23_51, l_34_51, l_12_34;    ///< L functions
    LaneIndex ls1_23_34, ls1_12_51;         ///< Ls1(23,34;51) and Ls1(12,51;34)
    LaneIndex minus_1, minus_12, minus_13;  ///< helicity configuration: bit of each negative leg, leg 0 lowest
};

/// Cyclic orderings with the gluons 0, 1, 4 in this cyclic order: leg 0 first, 1 before 4. The reversed ones are
/// equal up to a sign (Furry), so colour is f^abc.
constexpr std::array<std::array<int, 5>, n_orderings> make_orderings() {
    std::array<std::array<int, 5>, n_orderings> all{};
    int n = 0;
    for (int b = 1; b < 5; ++b) {
        for (int c = 1; c < 5; ++c) {
            for (int d = 1; d < 5; ++d) {
                const int e = 10 - b - c - d;
                if (b == c || b == d || c == d) continue;
                const std::array<int, 5> o{0, b, c, d, e};
                int at_1 = 0;
                int at_4 = 0;
                for (int k = 1; k < 5; ++k) {
                    if (o[k] == 1) at_1 = k;
                    if (o[k] == 4) at_4 = k;
                }
                if (at_1 < at_4) all[n++] = o;
            }
        }
    }
    return all;
}

/// The tables' entries of one labelling, put in one lane of a group.
constexpr void set_lane(Group& g, int lane, const std::array<int, 5>& leg) {
    const auto at = [&](int position) { return leg[position - 1]; };
    const auto byte = [](int k) { return static_cast<std::uint8_t>(k); };
    for (int i = 1; i <= 5; ++i) {
        for (int j = 1; j <= 5; ++j) g.pair[i][j][lane] = byte(5 * at(i) + at(j));
    }
    g.l_23_51[lane] = byte(l_index(at(2), at(3), at(5), at(1)));
    g.l_34_51[lane] = byte(l_index(at(3), at(4), at(5), at(1)));
    g.l_12_34[lane] = byte(l_index(at(1), at(2), at(3), at(4)));
    g.ls1_23_34[lane] = byte(ls1_index(at(3), at(5), at(1)));
    g.ls1_12_51[lane] = byte(ls1_index(at(1), at(3), at(4)));
    g.minus_1[lane] = byte(1 << at(1));
    g.minus_12[lane] = byte(1 << at(1) | 1 << at(2));
    g.minus_13[lane] = byte(1 << at(1) | 1 << at(3));
}

/// The first 12/4 groups hold the orderings as they are, the others their cyclic rotations.
constexpr std::array<Group, n_groups> make_groups() {
    std::array<Group, n_groups> groups{};
    const auto orderings = make_orderings();
    for (int k = 0; k < 5 * n_orderings; ++k) {
        std::array<int, 5> leg{};
        for (int i = 0; i < 5; ++i) leg[i] = orderings[k % n_orderings][(i + k / n_orderings) % 5];
        set_lane(groups[k / n_lanes], k % n_lanes, leg);
    }
    return groups;
}

inline constexpr std::array<Group, n_groups> groups = make_groups();

}  // namespace pyamp::gg_to_aag
