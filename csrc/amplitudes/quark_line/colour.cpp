// Traces in which every generator comes twice, contracted pair by pair.
#include "amplitudes/quark_line/colour.h"

#include <algorithm>
#include <cstddef>

namespace pyamp::quark_line {
namespace {

constexpr double n_colours = 3;

using Trace = std::vector<int>;

Trace joined(const Trace& a, const Trace& b) {
    Trace both = a;
    both.insert(both.end(), b.begin(), b.end());
    return both;
}

/// The product of traces by T^a_ij T^a_kl = (delta_il delta_kj - delta_ij delta_kl / N) / 2.
double contract(std::vector<Trace> traces) {
    double factor = 1;
    while (!traces.empty() && traces.back().empty()) {
        factor *= n_colours;
        traces.pop_back();
    }
    if (traces.empty()) return factor;
    const Trace first = traces.back();
    traces.pop_back();
    const int letter = first.front();
    const Trace rest(first.begin() + 1, first.end());

    Trace a, b;  // what the first term leaves: two traces of one, or one of two
    const auto again = std::find(rest.begin(), rest.end(), letter);
    std::vector<Trace> crossed = traces, straight = traces;
    if (again != rest.end()) {
        a.assign(rest.begin(), again);
        b.assign(again + 1, rest.end());
        crossed.insert(crossed.end(), {a, b});
        straight.push_back(joined(a, b));
    } else {
        const auto holds = [&](const Trace& t) { return std::find(t.begin(), t.end(), letter) != t.end(); };
        const auto at = std::find_if(traces.begin(), traces.end(), holds) - traces.begin();
        Trace other = traces[at];
        std::rotate(other.begin(), std::find(other.begin(), other.end(), letter), other.end());
        other.erase(other.begin());
        crossed[at] = joined(rest, other);
        straight[at] = other;
        straight.push_back(rest);
    }
    // An empty trace further down would be missed above.
    for (auto* list : {&crossed, &straight})
        std::stable_partition(list->begin(), list->end(), [](const Trace& t) { return !t.empty(); });
    return factor / 2 * (contract(crossed) - contract(straight) / n_colours);
}

}  // namespace

std::vector<double> colour_matrix(const std::vector<std::vector<int>>& orderings) {
    std::vector<double> matrix;
    for (const auto& s : orderings)
        for (const auto& t : orderings) matrix.push_back(contract({joined(s, {t.rbegin(), t.rend()})}));
    return matrix;
}

}  // namespace pyamp::quark_line
