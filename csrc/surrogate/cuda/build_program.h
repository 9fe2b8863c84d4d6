// From a model file to what the fused CUDA kernel runs. Needs no CUDA.
#pragma once

#include <string>
#include <vector>

#include "model_file/model_file.h"
#include "surrogate/cuda/program.h"

namespace pyamp::cuda {

/// What a block of the device may use.
struct DeviceLimits {
    std::size_t shared_bytes;
    int warps = 16;       ///< with 128 registers for each thread
    int max_groups = 15;  ///< named barriers of a block, less the block's own
};

/// A program with its weights in the order in which it reads them.
template <typename T>
struct BuiltProgram {
    Program program;
    std::vector<T> weights;
    std::vector<double> recalibration;
};

/// How the kernel runs a model within the limits.
struct Choice {
    bool runs, on_tensor_cores;
    std::string obstacle;  ///< to running it at all or, where it runs, to the tensor cores that were wanted
};

Choice choose(const ModelFile& model, Dtype dtype, bool tensor_cores, const DeviceLimits& limits);

/// @param tensor_cores float32 alone
/// @throws pyamp::Error with the obstacle
template <typename T>
BuiltProgram<T> build_program(const ModelFile& model, bool tensor_cores, const DeviceLimits& limits);

extern template BuiltProgram<float> build_program<float>(const ModelFile&, bool, const DeviceLimits&);
extern template BuiltProgram<double> build_program<double>(const ModelFile&, bool, const DeviceLimits&);

}  // namespace pyamp::cuda
