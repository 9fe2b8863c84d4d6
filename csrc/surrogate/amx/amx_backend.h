// Backend of large batches: MLPs by the AMX tiles of Intel processors.
#pragma once

#include <memory>
#include <string>

#include "surrogate/backend.h"

namespace pyamp::amx {

/// Why the tiles cannot run a model here, empty if they can.
std::string obstacle(const ModelFile& model, const BackendOptions& options);

/// @pre obstacle() is empty
std::unique_ptr<Backend> make_backend(const ModelFile& model);

}  // namespace pyamp::amx
