// The backend of models whose network is an MLP, whatever the kernels: with what follows the MLP, and the sigma
// network.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "surrogate/backend.h"
#include "surrogate/fused/dipole_combination.h"
#include "surrogate/fused/scratch.h"

namespace pyamp::fused {

inline Mlp mlp_of(const Network& network) {
    if (const auto* dipoles = std::get_if<DipoleSum>(&network)) return {dipoles->widths, dipoles->activation};
    return std::get<Mlp>(network);
}

inline const char* prefix_of(const Network& network) {
    return std::holds_alternative<DipoleSum>(network) ? DipoleSum::prefix : "";
}

/// @tparam PackedNetwork  made of (Mlp, prefix, tensors, members), and called with (features, n, outputs)
template <typename PackedNetwork>
class MlpBackend final : public Backend {
 public:
    MlpBackend(const ModelFile& model, std::string name, std::size_t preferred_batch)
        : name_(std::move(name)),
          preferred_batch_(preferred_batch),
          members_(static_cast<std::size_t>(model.posterior.members)),
          network_(mlp_of(model.network), prefix_of(model.network), model.tensors, members_) {
        if (const auto* dipoles = std::get_if<DipoleSum>(&model.network)) combine_.emplace(*dipoles);
        if (model.sigma_network)
            sigma_network_.emplace(*model.sigma_network, ModelFile::sigma_network_prefix, model.tensors, 1);
    }

    std::string name() const override { return name_; }
    std::size_t preferred_batch() const override { return preferred_batch_; }

    void evaluate(const double* features, std::size_t n, double* outputs, double* log_sigma) const override {
        if (combine_) {
            double* const of_network = network_outputs_of_size(members_ * n * combine_->n_network_outputs());
            network_(features, n, of_network);
            (*combine_)(features, of_network, n, members_, outputs);
        } else {
            network_(features, n, outputs);
        }
        if (sigma_network_) (*sigma_network_)(features, n, log_sigma);
    }

 private:
    std::string name_;
    std::size_t preferred_batch_, members_;
    PackedNetwork network_;
    std::optional<DipoleCombination> combine_;
    std::optional<PackedNetwork> sigma_network_;
};

}  // namespace pyamp::fused
