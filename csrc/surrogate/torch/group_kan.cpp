// Linear layers with learnable rational functions between them, one for each group of units.
#include <vector>

#include "surrogate/torch/network.h"

namespace pyamp {
namespace {

/// phi(x) = sum_p a_p x^p / (1 + |sum_q b_q x^q|), p from 0, q from 1.
struct RationalActivation {
    /// One tensor per power; each (width), of several networks (networks, 1, width).
    std::vector<at::Tensor> numerator, denominator;

    at::Tensor operator()(const at::Tensor& x) const {
        const auto below = horner(denominator, x).mul_(x).abs_().add_(1.0);
        return horner(numerator, x).div_(below);
    }

 private:
    static at::Tensor horner(const std::vector<at::Tensor>& coefficients, const at::Tensor& x) {
        auto result = coefficients.back().expand(x.sizes()).clone();
        for (std::size_t k = coefficients.size() - 1; k-- > 0;) result.mul_(x).add_(coefficients[k]);
        return result;
    }
};

class TorchGroupKan final : public TorchNetwork {
 public:
    TorchGroupKan(const GroupKan& network, const TensorLoader& loader)
        : layers_(loader.linears("", network.widths.size() - 1)) {
        for (std::size_t layer = 0; layer + 1 < layers_.size(); ++layer) {
            const auto width = network.widths[layer + 1];
            activations_.push_back({coefficients(loader.tensor(numerator_name(layer)), width),
                                    coefficients(loader.tensor(denominator_name(layer)), width)});
        }
    }

    at::Tensor forward(const NetworkInput& input) const override {
        auto x = layers_.front()(input.x);
        for (std::size_t layer = 0; layer < activations_.size(); ++layer)
            x = layers_[layer + 1](activations_[layer](x));
        return x;
    }

 private:
    /// (groups, powers) or (networks, groups, powers) to what each unit of a layer needs: unit i is of group
    /// i * groups / width, rounded down.
    static std::vector<at::Tensor> coefficients(const at::Tensor& of_groups, int64_t width) {
        const auto units = at::arange(width, of_groups.options().dtype(at::kLong));
        const auto group = at::div(units * of_groups.size(-2), width, "floor");
        auto of_units = of_groups.index_select(-2, group);
        if (of_units.dim() == 3) of_units = of_units.unsqueeze(1);
        std::vector<at::Tensor> result;
        for (const auto& power : of_units.unbind(-1)) result.push_back(power.contiguous());
        return result;
    }

    std::vector<Linear> layers_;
    std::vector<RationalActivation> activations_;
};

}  // namespace

std::unique_ptr<TorchNetwork> make_network(const GroupKan& network, const TensorLoader& loader) {
    return std::make_unique<TorchGroupKan>(network, loader);
}

}  // namespace pyamp
