// What a user chooses of how a model is run.
#pragma once

#include <string>

#include "model_file/tensor.h"

namespace pyamp {

struct BackendOptions {
    Dtype dtype;
    std::string device;  ///< "cpu", "cuda" or "cuda:N"
    bool one_thread;     ///< stay on the calling thread, whatever the batch
    std::string kind;    ///< "auto", "fused", "amx" or "libtorch"
    /// Weights rounded to 16 bits, for the fused kernels of float32 on the CPU alone: half the memory to read.
    bool half_weights = false;
    /// Products of float32 on tensor cores, for the fused kernel on a GPU alone.
    bool tensor_cores = false;
};

/// The option "weights": "full" or "bfloat16".
/// @throws pyamp::Error for any other text
bool are_halves(const std::string& weights);

}  // namespace pyamp
