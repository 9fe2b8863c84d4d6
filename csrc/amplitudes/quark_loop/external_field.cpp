// Fields of single legs and of gluon trees.
#include "amplitudes/quark_loop/external_field.h"

namespace pyamp::quark_loop {

namespace {

template <class R>
Complex<R> product(const Spinor<R>& a, const Spinor<R>& b) {
    return a[0] * b[1] - a[1] * b[0];
}

/// Light-cone axis along x, which keeps the beams away from it.
template <class R>
Spinor<R> spinor(const Momentum<R>& p) {
    const R transverse2 = p.y * p.y + p.z * p.z;
    const R plus = p.x >= R(0) ? p.E + p.x : transverse2 / (p.E - p.x);
    const R root = sqrt(plus);
    if (root == R(0)) return {Complex<R>{}, Complex<R>{sqrt(p.E - p.x), R(0)}};
    return {Complex<R>{root, R(0)}, Complex<R>{p.y / root, p.z / root}};
}

}  // namespace

template <class R>
ExternalField<R>::ExternalField(const Topology& topology)
    : topology_(topology),
      angle_(topology.n_legs),
      square_(topology.n_legs),
      momentum_(std::size_t{1} << topology.n_legs),
      s_(std::size_t{1} << topology.n_legs),
      field_(topology.n_item_helicities),
      strength_(topology.n_item_helicities),
      self_dual_(topology.n_item_helicities),
      times_leg_(static_cast<std::size_t>(topology.n_item_helicities) * topology.n_legs),
      seagull_(topology.n_pair_helicities) {}

template <class R>
void ExternalField<R>::make_spinors(const Momentum<R>* legs, int n_incoming) {
    const int n = topology_.n_legs;
    std::vector<Spinor<R>>& bare = angle_;
    for (int i = 0; i < n; ++i) bare[i] = spinor(legs[i]);
    for (int i = 0; i < n; ++i) {
        square_[i] = {conj(bare[i][0]), conj(bare[i][1])};
        if (i >= n_incoming) continue;
        const Complex<R> unit{R(0), R(1)};
        for (int a = 0; a < 2; ++a) {
            square_[i][a] = unit * square_[i][a];
            angle_[i][a] = unit * angle_[i][a];
        }
    }
    const Legs end = 1u << n;
    momentum_[0] = {};
    s_[0] = R(0);
    for (Legs set = 1; set < end; ++set) {
        const int last = std::bit_width(set) - 1;
        const Legs rest = set & ~(1u << last);
        momentum_[set] = momentum_[rest] + outer(angle_[last], square_[last]);
        s_[set] = s_[rest];
        for (int i = 0; i < last; ++i) {
            // <ij>[ji] from spinors, not from energies, which cancel for nearly collinear pairs
            if (rest >> i & 1) {
                s_[set] = s_[set] + (product(angle_[i], angle_[last]) * product(square_[i], square_[last])).re;
            }
        }
    }
    // A set and the rest have the same mass; the smaller set knows it better.
    for (Legs set = 1; set < end; ++set) {
        const Legs rest = (end - 1) & ~set;
        const bool smaller = std::popcount(set) < std::popcount(rest);
        if (smaller || (std::popcount(set) == std::popcount(rest) && set < rest)) s_[rest] = s_[set];
    }
}

template <class R>
void ExternalField<R>::make_leg(int k, bool pure_gauge) {
    const Item& item = topology_.items[k];
    const int leg = item.legs[0];
    // Of the two beams, the one further away is the reference momentum.
    const bool beam_0 = leg == 1 || (leg != 0 && fabs(s_[1u | 1u << leg]) > fabs(s_[2u | 1u << leg]));
    const int q = beam_0 ? 0 : 1;
    const Vector<R>& k_leg = momentum_[item.mask];
    for (int h = 0; h < item.n_helicities; ++h) {
        const int n = item.offset + h;
        if (pure_gauge) {
            field_[n] = (R(1) / sqrt(fabs(s_[3]))) * k_leg;
        } else if (h == 0) {
            field_[n] = inverse(product(angle_[q], angle_[leg])) * outer(angle_[q], square_[leg]);
        } else {
            field_[n] = inverse(product(square_[q], square_[leg])) * outer(angle_[leg], square_[q]);
        }
        strength_[n] = wedge(k_leg, field_[n]);
        self_dual_[n] = h == 0;
        if (h == 0 || pure_gauge) strength_[n] = {};
    }
}

/// u_m [A, A]^mn for a tree of several legs.
template <class R>
Vector<R> ExternalField<R>::times_commutator(const Vector<R>& u, int k, int h) const {
    Vector<R> sum{};
    for (const Split& split : topology_.items[k].splits) {
        const Vector<R>& first = field_[topology_.items[split.first].offset + topology_.map(split.first_map)[h]];
        const Vector<R>& second = field_[topology_.items[split.second].offset + topology_.map(split.second_map)[h]];
        sum += R(0.5) * (dot2(u, second) * first - dot2(u, first) * second);
    }
    return sum;
}

template <class R>
void ExternalField<R>::make_tree(int k) {
    const Item& item = topology_.items[k];
    const R propagator = R(1) / s_[item.mask];
    for (int h = 0; h < item.n_helicities; ++h) {
        Vector<R> field{};
        Traceless<R> commutator{};
        for (const Split& split : item.splits) {
            const Item& x = topology_.items[split.first];
            const Item& y = topology_.items[split.second];
            const int h_x = topology_.map(split.first_map)[h];
            const int h_y = topology_.map(split.second_map)[h];
            const Vector<R>& field_x = field_[x.offset + h_x];
            const Vector<R>& field_y = field_[y.offset + h_y];
            const Vector<R>& k_x = momentum_[x.mask];
            const Vector<R>& k_y = momentum_[y.mask];
            // In the order in which the line absorbs them colours multiply from the left: y x, not x y.
            field += dot2(field_y, k_x) * field_x - dot2(field_x, k_y) * field_y +
                     (R(0.5) * dot2(field_x, field_y)) * (k_y - k_x) + times_commutator(field_x, split.second, h_y) -
                     times_commutator(field_y, split.first, h_x);
            commutator += wedge(field_y, field_x);
        }
        const int n = item.offset + h;
        field_[n] = propagator * field;
        strength_[n] = wedge(momentum_[item.mask], field_[n]) - commutator;
        self_dual_[n] = h == 0;
        if (h == 0) strength_[n] = {};
    }
}

template <class R>
void ExternalField<R>::fill(const Momentum<R>* legs, int n_incoming, int pure_gauge) {
    make_spinors(legs, n_incoming);
    for (std::size_t k = 0; k < topology_.items.size(); ++k) {
        // Items are sorted by length: the parts of a tree are there before it.
        const Item& item = topology_.items[k];
        if (item.legs.size() == 1) {
            make_leg(static_cast<int>(k), item.legs[0] == pure_gauge);
        } else {
            make_tree(static_cast<int>(k));
        }
        for (int n = item.offset; n < item.offset + item.n_helicities; ++n) {
            for (int leg = 0; leg < topology_.n_legs; ++leg) {
                times_leg_[n * topology_.n_legs + leg] = dot2(field_[n], momentum_[1u << leg]);
            }
        }
    }
    for (const Pair& pair : topology_.pairs) {
        const Item& first = topology_.items[pair.first];
        const Item& second = topology_.items[pair.second];
        int n = pair.offset;
        for (int a = 0; a < first.n_helicities; ++a) {
            for (int b = 0; b < second.n_helicities; ++b) {
                seagull_[n++] = R(-0.5) * dot2(field_[first.offset + a], field_[second.offset + b]);
            }
        }
    }
}

template class ExternalField<double>;
template class ExternalField<DoubleDouble>;

}  // namespace pyamp::quark_loop
