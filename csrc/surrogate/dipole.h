// Catani-Seymour dipoles of massless QCD, spin-averaged and without couplings and colours (hep-ph/9605323, section
// 5).
//
// All invariants are s_ij = |2 p_i.p_j| of physical momenta, incoming ones with positive energy.
#pragma once

namespace pyamp {

struct Dipole {
    static constexpr int n_features = 3;  ///< arsinh(s_01 D) and the two variables of the mapping
    static constexpr double least_x = 1e-12;

    /// Where emitter and spectator are.
    enum class Configuration { final_final, final_initial, initial_final, initial_initial };
    /// Of an outgoing pair, or an incoming leg and what it emitted; a quark pair comes from a gluon, and a quark that
    /// emitted a quark has become one.
    enum class Splitting { quark_gluon, gluon_gluon, gluon_quark, quark_quark };

    int i, j;  ///< emitter: an outgoing pair, or an incoming leg and what it emitted
    int k;     ///< spectator
    Configuration configuration;
    Splitting splitting;

    bool is_initial() const {
        return configuration == Configuration::initial_final || configuration == Configuration::initial_initial;
    }
};

}  // namespace pyamp
