// Activations by the names that model files use.
#include "surrogate/torch/activation.h"

#include <map>

namespace pyamp {

Activation activation_from_name(const std::string& name) {
    static const std::map<std::string, Activation> known = {
        {"gelu", [](const at::Tensor& x) { return at::gelu(x); }},
        {"leaky_relu", [](const at::Tensor& x) { return at::leaky_relu(x); }},
        {"relu", [](const at::Tensor& x) { return at::relu(x); }},
        {"silu", [](const at::Tensor& x) { return at::silu(x); }},
        {"sine", [](const at::Tensor& x) { return at::sin(x); }},
        {"softplus", [](const at::Tensor& x) { return at::softplus(x); }},
        {"tanh", [](const at::Tensor& x) { return at::tanh(x); }},
    };
    return known.at(name);
}

}  // namespace pyamp
