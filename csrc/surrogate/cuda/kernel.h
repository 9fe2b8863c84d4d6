// Launches of the fused kernel.
#pragma once

#include <cuda_runtime_api.h>

#include "surrogate/cuda/program.h"

namespace pyamp::cuda {

/// Lets blocks of the program's kernel on the current device use that much shared memory; needed once for each size
/// that grows.
template <typename T>
cudaError_t allow_shared_memory(const Program& program, std::size_t bytes);

/// Evaluates all points of `arrays` on the current device, asynchronously. Neither allocates nor synchronises, so it
/// can be captured in a graph.
template <typename T>
cudaError_t launch(const Program& program, const Arrays& arrays, int n_multiprocessors, cudaStream_t stream);

}  // namespace pyamp::cuda
