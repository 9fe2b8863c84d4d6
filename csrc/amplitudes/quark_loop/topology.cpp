// Enumeration of trees and cuts, once per process.
#include "amplitudes/quark_loop/topology.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <map>

namespace pyamp::quark_loop {

namespace {

std::vector<int> legs_of(Legs mask) {
    std::vector<int> legs;
    for (int i = 0; mask >> i; ++i) {
        if (mask >> i & 1) legs.push_back(i);
    }
    return legs;
}

Legs mask_of(const std::vector<int>& legs) {
    Legs mask = 0;
    for (int i : legs) mask |= 1u << i;
    return mask;
}

/// All orders of all subsets of the legs, shorter ones first.
std::vector<std::vector<int>> ordered_subsets(Legs legs) {
    std::vector<std::vector<int>> all{{}};
    for (std::size_t n = 0; n < all.size(); ++n) {
        for (int i : legs_of(legs & ~mask_of(all[n]))) {
            std::vector<int> longer = all[n];
            longer.push_back(i);
            all.push_back(longer);
        }
    }
    return all;
}

/// The cyclic word turned so that its smallest letter comes first.
std::vector<int> turned(std::vector<int> word) {
    std::rotate(word.begin(), std::min_element(word.begin(), word.end()), word.end());
    return word;
}

std::vector<int> reflected(std::vector<int> word) {
    std::reverse(word.begin(), word.end());
    return turned(word);
}

}  // namespace

int count_helicities(Legs legs) { return 1 << std::popcount(legs & ~1u); }

Topology::Topology(int n, Legs photons) : n_legs(n), photons_(photons) {
    map_index_.assign(std::size_t{1} << (2 * n), -1);
    n_helicities = count_helicities((1u << n) - 1);
    make_items();
    corners.resize(std::size_t{1} << n);
    for (Legs legs = 1; legs < 1u << n; ++legs) {
        if (std::popcount(legs) <= n - 2) make_corner(legs);
    }
    make_classes();
    make_cuts();
}

int Topology::helicity_map(Legs legs, Legs subset) {
    int& index = map_index_[legs << n_legs | subset];
    if (index >= 0) return index;
    index = static_cast<int>(maps.size());
    const std::vector<int> with_helicity = legs_of(legs & ~1u);
    for (int h = 0; h < count_helicities(legs); ++h) {
        int packed = 0;
        int bit = 0;
        for (std::size_t k = 0; k < with_helicity.size(); ++k) {
            if (subset >> with_helicity[k] & 1) packed |= (h >> k & 1) << bit++;
        }
        maps.push_back(static_cast<std::uint8_t>(packed));
    }
    return index;
}

int Topology::find_item(const std::vector<int>& legs) const {
    for (std::size_t k = 0; k < items.size(); ++k) {
        if (items[k].legs == legs) return static_cast<int>(k);
    }
    return -1;
}

int Topology::find_pair(int first, int second) {
    for (std::size_t k = 0; k < pairs.size(); ++k) {
        if (pairs[k].first == first && pairs[k].second == second) return static_cast<int>(k);
    }
    pairs.push_back({first, second, n_pair_helicities});
    n_pair_helicities += items[first].n_helicities * items[second].n_helicities;
    return static_cast<int>(pairs.size()) - 1;
}

void Topology::make_items() {
    const auto add = [&](const std::vector<int>& legs, bool photon) {
        const Legs mask = mask_of(legs);
        items.push_back({legs, mask, photon, count_helicities(mask), n_item_helicities, {}});
        n_item_helicities += items.back().n_helicities;
    };
    const Legs all = (1u << n_legs) - 1;
    const Legs gluons = all & ~photons_;
    for (int i : legs_of(photons_)) add({i}, true);
    for (const auto& word : ordered_subsets(gluons)) {
        // A tree of all gluons on the line drops out of the sum over the cyclic orders.
        if (word.empty() || static_cast<int>(word.size()) == std::popcount(gluons)) continue;
        add(word, false);
        Item& item = items.back();
        for (auto middle = word.begin() + 1; middle != word.end(); ++middle) {
            const int first = find_item({word.begin(), middle});
            const int second = find_item({middle, word.end()});
            item.splits.push_back({first, second, helicity_map(item.mask, items[first].mask),
                                   helicity_map(item.mask, items[second].mask)});
        }
    }
}

void Topology::make_corner(Legs legs) {
    Corner& corner = corners[legs];
    const Legs photons = legs & photons_;
    const Legs gluons = legs & ~photons_;

    struct Key {
        std::vector<int> order;
        Legs photons;
        auto operator<=>(const Key&) const = default;
    };
    std::vector<Key> keys;
    for (const auto& order : ordered_subsets(gluons)) {
        for (Legs set = 0; set <= photons; ++set) {
            if ((set & ~photons) == 0) keys.push_back({order, set});
        }
    }
    const auto size = [](const Key& k) { return k.order.size() + std::popcount(k.photons); };
    std::stable_sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) { return size(a) < size(b); });
    std::map<Key, int> index;
    for (std::size_t k = 0; k < keys.size(); ++k) index[keys[k]] = static_cast<int>(k);

    for (const Key& key : keys) {
        State state;
        state.mask = mask_of(key.order) | key.photons;
        state.n_helicities = count_helicities(state.mask);
        state.first_step = static_cast<int>(corner.steps.size());
        const auto tail = [&](std::size_t begin, std::size_t end) {
            return find_item({key.order.begin() + static_cast<std::ptrdiff_t>(begin),
                              key.order.begin() + static_cast<std::ptrdiff_t>(end)});
        };
        const auto earlier = [&](std::size_t n_gluons, Legs absorbed) {
            const auto end = key.order.begin() + static_cast<std::ptrdiff_t>(n_gluons);
            return index.at({{key.order.begin(), end}, key.photons & ~absorbed});
        };
        const auto absorb = [&](int from, int item) {
            const Legs mask = items[item].mask;
            corner.steps.push_back(
                {from, item, -1, 1, helicity_map(state.mask, state.mask & ~mask), helicity_map(state.mask, mask), 0});
            if (std::find(corner.items.begin(), corner.items.end(), item) == corner.items.end()) {
                corner.items.push_back(item);
            }
        };
        const auto absorb_pair = [&](int from, int first, int second, double weight) {
            const Legs a = items[first].mask;
            const Legs b = items[second].mask;
            corner.steps.push_back({from, -1, find_pair(first, second), weight,
                                    helicity_map(state.mask, state.mask & ~(a | b)), helicity_map(state.mask, a),
                                    helicity_map(state.mask, b)});
        };

        const std::size_t n = key.order.size();
        const std::vector<int> absorbed = legs_of(key.photons);
        for (std::size_t k = 0; k < absorbed.size(); ++k) {
            const Legs one = 1u << absorbed[k];
            const int photon = find_item({absorbed[k]});
            absorb(earlier(n, one), photon);
            for (std::size_t j = k + 1; j < absorbed.size(); ++j) {
                absorb_pair(earlier(n, one | 1u << absorbed[j]), photon, find_item({absorbed[j]}), 2);
            }
            for (std::size_t begin = 0; begin < n; ++begin) {
                const int word = tail(begin, n);
                if (word >= 0) absorb_pair(earlier(begin, one), photon, word, 2);
            }
        }
        for (std::size_t begin = 0; begin < n; ++begin) {
            const int word = tail(begin, n);
            if (word < 0) continue;
            absorb(earlier(begin, 0), word);
            for (std::size_t before = 0; before < begin; ++before) {
                const int first = tail(before, begin);
                if (first >= 0) absorb_pair(earlier(before, 0), first, word, 1);
            }
        }
        state.end_step = static_cast<int>(corner.steps.size());
        if (state.mask == legs) {
            state.order = static_cast<int>(corner.orders.size());
            corner.orders.push_back(key.order);
        }
        corner.states.push_back(state);
    }
    max_states = std::max(max_states, static_cast<int>(corner.states.size()));
}

