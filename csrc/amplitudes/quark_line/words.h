// The ordered sets of gluons from which currents are built, and where their currents lie.
#pragma once

#include <array>
#include <vector>

namespace pyamp::quark_line {

constexpr int max_gluons = 4;

/// Gluons in the order in which they are attached. A current has one value for each helicity of its gluons; these are
/// numbered in binary, the first gluon's bit the highest, 1 for negative helicity, and stored in pairs that differ in
/// the helicity of the last gluon.
struct Word {
    std::vector<int> gluons;
    unsigned set = 0;     ///< bit i for gluon i
    int first_pair = 0;   ///< of its currents
    bool is_canonical{};  ///< first gluon below the last: the reversed word has the same current up to its sign
    int reversed = 0;
    std::array<int, max_gluons + 1> prefix{};  ///< word of the first j gluons
    std::array<int, max_gluons + 1> suffix{};  ///< word of all but the first j gluons
    std::vector<int> helicities;               ///< number of a helicity when bit i is that of gluon i

    int length() const { return static_cast<int>(gluons.size()); }
    int n_pairs() const { return 1 << (length() - 1); }
};

struct Words {
    explicit Words(int n_gluons);

    int n_gluons;
    std::vector<Word> all;  ///< by length, the empty one first
    int first_ordering{};   ///< from here on all gluons
    int n_orderings{};
    int n_pairs{};  ///< of all words but the orderings, and of those of a single gluon
};

}  // namespace pyamp::quark_line
