// What does not depend on the momenta: which trees a corner of a cut is made of, which cuts there are, and which
// colour class every order of the gluons belongs to.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace pyamp::quark_loop {

/// Sets of legs are bit masks, leg 0 lowest. Leg 0 always has positive helicity (parity gives the rest), so a set
/// has as many helicity configurations as its other legs allow; their index packs the bits of these legs, lowest
/// leg first, 1 for negative helicity.
using Legs = unsigned;

/// A tree of gluons as the product of two shorter ones: items, and maps from its helicities to theirs.
struct Split {
    int first, second, first_map, second_map;
};

/// What the line absorbs at one vertex: a photon, or a tree of gluons that join in the given order.
struct Item {
    std::vector<int> legs;  ///< in the order in which the line would absorb them one by one
    Legs mask = 0;
    bool photon = false;
    int n_helicities = 1;
    int offset = 0;  ///< of its first helicity in tables of all items
    std::vector<Split> splits{};
};

/// Two items absorbed at one point.
struct Pair {
    int first;
    int second;
    int offset;  ///< entry of helicities (h1, h2): offset + h1 * n_helicities(second) + h2
};

/// One way to reach a state of the line from an earlier one.
struct Step {
    int from;        ///< state
    int item;        ///< absorbed item, or -1
    int pair;        ///< or absorbed pair
    double weight;   ///< of the pair: 2 when it comes in two orders
    int value_map;   ///< helicity of the new state -> helicity of the earlier one
    int item_map;    ///< -> helicity of the item (or first of the pair)
    int second_map;  ///< -> helicity of the second of the pair
};

/// The line after it absorbed some legs of a corner: the order of the gluons matters, that of the photons does not.
struct State {
    Legs mask = 0;
    int n_helicities = 1;
    int first_step = 0;
    int end_step = 0;
    int order = -1;  ///< index of the order of the gluons if all legs are absorbed
};

/// The trees of all legs of a set on the line, states sorted so that earlier ones come first.
struct Corner {
    std::vector<State> states;
    std::vector<Step> steps;
    std::vector<int> items;
    std::vector<std::vector<int>> orders;
};

/// A product of one tree per corner that contributes to a colour class.
struct Term {
    std::array<int, 4> slot{};
    int colour_class = 0;
    double sign = 1;
};

/// A cut into trees; the line absorbs the corners in turn.
struct Cut {
    int n_corners = 0;
    std::array<Legs, 4> corner{};
    std::array<std::vector<int>, 4> slot_of_order;  ///< orders that only ever appear together share a slot
    std::array<std::vector<double>, 4> sign_of_order;
    std::array<int, 4> n_slots{};
    std::array<int, 4> helicity_map{};  ///< helicity of all legs -> of the corner
    std::vector<Term> terms;
    /// The first two corners together: helicity of all legs -> of both -> of each.
    int pair_map = 0;
    std::array<int, 2> of_pair_map{};
    int n_pair_helicities = 0;
};

struct Topology {
    int n_legs = 0;
    int n_helicities = 0;
    int n_classes = 0;
    int n_item_helicities = 0;
    int n_pair_helicities = 0;
    int max_states = 0;
    std::vector<std::vector<int>> class_words;  ///< cyclic order of the gluons of each class, up to reflection
    std::vector<Item> items;
    std::vector<Pair> pairs;
    std::vector<Corner> corners;  ///< by mask
    std::vector<Cut> boxes;       ///< the first corner is a single leg
    std::vector<Cut> triangles;   ///< the last corner is a largest one
    std::vector<Cut> bubbles;
    std::vector<int> channel;  ///< by mask: which bubble cuts this set from the rest, -1 if none
    std::vector<std::uint8_t> maps;

    const std::uint8_t* map(int index) const { return maps.data() + index; }

    /// @param photons which legs are photons; the others are gluons
    Topology(int n_legs, Legs photons);

    /// Table from helicities of `legs` to those of a subset.
    int helicity_map(Legs legs, Legs subset);
    int find_item(const std::vector<int>& legs) const;

 private:
    Legs photons_;
    std::vector<int> map_index_;

    int find_pair(int first, int second);
    void make_items();
    void make_corner(Legs legs);
    void make_classes();
    void make_cuts();
    void finish(Cut& cut, double weight);
};

int count_helicities(Legs legs);

}  // namespace pyamp::quark_loop
