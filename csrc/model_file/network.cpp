// The tensors that each architecture needs.
#include "model_file/network.h"

#include <set>

namespace pyamp {
namespace {

Widths prepended(std::int64_t first, const Widths& widths) {
    Widths result{first};
    result.insert(result.end(), widths.begin(), widths.end());
    return result;
}

Shapes shapes_of(const Mlp& network) { return linear_shapes("", network.widths); }

Shapes shapes_of(const Kan& network) {
    auto shapes = linear_shapes("", network.widths);
    for (std::size_t layer = 0; layer + 1 < network.widths.size(); ++layer)
        shapes[weight_name("", layer)].back() *= 1 + network.basis_size();
    return shapes;
}

Shapes shapes_of(const GroupKan& network) {
    auto shapes = linear_shapes("", network.widths);
    for (std::size_t layer = 0; layer + 2 < network.widths.size(); ++layer) {
        shapes[numerator_name(layer)] = {network.groups, network.numerator + 1};
        shapes[denominator_name(layer)] = {network.groups, network.denominator};
    }
    return shapes;
}

Shapes shapes_of(const DeepSets& network) {
    auto shapes = linear_shapes(DeepSets::head_prefix, network.head_layers());
    for (const int label : network.labels()) {
        shapes.merge(linear_shapes(network.particle_prefix(label), network.particle_layers(label)));
        for (const int partner : network.partners(label))
            shapes.merge(linear_shapes(network.pair_prefix(label, partner), network.pair_layers()));
    }
    return shapes;
}

Shapes shapes_of(const FksPartition& network) {
    auto shapes = linear_shapes("", network.widths);
    for (auto& entry : shapes) entry.second.insert(entry.second.begin(), network.n_networks());
    return shapes;
}

Shapes shapes_of(const DipoleSum& network) { return linear_shapes(DipoleSum::prefix, network.widths); }

}  // namespace

std::vector<int> DeepSets::labels() const {
    const std::set<int> distinct(classes.begin(), classes.end());
    return {distinct.begin(), distinct.end()};
}

std::vector<int> DeepSets::legs(int label) const {
    std::vector<int> result;
    for (std::size_t leg = 0; leg < classes.size(); ++leg)
        if (classes[leg] == label) result.push_back(static_cast<int>(leg));
    return result;
}

std::vector<DeepSets::Pair> DeepSets::pairs(int label, int partner_label) const {
    std::vector<Pair> result;
    for (const int leg : legs(label))
        for (const int partner : legs(partner_label))
            if (leg != partner && leg + partner != 1) result.push_back({leg, partner});
    return result;
}

std::vector<int> DeepSets::partners(int label) const {
    std::vector<int> result;
    for (const int partner_label : labels())
        if (!pairs(label, partner_label).empty()) result.push_back(partner_label);
    return result;
}

std::string DeepSets::pair_prefix(int label, int partner_label) const {
    return "pair." + std::to_string(label) + "_" + std::to_string(partner_label) + ".";
}

std::string DeepSets::particle_prefix(int label) const { return "particle." + std::to_string(label) + "."; }

Widths DeepSets::pair_layers() const { return prepended(1, pair_widths); }

Widths DeepSets::particle_layers(int label) const {
    return prepended(static_cast<std::int64_t>(partners(label).size()) * pair_widths.back(), particle_widths);
}

Widths DeepSets::head_layers() const {
    return prepended(static_cast<std::int64_t>(labels().size()) * particle_widths.back(), widths);
}

std::string weight_name(const std::string& prefix, std::size_t layer) {
    return prefix + "layers." + std::to_string(layer) + ".weight";
}

std::string bias_name(const std::string& prefix, std::size_t layer) {
    return prefix + "layers." + std::to_string(layer) + ".bias";
}

std::string numerator_name(std::size_t layer) { return "activations." + std::to_string(layer) + ".numerator"; }

std::string denominator_name(std::size_t layer) { return "activations." + std::to_string(layer) + ".denominator"; }

Shapes linear_shapes(const std::string& prefix, const Widths& widths) {
    Shapes shapes;
    for (std::size_t layer = 0; layer + 1 < widths.size(); ++layer) {
        shapes[weight_name(prefix, layer)] = {widths[layer + 1], widths[layer]};
        shapes[bias_name(prefix, layer)] = {widths[layer + 1]};
    }
    return shapes;
}

Shapes tensor_shapes(const Network& network) {
    return std::visit([](const auto& architecture) { return shapes_of(architecture); }, network);
}

}  // namespace pyamp
