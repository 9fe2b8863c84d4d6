// Coefficients of Catani-Seymour dipoles from one network, and the amplitude that they add up to.
#include <cmath>

#include "surrogate/torch/mlp.h"

namespace pyamp {
namespace {

class TorchDipoleSum final : public TorchNetwork {
 public:
    TorchDipoleSum(const DipoleSum& network, const TensorLoader& loader)
        : mlp_({network.widths, network.activation}, loader, DipoleSum::prefix),
          n_dipoles_(network.dipoles),
          first_(network.first_feature()),
          target_std_(network.target_std),
          floor_(network.floor),
          mean_(at::tensor(network.mean, at::kDouble)),
          std_(at::tensor(network.std, at::kDouble)),
          scale_(at::tensor(network.scale, at::kDouble)) {}

    at::Tensor forward(const NetworkInput& input) const override {
        const auto features = input.wide.narrow(1, first_, n_dipoles_);
        const auto dipoles = ((features * std_ + mean_).sinh_() * scale_).to(input.x.options());
        const auto outputs = mlp_(input.x);
        const auto total = (outputs.narrow(-1, 0, n_dipoles_).sinh() * dipoles).sum(-1, /*keepdim=*/true);
        const auto log_r =
            total.div_(2.0 * floor_).asinh_().add_(std::log(floor_)).add_(outputs.narrow(-1, n_dipoles_, 1));
        const auto others = outputs.narrow(-1, n_dipoles_ + 1, outputs.size(-1) - n_dipoles_ - 1);
        return at::cat({log_r / target_std_, others}, -1);
    }

 private:
    TorchMlp mlp_;
    int64_t n_dipoles_, first_;
    double target_std_, floor_;
    at::Tensor mean_, std_, scale_;
};

}  // namespace

std::unique_ptr<TorchNetwork> make_network(const DipoleSum& network, const TensorLoader& loader) {
    return std::make_unique<TorchDipoleSum>(network, loader);
}

}  // namespace pyamp
