// Activations by the names that model files use.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>

namespace pyamp {

using Activation = std::function<at::Tensor(const at::Tensor&)>;

Activation activation_from_name(const std::string& name);

}  // namespace pyamp
