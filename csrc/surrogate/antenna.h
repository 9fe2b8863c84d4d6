// The poles of all colour orders as a factor: the sum over all orders of the gluons of prod s_01 / |s_ij| over
// neighbours, between the two quarks where there are any, else on a ring.
#pragma once

#include <vector>

namespace pyamp {

struct Antenna {
    static constexpr int max_gluons = 6;

    std::vector<int> ends;    ///< the quarks, or none
    std::vector<int> gluons;  ///< all of them, incoming ones too

    /// Where orders begin and end; a ring at its first gluon.
    int first() const { return ends.empty() ? gluons.front() : ends.front(); }
    int last() const { return ends.empty() ? gluons.front() : ends.back(); }
    /// Those whose places change.
    std::vector<int> inner() const { return {gluons.begin() + (ends.empty() ? 1 : 0), gluons.end()}; }
};

}  // namespace pyamp
