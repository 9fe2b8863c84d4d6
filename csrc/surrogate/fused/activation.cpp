// Activations of the fused kernels by the names that model files use.
#include "surrogate/fused/activation.h"

#include <map>

namespace pyamp::fused {

Activation activation_from_name(const std::string& name) {
    static const std::map<std::string, Activation> known = {
        {"gelu", Activation::gelu}, {"leaky_relu", Activation::leaky_relu},
        {"relu", Activation::relu}, {"silu", Activation::silu},
        {"sine", Activation::sine}, {"softplus", Activation::softplus},
        {"tanh", Activation::tanh},
    };
    return known.at(name);
}

}  // namespace pyamp::fused
