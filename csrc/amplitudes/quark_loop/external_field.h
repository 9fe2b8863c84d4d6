// Spinors, momenta of all sets of legs, and the classical fields that the external legs make: what the line in the
// loop moves in.
#pragma once

#include <bit>
#include <vector>

#include "amplitudes/quark_loop/real.h"
#include "amplitudes/quark_loop/topology.h"
#include "amplitudes/quark_loop/vectors.h"

namespace pyamp::quark_loop {

/// A physical momentum, energy positive.
template <class R>
struct Momentum {
    R E, x, y, z;
};

/// Legs are all outgoing here; the first n_incoming carry a factor i in both spinors.
///
/// Fields are those of color-ordered Feynman rules over sqrt(2), so that a leg of positive helicity has
/// eps = |q>[k|/<qk>, and solve the Yang-Mills equations in Lorenz gauge order by order (Berends, Giele,
/// Nucl. Phys. B306 (1988) 759; in this form Mafra, Schlotterer, arXiv:1510.08846).
template <class R>
class ExternalField {
 public:
    explicit ExternalField(const Topology& topology);

    /// @param pure_gauge leg whose polarisation vector is replaced by its momentum (Ward identity), or -1
    void fill(const Momentum<R>* legs, int n_incoming, int pure_gauge = -1);

    /// Momentum of a set of legs, and its square: exactly zero for a single leg.
    const Vector<R>& momentum(Legs legs) const { return momentum_[legs]; }
    const R& s(Legs legs) const { return s_[legs]; }
    const Spinor<R>& angle(int leg) const { return angle_[leg]; }
    const Spinor<R>& square(int leg) const { return square_[leg]; }

    /// Field of an item at one of its helicities: Item::offset + helicity.
    const Vector<R>& field(int n) const { return field_[n]; }
    /// Its field strength on the chirality of the line.
    const Traceless<R>& strength(int n) const { return strength_[n]; }
    /// Whether the strength vanishes: fields of positive helicities are self-dual.
    bool self_dual(int n) const { return self_dual_[n]; }
    /// 2 field.k_leg
    const Complex<R>& field_times_leg(int n, int leg) const { return times_leg_[n * topology_.n_legs + leg]; }
    /// - field.field of a pair of items: Pair::offset + helicities.
    const Complex<R>& seagull(int n) const { return seagull_[n]; }

 private:
    const Topology& topology_;
    std::vector<Spinor<R>> angle_, square_;
    std::vector<Vector<R>> momentum_;
    std::vector<R> s_;
    std::vector<Vector<R>> field_;
    std::vector<Traceless<R>> strength_;
    std::vector<char> self_dual_;
    std::vector<Complex<R>> times_leg_;
    std::vector<Complex<R>> seagull_;

    void make_spinors(const Momentum<R>* legs, int n_incoming);
    void make_leg(int item, bool pure_gauge);
    Vector<R> times_commutator(const Vector<R>& u, int item, int helicity) const;
    void make_tree(int item);
};

}  // namespace pyamp::quark_loop
