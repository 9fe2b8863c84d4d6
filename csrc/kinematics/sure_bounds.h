// Bounds by which most points pass all checks and cuts at once, without square roots and transcendental functions.
//
// They are narrower than the true ones by far more than what is compared can be rounded. A point within them is sound
// and inside the domain; every other point is decided by check_point() and Cuts::passes() alone, so that no decision
// depends on how these bounds are evaluated.
#pragma once

namespace pyamp {
class Cuts;
}

namespace pyamp::kinematics {

struct SureBounds {
    static constexpr int max_legs = 8;
    static constexpr int max_counts = 8;

    /// So many of the legs (bits) have more than this pT^2.
    struct Count {
        double pt2;
        unsigned legs;
        int needed;
    };

    double tolerance;               ///< of shell and balance, relative
    double lowest_s, highest_s;     ///< of all incoming legs, GeV^2
    double balance_sign[max_legs];  ///< 1 of incoming, -1 of outgoing legs, 0 beyond the last
    double least_pt2[max_legs];     ///< pT^2 > least_pt2
    double steepest[max_legs];      ///< pz^2 <= pT^2 steepest + no_steepest, the latter infinite without a cut
    double no_steepest[max_legs];
    double separation[max_legs][max_legs];  ///< s_ij^2 >= separation pT_i^2 pT_j^2
    Count counts[max_counts];
    int n_counts;
};

/// @param lowest_sqrt_s, highest_sqrt_s what sqrt(s) of the incoming legs may be, GeV
/// @pre two incoming and at most 8 legs in all
SureBounds make_sure_bounds(double lowest_sqrt_s, double highest_sqrt_s, const Cuts& cuts, int n_legs);

}  // namespace pyamp::kinematics
