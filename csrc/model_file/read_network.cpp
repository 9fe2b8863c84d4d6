// The entries "network" and "sigma_network".
#include <algorithm>
#include <set>
#include <utility>

#include "model_file/sections.h"

namespace pyamp {
namespace {

const std::vector<std::string> activations = {"gelu", "leaky_relu", "relu", "silu", "sine", "softplus", "tanh"};

constexpr int max_spline_order = 8;
constexpr int max_spline_intervals = 4096;

std::string read_activation(const HeaderReader& fields) { return fields.choice("activation", activations); }

int positive_integer(const HeaderReader& fields, const char* key) {
    if (fields.integer(key) < 1) fields.refuse(key, "a positive integer");
    return fields.integer(key);
}

int integer_within(const HeaderReader& fields, const char* key, int minimum, int maximum) {
    if (fields.integer(key) < minimum || fields.integer(key) > maximum)
        fields.refuse(key, std::to_string(minimum) + " to " + std::to_string(maximum));
    return fields.integer(key);
}

Widths positive_widths(const HeaderReader& fields, const char* key) {
    const auto values = fields.integers(key);
    if (values.empty() || *std::min_element(values.begin(), values.end()) < 1)
        fields.refuse(key, "one or more positive widths");
    return {values.begin(), values.end()};
}

/// Widths from the features to the outputs.
Widths read_widths(const HeaderReader& fields, std::int64_t n_features, std::int64_t outputs) {
    const auto values = fields.integers("widths");
    if (values.size() < 2 || values.front() != n_features || values.back() != outputs ||
        *std::min_element(values.begin(), values.end()) < 1)
        fields.refuse("widths", std::to_string(n_features) + " features, positive hidden widths, " +
                                    std::to_string(outputs) + " output" + (outputs == 1 ? "" : "s"));
    return {values.begin(), values.end()};
}

/// The networks that take feature k for the invariant of pair k of the legs.
const LogInvariants& require_unordered_invariants(const HeaderReader& header, const Representation& representation,
                                                  const std::string& network) {
    const auto fields = header.section("representation");
    const auto* invariants = std::get_if<LogInvariants>(&representation);
    if (!invariants) fields.refuse("type", "log_invariants for network " + network);
    if (invariants->linear) fields.refuse("linear", "false for network " + network);
    if (invariants->energy) fields.refuse("energy", "false for network " + network);
    if (invariants->multiparticle) fields.refuse("multiparticle", "false for network " + network);
    if (!invariants->dipoles.empty()) fields.refuse("dipoles", "no such entry for network " + network);
    if (!invariants->resonances.empty()) fields.refuse("resonances", "no such entry for network " + network);
    if (invariants->conjugation) fields.refuse("conjugation", "no such entry for network " + network);
    if (!invariants->ordering.empty()) fields.refuse("ordering", "an empty list for network " + network);
    return *invariants;
}

Mlp read_mlp(const HeaderReader& header, const char* key, int n_features, std::int64_t outputs,
             std::initializer_list<const char*> optional) {
    const auto fields = header.object(key, {"type", "widths", "activation"}, optional);
    return {read_widths(fields, n_features, outputs), read_activation(fields),
            fields.has("residual") && fields.boolean("residual")};
}

Kan read_kan(const HeaderReader& header, int n_features, std::int64_t outputs) {
    const auto fields = header.object("network", {"type", "widths", "intervals", "order", "range"});
    return {read_widths(fields, n_features, outputs), integer_within(fields, "intervals", 1, max_spline_intervals),
            integer_within(fields, "order", 1, max_spline_order), fields.positive("range")};
}

GroupKan read_group_kan(const HeaderReader& header, int n_features, std::int64_t outputs) {
    const auto fields = header.object("network", {"type", "widths", "groups", "numerator", "denominator"});
    return {read_widths(fields, n_features, outputs), positive_integer(fields, "groups"),
            positive_integer(fields, "numerator"), positive_integer(fields, "denominator")};
}

DeepSets read_deep_sets(const HeaderReader& header, const NetworkSurroundings& surroundings) {
    const auto fields =
        header.object("network", {"type", "classes", "pair_widths", "particle_widths", "widths", "activation"});
    require_unordered_invariants(header, surroundings.representation, "dsi");
    DeepSets network{fields.integers("classes"), positive_widths(fields, "pair_widths"),
                     positive_widths(fields, "particle_widths"), positive_widths(fields, "widths"),
                     read_activation(fields)};
    if (network.classes.size() != static_cast<std::size_t>(surroundings.n_legs) ||
        *std::min_element(network.classes.begin(), network.classes.end()) < 0)
        fields.refuse("classes", std::to_string(surroundings.n_legs) + " numbers of classes, 0 or more,");
    if (network.widths.back() != n_outputs(surroundings.likelihood))
        fields.refuse("widths",
                      "positive hidden widths, " + std::to_string(n_outputs(surroundings.likelihood)) + " outputs");
    return network;
}

std::vector<FksPartition::Pair> read_pairs(const HeaderReader& fields, int n_legs) {
    const std::string expected = "a list of different pairs [i, j] of legs without [0, 1]";
    const auto& list = fields.raw("pairs");
    std::vector<FksPartition::Pair> pairs;
    std::set<std::pair<int, int>> seen;
    if (!list.is_array() || list.empty()) fields.refuse("pairs", expected);
    for (const auto& entry : list) {
        if (!entry.is_array() || entry.size() != 2 || !entry[0].is_number_integer() || !entry[1].is_number_integer())
            fields.refuse("pairs", expected);
        const auto i = entry[0].get<std::int64_t>(), j = entry[1].get<std::int64_t>();
        const bool are_legs = i >= 0 && i < n_legs && j >= 0 && j < n_legs && i != j && i + j != 1;
        if (!are_legs || !seen.insert(std::minmax(static_cast<int>(i), static_cast<int>(j))).second)
            fields.refuse("pairs", expected);
        pairs.push_back({static_cast<int>(i), static_cast<int>(j)});
    }
    return pairs;
}

FksPartition read_fks(const HeaderReader& header, const NetworkSurroundings& surroundings) {
    const auto fields =
        header.object("network", {"type", "pairs", "y_cut", "widths", "activation", "mean", "std", "target_std"});
    const auto& invariants = require_unordered_invariants(header, surroundings.representation, "fks");
    if (surroundings.target.type != Target::Type::log) header.section("target").refuse("type", "log for network fks");
    if (!std::holds_alternative<HeteroskedasticGaussian>(surroundings.likelihood))
        header.section("likelihood").refuse("type", "heteroskedastic_gaussian for network fks");
    const auto n_features = static_cast<std::size_t>(invariants.n_features());
    FksPartition network{read_pairs(fields, surroundings.n_legs),
                         fields.positive("y_cut"),
                         read_widths(fields, invariants.n_features(), n_outputs(surroundings.likelihood)),
                         read_activation(fields),
                         fields.numbers("mean", n_features),
                         fields.numbers("std", n_features),
                         fields.positive("target_std")};
    if (network.mean != invariants.mean) fields.refuse("mean", "that of the representation");
    if (network.std != invariants.std) fields.refuse("std", "that of the representation");
    if (network.target_std != surroundings.target.std) fields.refuse("target_std", "that of the target");
    return network;
}

DipoleSum read_dipole_sum(const HeaderReader& header, const NetworkSurroundings& surroundings) {
    const auto fields = header.object(
        "network", {"type", "dipoles", "widths", "activation", "mean", "std", "scale", "target_std", "floor"});
    const auto representation = header.section("representation");
    const auto* invariants = std::get_if<LogInvariants>(&surroundings.representation);
    if (!invariants || invariants->dipoles.empty())
        representation.refuse("type", "log_invariants with dipoles for network dipole");
    if (surroundings.target.type != Target::Type::log)
        header.section("target").refuse("type", "log for network dipole");
    if (std::holds_alternative<GaussianMixture>(surroundings.likelihood))
        header.section("likelihood").refuse("type", "a likelihood with one mean for network dipole");
    const auto n = invariants->dipoles.size();
    const auto dipoles = static_cast<std::int64_t>(n);
    if (fields.integer("dipoles") != dipoles) fields.refuse("dipoles", "the number of those of the representation");
    DipoleSum network{dipoles,
                      read_widths(fields, invariants->n_features(), dipoles + n_outputs(surroundings.likelihood)),
                      read_activation(fields),
                      fields.numbers("mean", n),
                      fields.numbers("std", n),
                      fields.numbers("scale", n),
                      fields.positive("target_std"),
                      fields.positive("floor")};
    const auto agrees = [&](const std::vector<double>& own, const std::vector<double>& of_all) {
        return std::equal(own.begin(), own.end(), of_all.begin() + network.first_feature());
    };
    if (!agrees(network.mean, invariants->mean)) fields.refuse("mean", "that of the representation");
    if (!agrees(network.std, invariants->std)) fields.refuse("std", "that of the representation");
    if (network.target_std != surroundings.target.std) fields.refuse("target_std", "that of the target");
    return network;
}

}  // namespace

Network read_network(const HeaderReader& header, const NetworkSurroundings& surroundings) {
    const int features = n_features(surroundings.representation);
    const auto outputs = n_outputs(surroundings.likelihood);
    const auto type = header.type_of("network", {"mlp", "kan", "group_kan", "dsi", "fks", "dipole"});
    if (type == "kan") return read_kan(header, features, outputs);
    if (type == "group_kan") return read_group_kan(header, features, outputs);
    if (type == "dsi") return read_deep_sets(header, surroundings);
    if (type == "fks") return read_fks(header, surroundings);
    if (type == "dipole") return read_dipole_sum(header, surroundings);
    return read_mlp(header, "network", features, outputs, {"residual"});
}

std::optional<Mlp> read_sigma_network(const HeaderReader& header, int n_features) {
    if (!header.has("sigma_network")) return std::nullopt;
    header.type_of("sigma_network", {"mlp"});
    return read_mlp(header, "sigma_network", n_features, 1, {});
}

}  // namespace pyamp
