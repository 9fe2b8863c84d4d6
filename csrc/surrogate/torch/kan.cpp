// Kolmogorov-Arnold network: every layer is linear in SiLU and uniform B-splines of its inputs.
#include <vector>

#include "surrogate/torch/network.h"

namespace pyamp {
namespace {

/// Coefficients of the order + 1 splines that do not vanish in an interval, as polynomials of the offset within it
/// from 0 to 1: (order + 1 powers, order + 1 splines), by the recursion of Cox and de Boor for uniform knots.
std::vector<std::vector<double>> spline_polynomials(std::size_t order) {
    using Polynomial = std::vector<double>;
    // share * (constant + slope * offset), added to result.
    const auto add_product = [](const Polynomial& share, double constant, double slope, Polynomial& result) {
        for (std::size_t power = 0; power + 1 < result.size(); ++power) {
            result[power] += constant * share[power];
            result[power + 1] += slope * share[power];
        }
    };
    std::vector<Polynomial> splines{Polynomial(order + 1)};
    splines[0][0] = 1.0;
    for (std::size_t degree = 1; degree <= order; ++degree) {
        std::vector<Polynomial> next(degree + 1, Polynomial(order + 1));
        const auto d = static_cast<double>(degree);
        for (std::size_t r = 0; r < degree; ++r) {
            const auto position = static_cast<double>(r);
            add_product(splines[r], (position + 1.0) / d, -1.0 / d, next[r]);
            add_product(splines[r], (d - position - 1.0) / d, 1.0 / d, next[r + 1]);
        }
        splines = std::move(next);
    }
    std::vector<std::vector<double>> powers(order + 1, std::vector<double>(order + 1));
    for (std::size_t power = 0; power <= order; ++power)
        for (std::size_t spline = 0; spline <= order; ++spline) powers[power][spline] = splines[spline][power];
    return powers;
}

class TorchKan final : public TorchNetwork {
 public:
    TorchKan(const Kan& network, const TensorLoader& loader)
        : layers_(loader.linears("", network.widths.size() - 1)),
          steps_(at::arange(network.order + 1, loader.options().dtype(at::kLong))),
          intervals_(network.intervals),
          basis_size_(network.basis_size()),
          range_(network.range) {
        for (const auto& power : spline_polynomials(static_cast<std::size_t>(network.order)))
            powers_.push_back(at::tensor(power, at::kDouble).to(loader.options()));
    }

    at::Tensor forward(const NetworkInput& input) const override {
        auto x = input.x;
        for (const auto& layer : layers_) x = layer(at::cat({at::silu(x), basis(x)}, -1));
        return x;
    }

 private:
    /// B-splines of u = range tanh(x / range), (..., in) to (..., in * (intervals + order)).
    at::Tensor basis(const at::Tensor& x) const {
        // In units of an interval, from 0 to the number of intervals.
        const auto position =
            at::tanh(x / range_).add_(1.0).mul_(0.5 * static_cast<double>(intervals_)).unsqueeze(-1);
        // A NaN becomes some integer: clamped after the conversion, it stays within this point.
        const auto interval = position.to(at::kLong).clamp_(0, intervals_ - 1);
        const auto offset = position - interval;
        auto splines = powers_.back();
        for (std::size_t power = powers_.size() - 1; power-- > 0;)
            splines = at::addcmul(powers_[power], splines, offset);
        auto shape = x.sizes().vec();
        shape.push_back(basis_size_);
        return at::zeros(shape, x.options()).scatter_(-1, interval + steps_, splines).flatten(-2);
    }

    std::vector<Linear> layers_;
    std::vector<at::Tensor> powers_;  ///< of the offset within an interval: coefficient in each spline
    at::Tensor steps_;
    int64_t intervals_, basis_size_;
    double range_;
};

}  // namespace

std::unique_ptr<TorchNetwork> make_network(const Kan& network, const TensorLoader& loader) {
    return std::make_unique<TorchKan>(network, loader);
}

}  // namespace pyamp
