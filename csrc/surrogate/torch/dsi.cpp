// Deep sets of invariants: sums over identical legs of functions of single invariants.
#include <algorithm>
#include <vector>

#include "surrogate/log_invariants.h"
#include "surrogate/torch/mlp.h"

namespace pyamp {
namespace {

/// (rows, m, k) or (networks, rows, m, k) with the rows and what lies within them as one axis, as layers want it.
at::Tensor merge_rows(const at::Tensor& x) { return x.flatten(-3, -2); }

at::Tensor split_rows(const at::Tensor& x, int64_t within_row) { return x.unflatten(-2, {-1, within_row}); }

class EndsWithActivation {
 public:
    EndsWithActivation(const Widths& widths, const std::string& activation, const TensorLoader& loader,
                       const std::string& prefix)
        : mlp_({widths, activation}, loader, prefix), activation_(activation_from_name(activation)) {}
    at::Tensor operator()(const at::Tensor& x) const { return activation_(mlp_(x)); }

 private:
    TorchMlp mlp_;
    Activation activation_;
};

/// Embedding of the pairs of one class with another, summed over the partners of each leg.
struct PairSum {
    EndsWithActivation embed;
    at::Tensor features;         ///< columns of the pairs, leg by leg
    std::vector<int64_t> sizes;  ///< number of partners of each leg

    PairSum(const DeepSets& network, int label, int partner, const TensorLoader& loader, at::Device device)
        : embed(network.pair_layers(), network.activation, loader, network.pair_prefix(label, partner)) {
        const auto legs = network.legs(label);
        sizes.assign(legs.size(), 0);
        std::vector<int64_t> columns;
        for (const auto& [leg, other] : network.pairs(label, partner)) {
            columns.push_back(LogInvariants::feature_of(leg, other, static_cast<int>(network.classes.size())));
            ++sizes[static_cast<std::size_t>(std::find(legs.begin(), legs.end(), leg) - legs.begin())];
        }
        features = at::tensor(columns, at::kLong).to(device);
    }

    /// (rows, n_features) to (..., rows, legs, embedding)
    at::Tensor operator()(const at::Tensor& x) const {
        const auto pairs = x.index_select(1, features).unsqueeze(-1);
        const auto embedded = split_rows(embed(merge_rows(pairs)), features.size(0));
        const auto legs = static_cast<int64_t>(sizes.size());
        const bool all_alike = std::all_of(sizes.begin(), sizes.end(), [&](int64_t s) { return s == sizes.front(); });
        if (all_alike) return embedded.unflatten(-2, {legs, sizes.front()}).sum(-2);
        std::vector<at::Tensor> sums;
        for (const auto& of_leg : embedded.split_with_sizes(sizes, -2)) sums.push_back(of_leg.sum(-2));
        return at::stack(sums, -2);
    }
};

/// Embedding of the legs of one class, summed.
struct ClassSum {
    std::vector<PairSum> partners;
    EndsWithActivation embed;
    int64_t legs;

    ClassSum(const DeepSets& network, int label, const TensorLoader& loader, at::Device device)
        : embed(network.particle_layers(label), network.activation, loader, network.particle_prefix(label)),
          legs(static_cast<int64_t>(network.legs(label).size())) {
        for (const int partner : network.partners(label))
            partners.emplace_back(network, label, partner, loader, device);
    }

    at::Tensor operator()(const at::Tensor& x) const {
        std::vector<at::Tensor> sums;
        for (const auto& partner : partners) sums.push_back(partner(x));
        return split_rows(embed(merge_rows(at::cat(sums, -1))), legs).sum(-2);
    }
};

class TorchDeepSets final : public TorchNetwork {
 public:
    TorchDeepSets(const DeepSets& network, const TensorLoader& loader)
        : head_({network.head_layers(), network.activation}, loader, DeepSets::head_prefix) {
        for (const int label : network.labels())
            classes_.emplace_back(network, label, loader, loader.options().device());
    }

    at::Tensor forward(const NetworkInput& input) const override {
        std::vector<at::Tensor> sums;
        for (const auto& of_class : classes_) sums.push_back(of_class(input.x));
        return head_(at::cat(sums, -1));
    }

 private:
    std::vector<ClassSum> classes_;
    TorchMlp head_;
};

}  // namespace

std::unique_ptr<TorchNetwork> make_network(const DeepSets& network, const TensorLoader& loader) {
    return std::make_unique<TorchDeepSets>(network, loader);
}

}  // namespace pyamp
