// What the architectures have in common: tensors in, one function from features to outputs.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model_file/network.h"
#include "surrogate/torch/linear.h"

namespace pyamp {

struct NetworkInput {
    at::Tensor x;     ///< (n, n_features) standardised features in the network's arithmetic, on its device
    at::Tensor wide;  ///< the same, float64 on the host
};

class TorchNetwork {
 public:
    virtual ~TorchNetwork() = default;
    /// (n, n_outputs), or (members, n, n_outputs) for tensors with a leading axis.
    virtual at::Tensor forward(const NetworkInput& input) const = 0;
};

/// Tensors of a model file, moved to a device and an arithmetic.
class TensorLoader {
 public:
    TensorLoader(const std::map<std::string, Tensor>& tensors, at::TensorOptions options)
        : tensors_(tensors), options_(options) {}

    const at::TensorOptions& options() const { return options_; }
    at::Tensor tensor(const std::string& name) const;
    /// Axes of the weight before the last two become one axis of networks.
    Linear linear(const std::string& prefix, std::size_t layer) const;
    std::vector<Linear> linears(const std::string& prefix, std::size_t n_layers) const;

 private:
    const std::map<std::string, Tensor>& tensors_;
    at::TensorOptions options_;
};

std::unique_ptr<TorchNetwork> make_network(const Mlp& network, const TensorLoader& loader, const std::string& prefix);
std::unique_ptr<TorchNetwork> make_network(const Kan& network, const TensorLoader& loader);
std::unique_ptr<TorchNetwork> make_network(const GroupKan& network, const TensorLoader& loader);
std::unique_ptr<TorchNetwork> make_network(const DeepSets& network, const TensorLoader& loader);
std::unique_ptr<TorchNetwork> make_network(const FksPartition& network, const TensorLoader& loader);
std::unique_ptr<TorchNetwork> make_network(const DipoleSum& network, const TensorLoader& loader);

}  // namespace pyamp
