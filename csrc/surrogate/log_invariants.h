// Representation "log_invariants": what a network sees, scale-free unless the energy itself is asked for.
//
// The features are ln(|s_ij| / s_01). Within each group of identical legs the legs are ordered by a key, the sum of
// |s_iw| over the reference legs w, the largest first, so both the features and the surrogate are exactly symmetric.
// Without groups the legs keep their order, and the symmetry is left to the network. After that a conjugation
// exchanges legs and their antiparticles, all of them, where the key of the first antiparticle is the larger one.
//
// A resonance with the propagator chi = s / (s - M^2 + i M Gamma) of some outgoing (ordered) legs adds the features
// arctan((s - M^2) / (M Gamma)) and ln(1 + |chi|^2), and 1 + |chi|^2 to the factor. Dipoles of the ordered legs add
// arsinh(s_01 D) of each, then the first variable of each mapping, then the second: (y, z), (x, z), (x, u) or (x, v).
// An antenna is part of the factor.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "surrogate/antenna.h"
#include "surrogate/dipole.h"
#include "surrogate/multiparticle.h"
#include "surrogate/singular_factor.h"

namespace pyamp {

struct LogInvariants {
    struct Group {
        std::vector<int> legs;
        std::vector<int> reference;  ///< legs w of the ordering key
    };
    /// Legs and their antiparticles, one for one, none in a group.
    struct Conjugation {
        std::vector<int> legs, conjugates;
        std::vector<int> reference;  ///< legs w of the key
    };
    struct Resonance {
        static constexpr int n_features = 2;
        std::vector<int> legs;
        double mass, width;  ///< GeV
    };
    static constexpr std::size_t max_resonances = 4;
    static constexpr std::size_t max_dipoles = 64;

    int n_legs = 0;
    int n_incoming = 2;
    std::vector<Group> ordering;
    std::optional<Conjugation> conjugation;
    bool linear = false;         ///< |s_ij| / s_01 of every pair after the logarithms of all
    bool energy = false;         ///< ln(s_01 / GeV^2) after them
    bool multiparticle = false;  ///< then ln(|s_I| / s_01) of the sets of legs of multiparticle::sets
    std::vector<Resonance> resonances;
    std::vector<Dipole> dipoles;
    std::optional<Antenna> antenna;
    SingularFactor factor;
    std::vector<double> mean, std;  ///< one per feature

    int n_features() const {
        return (kinematics::pair_count(n_legs) - 1) * (linear ? 2 : 1) + (energy ? 1 : 0) +
               (multiparticle ? static_cast<int>(multiparticle::sets(n_legs, n_incoming).size()) : 0) +
               Resonance::n_features * static_cast<int>(resonances.size()) +
               Dipole::n_features * static_cast<int>(dipoles.size());
    }
    /// Feature of legs i and j where legs are not ordered; the pair (0,1) has none.
    static int feature_of(int i, int j, int legs) {
        return (i < j ? kinematics::pair_index(i, j, legs) : kinematics::pair_index(j, i, legs)) - 1;
    }
};

}  // namespace pyamp
