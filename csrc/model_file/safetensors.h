// Strict reader of safetensors containers: JSON table, then one buffer that the tensors cover exactly.
#pragma once

#include <map>
#include <string>

#include "model_file/tensor.h"

namespace pyamp {

struct Safetensors {
    std::map<std::string, std::string> metadata;
    std::map<std::string, Tensor> tensors;
    std::string buffer_sha256;
};

/// float32 and float64 tensors only; throws pyamp::Error with one line that starts with the path.
Safetensors read_safetensors(const std::string& path);

}  // namespace pyamp
