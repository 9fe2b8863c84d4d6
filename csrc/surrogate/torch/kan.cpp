// Kolmogorov-Arnold network: every layer is linear in SiLU and uniform B-splines of its inputs.
#include <vector>

#include "surrogate/torch/network.h"

namespace pyamp {
namespace {

class TorchKan final : public TorchNetwork {
 public:
    TorchKan(const Kan& network, const TensorLoader& loader)
        : layers_(loader.linears("", network.widths.size() - 1)),
          intervals_(network.intervals),
          order_(network.order),
          range_(network.range) {}

    at::Tensor forward(const NetworkInput& input) const override {
        auto x = input.x;
        for (const auto& layer : layers_) x = layer(at::cat({at::silu(x), basis(x)}, -1));
        return x;
    }

 private:
    /// B-splines of u = range tanh(x / range), (..., in) to (..., in * (intervals + order)).
    at::Tensor basis(const at::Tensor& x) const {
        // In units of an interval, from 0 to the number of intervals.
        const auto position = at::tanh(x / range_).add_(1.0).mul_(0.5 * static_cast<double>(intervals_));
        // A NaN becomes some integer: clamped after the conversion, it stays within this point.
        const auto interval = position.to(at::kLong).clamp_(0, intervals_ - 1);
        auto shape = x.sizes().vec();
        shape.push_back(intervals_ + order_);
        const auto steps = at::arange(order_ + 1, interval.options());
        auto result = at::zeros(shape, x.options());
        result.scatter_(-1, interval.unsqueeze(-1) + steps, at::stack(local_basis(position - interval), -1));
        return result.flatten(-2);
    }

    /// The order + 1 splines that do not vanish in an interval, at offset s within it, by the recursion of Cox and
    /// de Boor for uniform knots.
    std::vector<at::Tensor> local_basis(const at::Tensor& s) const {
        std::vector<at::Tensor> splines{at::ones_like(s)};
        for (int64_t degree = 1; degree <= order_; ++degree) {
            at::Tensor carried;
            for (int64_t r = 0; r < degree; ++r) {
                const auto share = splines[static_cast<std::size_t>(r)] / static_cast<double>(degree);
                const auto to_left = share * (static_cast<double>(r + 1) - s);
                splines[static_cast<std::size_t>(r)] = r == 0 ? to_left : to_left + carried;
                carried = share * (s + static_cast<double>(degree - r - 1));
            }
            splines.push_back(carried);
        }
        return splines;
    }

    std::vector<Linear> layers_;
    int64_t intervals_, order_;
    double range_;
};

}  // namespace

std::unique_ptr<TorchNetwork> make_network(const Kan& network, const TensorLoader& loader) {
    return std::make_unique<TorchKan>(network, loader);
}

}  // namespace pyamp
