// Tensors of a model file as layers.
#include "surrogate/torch/network.h"

namespace pyamp {

at::Tensor TensorLoader::tensor(const std::string& name) const {
    const auto& source = tensors_.at(name);
    return at::from_blob(const_cast<double*>(source.values.data()), source.shape, at::kDouble)
        .to(options_, /*non_blocking=*/false, /*copy=*/true);
}

Linear TensorLoader::linear(const std::string& prefix, std::size_t layer) const {
    auto weight = tensor(weight_name(prefix, layer)).transpose(-2, -1);
    auto bias = tensor(bias_name(prefix, layer));
    if (weight.dim() == 2) return {weight, bias};
    return {weight.flatten(0, -3), bias.flatten(0, -2).unsqueeze(1)};
}

std::vector<Linear> TensorLoader::linears(const std::string& prefix, std::size_t n_layers) const {
    std::vector<Linear> layers;
    for (std::size_t layer = 0; layer < n_layers; ++layer) layers.push_back(linear(prefix, layer));
    return layers;
}

}  // namespace pyamp