void Topology::make_classes() {
    const Legs gluons = ((1u << n_legs) - 1) & ~photons_;
    std::vector<int> word = legs_of(gluons);
    do {
        if (turned(word) != word) break;  // the first letter stays the smallest
        const auto known = [&](const std::vector<int>& w) {
            return std::find(class_words.begin(), class_words.end(), w) != class_words.end();
        };
        if (!known(word) && !known(reflected(word))) class_words.push_back(word);
    } while (std::next_permutation(word.begin(), word.end()));
    n_classes = static_cast<int>(class_words.size());
}

void Topology::finish(Cut& cut, double weight) {
    const Legs all = (1u << n_legs) - 1;
    int n_ordered = 0;
    std::array<int, 4> n_orders{1, 1, 1, 1};
    for (int c = 0; c < cut.n_corners; ++c) {
        n_orders[c] = static_cast<int>(corners[cut.corner[c]].orders.size());
        n_ordered += n_orders[c] > 1;
        cut.helicity_map[c] = helicity_map(all, cut.corner[c]);
        cut.slot_of_order[c].assign(n_orders[c], 0);
        cut.sign_of_order[c].assign(n_orders[c], 1);
        cut.n_slots[c] = n_orders[c];
        for (int k = 0; k < n_orders[c]; ++k) cut.slot_of_order[c][k] = k;
    }
    const Legs pair = cut.corner[0] | cut.corner[1];
    cut.pair_map = helicity_map(all, pair);
    cut.n_pair_helicities = count_helicities(pair);
    for (int c = 0; c < 2; ++c) cut.of_pair_map[c] = helicity_map(pair, cut.corner[c]);
    const double reflection = n_legs % 2 ? -1 : 1;
    std::array<int, 4> o{};
    for (o[0] = 0; o[0] < n_orders[0]; ++o[0]) {
        for (o[1] = 0; o[1] < n_orders[1]; ++o[1]) {
            for (o[2] = 0; o[2] < n_orders[2]; ++o[2]) {
                for (o[3] = 0; o[3] < n_orders[3]; ++o[3]) {
                    std::vector<int> word;
                    for (int c = 0; c < cut.n_corners; ++c) {
                        const auto& order = corners[cut.corner[c]].orders[o[c]];
                        word.insert(word.end(), order.begin(), order.end());
                    }
                    const auto direct = std::find(class_words.begin(), class_words.end(), turned(word));
                    const bool turn = direct == class_words.end();
                    const auto found =
                        turn ? std::find(class_words.begin(), class_words.end(), reflected(word)) : direct;
                    const int colour_class = static_cast<int>(found - class_words.begin());
                    cut.terms.push_back({o, colour_class, weight * (turn ? reflection : 1)});
                }
            }
        }
    }
    if (n_ordered != 1) return;
    // One corner alone decides the class: its trees are added up by class before they are multiplied.
    const int c = static_cast<int>(std::max_element(n_orders.begin(), n_orders.end()) - n_orders.begin());
    std::vector<Term> merged;
    for (const Term& term : cut.terms) {
        auto slot = std::find_if(merged.begin(), merged.end(),
                                 [&](const Term& m) { return m.colour_class == term.colour_class; });
        if (slot == merged.end()) {
            Term first = term;
            first.slot[c] = static_cast<int>(merged.size());
            first.sign = weight;
            slot = merged.insert(merged.end(), first);
        }
        cut.slot_of_order[c][term.slot[c]] = slot->slot[c];
        cut.sign_of_order[c][term.slot[c]] = term.sign / weight;
    }
    cut.terms = merged;
    cut.n_slots[c] = static_cast<int>(merged.size());
}

