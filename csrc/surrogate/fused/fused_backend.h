// Backend without a framework: MLPs by the kernels of this processor.
#pragma once

#include <memory>
#include <string>

#include "surrogate/backend.h"

namespace pyamp::fused {

/// Why the kernels cannot run a model, empty if they can.
std::string obstacle(const ModelFile& model, const BackendOptions& options);

/// @pre obstacle() is empty
std::unique_ptr<Backend> make_backend(const ModelFile& model, const BackendOptions& options);

}  // namespace pyamp::fused
