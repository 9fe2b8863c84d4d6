// The entry "representation".
#include <algorithm>
#include <functional>

#include "model_file/sections.h"

namespace pyamp {
namespace {

bool is_leg(int leg, int n_legs) { return leg >= 0 && leg < n_legs; }

std::vector<LogInvariants::Group> read_ordering(const HeaderReader& fields, int n_legs) {
    std::vector<LogInvariants::Group> ordering;
    for (const auto& group : fields.objects("ordering", {"legs", "reference"})) {
        ordering.push_back({group.integers("legs"), group.integers("reference")});
        const auto& [legs, reference] = ordering.back();
        if (legs.size() < 2 || !std::all_of(legs.begin(), legs.end(), [&](int leg) { return is_leg(leg, n_legs); }))
            group.refuse("legs", "two or more legs");
        for (const int w : reference)
            if (!is_leg(w, n_legs) || std::find(legs.begin(), legs.end(), w) != legs.end())
                group.refuse("reference", "legs outside the group");
        if (reference.empty()) group.refuse("reference", "one or more legs");
    }
    return ordering;
}

LogInvariants::Conjugation read_conjugation(const HeaderReader& fields, int n_legs,
                                            const std::vector<LogInvariants::Group>& ordering) {
    const HeaderReader entry = fields.object("conjugation", {"legs", "conjugates", "reference"});
    LogInvariants::Conjugation result{entry.integers("legs"), entry.integers("conjugates"),
                                      entry.integers("reference")};
    auto legs = result.legs;
    legs.insert(legs.end(), result.conjugates.begin(), result.conjugates.end());
    const auto is_known = [&](int leg) { return is_leg(leg, n_legs); };
    if (result.legs.empty() || result.legs.size() != result.conjugates.size() ||
        !std::all_of(legs.begin(), legs.end(), is_known))
        entry.refuse("conjugates", "one leg for each of one or more in legs");
    for (const auto& group : ordering) legs.insert(legs.end(), group.legs.begin(), group.legs.end());
    std::sort(legs.begin(), legs.end());
    if (std::adjacent_find(legs.begin(), legs.end()) != legs.end())
        entry.refuse("conjugates", "different legs, none in a group of identical ones");
    if (result.reference.empty() || !std::all_of(result.reference.begin(), result.reference.end(), is_known))
        entry.refuse("reference", "one or more legs");
    for (const int w : result.reference)
        if (w == result.legs.front() || w == result.conjugates.front())
            entry.refuse("reference", "legs other than the first pair");
    return result;
}

std::vector<LogInvariants::Resonance> read_resonances(const HeaderReader& fields, const Process& process) {
    std::vector<LogInvariants::Resonance> resonances;
    for (const auto& entry : fields.objects("resonances", {"legs", "mass", "width"})) {
        resonances.push_back({entry.integers("legs"), entry.positive("mass"), entry.positive("width")});
        const auto& legs = resonances.back().legs;
        const auto is_outgoing = [&](int leg) { return leg >= process.n_incoming && leg < process.n_legs(); };
        if (legs.size() < 2 || !std::all_of(legs.begin(), legs.end(), is_outgoing) ||
            std::adjacent_find(legs.begin(), legs.end(), std::greater_equal<>()) != legs.end())
            entry.refuse("legs", "two or more outgoing legs, ascending");
    }
    if (resonances.empty() || resonances.size() > LogInvariants::max_resonances)
        fields.refuse("resonances", "1 to " + std::to_string(LogInvariants::max_resonances) + " resonances");
    return resonances;
}

std::vector<Dipole> read_dipoles(const HeaderReader& fields, const Process& process) {
    using Configuration = Dipole::Configuration;
    using Splitting = Dipole::Splitting;
    const int n_legs = process.n_legs(), n_incoming = process.n_incoming;
    std::vector<Dipole> dipoles;
    for (const auto& entry : fields.objects("dipoles", {"emitter", "spectator", "splitting"})) {
        const auto emitter = entry.integers("emitter");
        const int k = entry.integer("spectator");
        if (emitter.size() != 2 || !is_leg(emitter[0], n_legs) || !is_leg(emitter[1], n_legs) ||
            emitter[1] < n_incoming || emitter[0] == emitter[1])
            entry.refuse("emitter", "two different legs, the second outgoing");
        if (!is_leg(k, n_legs) || k == emitter[0] || k == emitter[1])
            entry.refuse("spectator", "a leg beside the emitter");
        const bool is_initial = emitter[0] < n_incoming;
        const auto splitting = entry.choice("splitting", is_initial ? std::vector<std::string>{"qg", "gg", "gq", "qq"}
                                                                    : std::vector<std::string>{"qg", "gg", "qq"});
        const auto of_final = k < n_incoming ? Configuration::final_initial : Configuration::final_final;
        const auto of_initial = k < n_incoming ? Configuration::initial_initial : Configuration::initial_final;
        dipoles.push_back({emitter[0], emitter[1], k, is_initial ? of_initial : of_final,
                           splitting == "qg"   ? Splitting::quark_gluon
                           : splitting == "gg" ? Splitting::gluon_gluon
                           : splitting == "gq" ? Splitting::gluon_quark
                                               : Splitting::quark_quark});
    }
    if (dipoles.empty() || dipoles.size() > LogInvariants::max_dipoles)
        fields.refuse("dipoles", "1 to " + std::to_string(LogInvariants::max_dipoles) + " dipoles");
    return dipoles;
}

Antenna read_antenna(const HeaderReader& fields, int n_legs) {
    const HeaderReader entry = fields.object("antenna", {"ends", "gluons"});
    Antenna antenna{entry.integers("ends"), entry.integers("gluons")};
    auto legs = antenna.gluons;
    legs.insert(legs.end(), antenna.ends.begin(), antenna.ends.end());
    std::sort(legs.begin(), legs.end());
    const bool are_legs = std::all_of(legs.begin(), legs.end(), [&](int leg) { return is_leg(leg, n_legs); });
    if (!are_legs || std::adjacent_find(legs.begin(), legs.end()) != legs.end())
        entry.refuse("gluons", "different legs in ends and gluons");
    if (!antenna.ends.empty() && antenna.ends.size() != 2) entry.refuse("ends", "no leg or two");
    const std::size_t least = antenna.ends.empty() ? 3 : 1;
    if (antenna.gluons.size() < least || antenna.gluons.size() > Antenna::max_gluons)
        entry.refuse("gluons", std::to_string(least) + " to " + std::to_string(Antenna::max_gluons) + " legs");
    return antenna;
}

SingularFactor read_factor(const HeaderReader& fields, int n_legs) {
    SingularFactor factor;
    for (const auto& term : fields.objects("factor", {"i", "j", "power"})) {
        factor.terms.push_back({term.integer("i"), term.integer("j"), term.number("power")});
        const auto& [i, j, power] = factor.terms.back();
        if (!is_leg(i, n_legs) || !is_leg(j, n_legs) || i == j) term.refuse("j", "two different legs i and j");
    }
    return factor;
}

std::vector<double> read_std(const HeaderReader& fields, std::size_t n_features) {
    auto std = fields.numbers("std", n_features);
    if (*std::min_element(std.begin(), std.end()) <= 0.0) fields.refuse("std", "positive numbers");
    return std;
}

/// What the representations have in common.
template <typename T>
T read_common(T result, const HeaderReader& fields, const Process& process) {
    result.n_legs = process.n_legs();
    result.n_incoming = process.n_incoming;
    const auto n_features = static_cast<std::size_t>(result.n_features());
    result.factor = read_factor(fields, process.n_legs());
    result.mean = fields.numbers("mean", n_features);
    result.std = read_std(fields, n_features);
    return result;
}

}  // namespace

Representation read_representation(const HeaderReader& header, const Process& process) {
    if (header.type_of("representation", {"log_invariants", "momenta"}) == "momenta")
        return read_common(ScaledMomenta{}, header.object("representation", {"type", "factor", "mean", "std"}),
                           process);
    const auto fields =
        header.object("representation", {"type", "ordering", "factor", "mean", "std"},
                      {"linear", "energy", "multiparticle", "conjugation", "resonances", "dipoles", "antenna"});
    LogInvariants result;
    result.linear = fields.has("linear") && fields.boolean("linear");
    result.energy = fields.has("energy") && fields.boolean("energy");
    result.multiparticle = fields.has("multiparticle") && fields.boolean("multiparticle");
    result.ordering = read_ordering(fields, process.n_legs());
    if (fields.has("conjugation")) result.conjugation = read_conjugation(fields, process.n_legs(), result.ordering);
    if (fields.has("resonances")) result.resonances = read_resonances(fields, process);
    if (fields.has("dipoles")) result.dipoles = read_dipoles(fields, process);
    if (fields.has("antenna")) result.antenna = read_antenna(fields, process.n_legs());
    return read_common(std::move(result), fields, process);
}

}  // namespace pyamp
