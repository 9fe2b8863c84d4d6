// Linear layers with an activation between them.
#include "surrogate/torch/mlp.h"

namespace pyamp {

TorchMlp::TorchMlp(const Mlp& network, const TensorLoader& loader, const std::string& prefix)
    : layers_(loader.linears(prefix, network.widths.size() - 1)),
      activation_(activation_from_name(network.activation)) {
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) adds_input_.push_back(network.adds_input(layer));
}

at::Tensor TorchMlp::operator()(at::Tensor x) const {
    for (std::size_t layer = 0; layer + 1 < layers_.size(); ++layer) {
        auto hidden = activation_(layers_[layer](x));
        x = adds_input_[layer] ? hidden.add_(x) : hidden;
    }
    return layers_.back()(x);
}

std::unique_ptr<TorchNetwork> make_network(const Mlp& network, const TensorLoader& loader,
                                           const std::string& prefix) {
    return std::make_unique<TorchMlp>(network, loader, prefix);
}

}  // namespace pyamp
