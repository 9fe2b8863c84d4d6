// FKS partition: one network for the finite region, one for each soft or collinear pair of legs elsewhere.
#include <vector>

#include "surrogate/log_invariants.h"
#include "surrogate/torch/mlp.h"

namespace pyamp {
namespace {

class TorchFks final : public TorchNetwork {
 public:
    TorchFks(const FksPartition& network, const TensorLoader& loader)
        : networks_({network.widths, network.activation}, loader, ""),
          n_networks_(network.n_networks()),
          log_y_cut_(std::log(network.y_cut)),
          target_std_(network.target_std) {
        const int n_legs = legs_of(network);
        std::vector<int64_t> columns;
        for (const auto& [i, j] : network.pairs) columns.push_back(LogInvariants::feature_of(i, j, n_legs));
        columns_ = at::tensor(columns, at::kLong);
        mean_ = at::tensor(network.mean, at::kDouble).index_select(0, columns_);
        std_ = at::tensor(network.std, at::kDouble).index_select(0, columns_);
    }

    at::Tensor forward(const NetworkInput& input) const override {
        // In double whatever the network's arithmetic: rounding must not move a point to the other region.
        const auto log_y = input.wide.index_select(1, columns_) * std_ + mean_;
        const auto is_finite = log_y.amin(1).ge(log_y_cut_).to(input.x.device());
        const auto log_weight = at::log_softmax(-log_y, 1).to(input.x.options()).t();

        auto outputs = networks_(input.x).unflatten(0, {-1, n_networks_});  // (members, networks, n, 2)
        const auto finite = outputs.select(1, 0);
        const auto divergent = outputs.narrow(1, 1, n_networks_ - 1);
        const auto log_share = divergent.select(-1, 0) * target_std_ + log_weight;
        const auto log_sum = log_share.logsumexp(1);
        const auto log_sigma = (log_share + divergent.select(-1, 1)).mul_(2.0).logsumexp(1).mul_(0.5) - log_sum;
        const auto summed = at::stack({log_sum / target_std_, log_sigma}, -1);
        return at::where(is_finite.unsqueeze(-1), finite, summed);
    }

 private:
    /// A header has one feature for each pair of legs but (0,1).
    static int legs_of(const FksPartition& network) {
        int n_legs = 2;
        while (kinematics::pair_count(n_legs) - 1 < static_cast<int>(network.mean.size())) ++n_legs;
        return n_legs;
    }

    TorchMlp networks_;  ///< side by side, those of one member together
    int64_t n_networks_;
    double log_y_cut_, target_std_;
    at::Tensor columns_, mean_, std_;  ///< of the pairs, on the host
};

}  // namespace

std::unique_ptr<TorchNetwork> make_network(const FksPartition& network, const TensorLoader& loader) {
    return std::make_unique<TorchFks>(network, loader);
}

}  // namespace pyamp
