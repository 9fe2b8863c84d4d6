// The line in a cut: its vertices and propagators for one loop momentum, or one direction of it.
#pragma once

#include <vector>

#include "amplitudes/quark_loop/external_field.h"
#include "amplitudes/quark_loop/series.h"

namespace pyamp::quark_loop {

/// Loop momentum before the first corner, (grow t + constant + slope z + shrink c/t); parts that a series lacks are
/// not used.
template <class R>
struct LoopMomentum {
    Vector<R> grow, constant, slope, shrink;
};

template <class Series, class R>
typename Series::Vertex vertex_along(const LoopMomentum<R>& l, const Vector<R>& field) {
    if constexpr (requires(typename Series::Vertex v) { v.slope; }) {
        return {dot2(field, l.grow), dot2(field, l.constant), dot2(field, l.slope), dot2(field, l.shrink)};
    } else if constexpr (requires(typename Series::Vertex v) { v.shrink; }) {
        return {dot2(field, l.grow), dot2(field, l.constant), dot2(field, l.shrink)};
    } else if constexpr (requires(typename Series::Vertex v) { v.grow; }) {
        return {dot2(field, l.grow), {}};
    } else {
        return {dot2(field, l.constant)};
    }
}

/// (l + k)^2 - mu^2 = 2 l.k + k^2
template <class Series, class R>
typename Series::Propagator propagator_along(const LoopMomentum<R>& l, const Vector<R>& k, const R& k2) {
    const Complex<R> constant = dot2(k, l.constant) + Complex<R>{k2, R(0)};
    if constexpr (requires(typename Series::Propagator d) { d.slope; }) {
        const Complex<R> inv = inverse(dot2(k, l.grow));
        return {inv, inv * constant, inv * dot2(k, l.slope), inv * dot2(k, l.shrink)};
    } else if constexpr (requires(typename Series::Propagator d) { d.shrink; }) {
        const Complex<R> inv = inverse(dot2(k, l.grow));
        return {inv, inv * constant, inv * dot2(k, l.shrink)};
    } else if constexpr (requires(typename Series::Vertex v) { v.grow; }) {
        return {inverse(dot2(k, l.grow))};
    } else {
        return {inverse(constant)};
    }
}

/// Trees of the corners of a cut, kept from cut to cut.
template <class Series, class R>
class Line {
 public:
    explicit Line(const Topology& topology);

    /// The trees of all corners of a cut.
    void cut(const ExternalField<R>& external, const Cut& cut, const LoopMomentum<R>& l);

    /// Tree of a corner by slot and helicity of all legs.
    const Series& tree(const Cut& cut, int corner, int slot, int helicity) const {
        return trees_[corner][slot * stride_ + topology_.map(cut.helicity_map[corner])[helicity]];
    }

    /// Tree of a corner by slot and helicity of the corner.
    const Series& tree(int corner, int slot, int helicity) const { return trees_[corner][slot * stride_ + helicity]; }

 private:
    const Topology& topology_;
    int stride_;
    std::vector<typename Series::Vertex> vertices_;
    std::vector<Series> states_;
    std::vector<Series> trees_[4];

    void corner(const ExternalField<R>& external, const Cut& cut, int c, Legs before, const LoopMomentum<R>& l);
};

template <class Series, class R>
Line<Series, R>::Line(const Topology& topology)
    : topology_(topology),
      stride_(topology.n_helicities),
      vertices_(topology.n_item_helicities),
      states_(static_cast<std::size_t>(topology.max_states) * topology.n_helicities) {
    int most_slots = 1;
    for (const auto* cuts : {&topology.boxes, &topology.triangles, &topology.bubbles}) {
        for (const Cut& cut : *cuts) {
            for (int n : cut.n_slots) most_slots = n > most_slots ? n : most_slots;
        }
    }
    for (auto& trees : trees_) trees.resize(static_cast<std::size_t>(most_slots) * stride_);
}

template <class Series, class R>
void Line<Series, R>::cut(const ExternalField<R>& external, const Cut& cut, const LoopMomentum<R>& l) {
    Legs before = 0;
    for (int c = 0; c < cut.n_corners; ++c) {
        corner(external, cut, c, before, l);
        before |= cut.corner[c];
    }
}

template <class Series, class R>
void Line<Series, R>::corner(const ExternalField<R>& external, const Cut& cut, int c, Legs before,
                             const LoopMomentum<R>& l) {
    const Corner& corner = topology_.corners[cut.corner[c]];
    const int n_legs = topology_.n_legs;
    for (int k : corner.items) {
        const Item& item = topology_.items[k];
        for (int n = item.offset; n < item.offset + item.n_helicities; ++n) {
            vertices_[n] = vertex_along<Series>(l, external.field(n));
        }
    }
    for (int slot = 0; slot < cut.n_slots[c]; ++slot) {
        for (int h = 0; h < count_helicities(cut.corner[c]); ++h) trees_[c][slot * stride_ + h] = Series{};
    }
    states_[0] = Series::one();
    for (std::size_t at = 1; at < corner.states.size(); ++at) {
        const State& state = corner.states[at];
        Series* const out = &states_[at * stride_];
        for (int h = 0; h < state.n_helicities; ++h) out[h] = Series{};
        for (int k = state.first_step; k < state.end_step; ++k) {
            const Step& step = corner.steps[k];
            const Series* const from = &states_[static_cast<std::size_t>(step.from) * stride_];
            const std::uint8_t* const value_map = topology_.map(step.value_map);
            const std::uint8_t* const item_map = topology_.map(step.item_map);
            if (step.item >= 0) {
                const Item& item = topology_.items[step.item];
                typename Series::Vertex vertices[16];
                const Legs absorbed = before | corner.states[step.from].mask;
                for (int a = 0; a < item.n_helicities; ++a) {
                    vertices[a] = vertices_[item.offset + a];
                    for (int leg = 0; leg < n_legs; ++leg) {
                        if (absorbed >> leg & 1)
                            vertices[a].constant += external.field_times_leg(item.offset + a, leg);
                    }
                }
                for (int h = 0; h < state.n_helicities; ++h) {
                    const int a = item_map[h];
                    out[h].absorb(vertices[a], from[value_map[h]]);
                    if (!external.self_dual(item.offset + a)) {
                        out[h].absorb(external.strength(item.offset + a), from[value_map[h]]);
                    }
                }
            } else {
                const Pair& pair = topology_.pairs[step.pair];
                const std::uint8_t* const second_map = topology_.map(step.second_map);
                const int n_second = topology_.items[pair.second].n_helicities;
                for (int h = 0; h < state.n_helicities; ++h) {
                    typename Series::Vertex v{};
                    v.constant =
                        R(step.weight) * external.seagull(pair.offset + item_map[h] * n_second + second_map[h]);
                    out[h].absorb(v, from[value_map[h]]);
                }
            }
        }
        if (state.order >= 0) {
            Series* const tree = &trees_[c][cut.slot_of_order[c][state.order] * stride_];
            const R sign(cut.sign_of_order[c][state.order]);
            for (int h = 0; h < state.n_helicities; ++h) tree[h].add(sign, out[h]);
        } else {
            const Legs absorbed = before | state.mask;
            const auto d = propagator_along<Series>(l, external.momentum(absorbed), external.s(absorbed));
            for (int h = 0; h < state.n_helicities; ++h) out[h].divide(d);
        }
    }
}

}  // namespace pyamp::quark_loop
