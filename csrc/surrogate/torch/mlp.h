// Linear layers with an activation between them, also as a part of other architectures.
#pragma once

#include <string>
#include <vector>

#include "surrogate/torch/activation.h"
#include "surrogate/torch/network.h"

namespace pyamp {

class TorchMlp final : public TorchNetwork {
 public:
    TorchMlp(const Mlp& network, const TensorLoader& loader, const std::string& prefix);

    at::Tensor operator()(at::Tensor x) const;
    at::Tensor forward(const NetworkInput& input) const override { return (*this)(input.x); }

 private:
    std::vector<Linear> layers_;
    std::vector<bool> adds_input_;  ///< of each layer
    Activation activation_;
};

}  // namespace pyamp
