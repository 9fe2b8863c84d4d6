// What the front of a surrogate does with a point, as plain numbers for its kernels, which are compiled once for each
// instruction set.
//
// Of the pairs (i, j) those come first whose logarithms are needed. Each feature is (value - mean) / std, here
// value * scale + shift.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kinematics/momenta_layout.h"
#include "kinematics/sure_bounds.h"
#include "surrogate/dipole.h"

namespace pyamp {

struct FrontPlan {
    static constexpr int max_legs = kinematics::SureBounds::max_legs;
    static constexpr int max_pairs = 32;  ///< 28, whole registers
    static constexpr int max_features = 352;
    static constexpr int max_resonances = 4;
    static constexpr int max_sets = 96;  ///< 91, whole registers
    static constexpr int max_inner = 6;  ///< gluons of an antenna whose places change

    enum class Kind {
        momenta,            ///< all components over the partonic energy
        log_invariants,     ///< ln(|s_ij| / s_01) of all pairs but (0,1) in order; that pair is the last one
        ordered_invariants  ///< the same of ordered legs, or with more features
    };

    struct Group {
        const int *legs, *reference;
        int n_legs, n_reference;
    };

    /// No pairs where there is none.
    struct Conjugation {
        const int *legs, *conjugates, *reference;
        int n_pairs, n_reference;
    };

    /// Of legs with s: (s - mass2) / unit and ln(1 + s^2 / ((s - mass2)^2 + unit^2)).
    struct Resonance {
        const int* legs;
        int n_legs;
        double mass2, unit;
    };

    /// |s_I| of a set of legs: what the pairs from `begin` on add up to, without those from `minus` to `end`, all of
    /// them features.
    struct Set {
        int begin, minus, end;
    };

    /// See Antenna; no legs where there is none.
    struct AntennaLegs {
        int n_inner;
        int inner[max_inner];
        int first, last;
    };

    kinematics::SureBounds bounds;
    Kind kind;
    int n_legs, n_features;
    std::ptrdiff_t leg_offset[max_legs];  ///< of a leg's momentum, beyond the last leg that one's
    int n_pairs;
    int n_logarithms;  ///< 0 where that of the pair (0,1), the first, is all that is needed besides the features
    int partonic;      ///< the pair (0,1)
    long long first[max_pairs], second[max_pairs];
    double separation[max_pairs];  ///< of the bounds, for each pair
    double scale[max_features], shift[max_features];
    int n_terms;  ///< of ln of the singular factor
    int term_pair[max_pairs];
    double term_power[max_pairs];
    // Of ordered invariants:
    const Group* groups;
    int n_groups;
    Conjugation conjugation;
    bool has_linear, has_energy;
    int n_resonances;
    Resonance resonances[max_resonances];
    int n_dipoles;
    const Dipole* dipoles;
    int n_sets;
    Set sets[max_sets];
    const int* pairs_of_sets;
    AntennaLegs antenna;
    int pair_of[max_legs][max_legs];
};

constexpr std::size_t features_excess = 8;

/// Standardised features (n, n_features) and ln of the singular factor (n) of momenta;
/// undecided (n) becomes 1 where the bounds do not tell that a point is sound and in the domain, else 0.
/// A point gives the same bits at any place of any batch. What follows the features is overwritten, up to
/// features_excess numbers. @returns whether any is undecided
using FrontKernel = bool (*)(const FrontPlan& plan, const double* momenta, const MomentaLayout& layout, std::size_t n,
                             double* features, double* log_factor, std::int32_t* undecided);

namespace baseline {
FrontKernel front_kernel(FrontPlan::Kind kind);
}
namespace avx2 {
FrontKernel front_kernel(FrontPlan::Kind kind);
}
namespace avx512 {
FrontKernel front_kernel(FrontPlan::Kind kind);
}

}  // namespace pyamp