void Topology::make_cuts() {
    const Legs all = (1u << n_legs) - 1;
    channel.assign(std::size_t{1} << n_legs, -1);
    // Cyclic orders of m corners: the first holds leg 0; reflected orders are the same cut.
    const std::function<void(int, Legs, Cut&, std::vector<Cut>&)> divide = [&](int m, Legs rest, Cut& cut,
                                                                               std::vector<Cut>& out) {
        if (cut.n_corners == m) {
            if (rest == 0 && (m < 3 || cut.corner[1] < cut.corner[m - 1])) out.push_back(cut);
            return;
        }
        for (Legs set = 1; set <= rest; ++set) {
            if ((set & ~rest) || (cut.n_corners == 0 && !(set & 1))) continue;
            cut.corner[cut.n_corners++] = set;
            divide(m, rest & ~set, cut, out);
            --cut.n_corners;
        }
    };
    Cut empty;
    divide(4, all, empty, boxes);
    divide(3, all, empty, triangles);
    divide(2, all, empty, bubbles);

    const auto size = [](Legs s) { return std::popcount(s); };
    for (Cut& cut : boxes) {
        while (size(cut.corner[0]) > 1) std::rotate(cut.corner.begin(), cut.corner.begin() + 1, cut.corner.end());
        finish(cut, 1);
    }
    for (Cut& cut : triangles) {
        const auto largest = std::max({size(cut.corner[0]), size(cut.corner[1]), size(cut.corner[2])});
        while (size(cut.corner[2]) < largest) {
            std::rotate(cut.corner.begin(), cut.corner.begin() + 1, cut.corner.begin() + 3);
        }
        finish(cut, 1);
    }
    std::erase_if(bubbles, [&](const Cut& cut) { return size(cut.corner[0]) < 2 || size(cut.corner[1]) < 2; });
    for (std::size_t k = 0; k < bubbles.size(); ++k) {
        // Every order comes with its reflection, which is the same diagram.
        finish(bubbles[k], 0.5);
        channel[bubbles[k].corner[0]] = channel[bubbles[k].corner[1]] = static_cast<int>(k);
    }
}

}  // namespace pyamp::quark_loop
