// Activations of the fused kernels by the names that model files use.
#pragma once

#include <string>

#include "surrogate/fused/kernels.h"

namespace pyamp::fused {

/// The names are those that the reader of model files lets through.
Activation activation_from_name(const std::string& name);

}  // namespace pyamp::fused
