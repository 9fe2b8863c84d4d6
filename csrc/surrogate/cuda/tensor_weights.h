// The weights of a layer as tensor cores take them, see tensor_layout.h and tensor_dense.h. Needs no CUDA.
#pragma once

#include <cstddef>

#include "surrogate/cuda/program.h"

namespace pyamp::cuda {

/// Units of a layer, padded to whole blocks of 16 of as many warps as have some.
/// @param blocks of a warp, set
int padded_units(int n_out, int warps, std::int16_t& blocks);

/// Values of a layer, biases included.
std::size_t tensor_layer_size(const LayerProgram& layer);

/// The power of two that takes the largest of the weights into [2^14, 2^15), inverted.
float inverse_weight_scale(const double* weights, std::size_t n);

/// @param weights (n_out, n_in)
/// @param packed  (tensor_layer_size), zero
void pack_tensor_layer(const LayerProgram& layer, const double* weights, const double* bias, float* packed);

}  // namespace pyamp::cuda
