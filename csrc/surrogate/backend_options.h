// What a user chooses of how a model is run.
#pragma once

#include <string>

#include "model_file/tensor.h"

namespace pyamp {

struct BackendOptions {
    Dtype dtype;
    std::string device;  ///< "cpu", "cuda" or "cuda:N"
    bool one_thread;     ///< stay on the calling thread, whatever the batch
    std::string kind;    ///< "auto", "fused" or "libtorch"
};

}  // namespace pyamp
