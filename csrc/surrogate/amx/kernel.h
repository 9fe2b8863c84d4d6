// The contract between the AMX backend and its kernel, which is compiled for that extension alone.
//
// Matrices of float32 as sums of three matrices of bfloat16, x = x0 + x1 + x2 with 8 bits each. A tile is 16 rows of
// 32 numbers of 16 bits: 16 points by a block of 32 units of activations, or 32 inputs by 16 outputs of weights. In a
// block the units lie as 0, 16, 1, 17, ...: a register of 16 units and the one after it fill a row without crossing
// lanes. Only plain structures cross the contract.
#pragma once

#include <cstddef>
#include <cstdint>

#include "surrogate/fused/kernels.h"

namespace pyamp::amx {

constexpr int tile_points = 16, tile_outputs = 16;
constexpr int block = 32;       ///< units of a row of a tile
constexpr int tile_size = 512;  ///< numbers of 16 bits
constexpr int parts = 3;

/// Points that go through all layers together: weights are read once for so many.
constexpr int largest_chunk = 128;

constexpr int blocks_of(int units) { return (units + block - 1) / block; }

/// A layer, in pairs of tiles of outputs.
struct Layer {
    /// (pairs of outputs, blocks of inputs, parts, outputs of the pair) tiles, parts from the last to the first
    const std::uint16_t* weights;
    const float* bias;  ///< (pairs * 32)
    int n_in, n_out;
    bool adds_input;

    int in_blocks() const { return blocks_of(n_in); }
    int out_blocks() const { return blocks_of(n_out); }
    /// Tiles of outputs of a pair.
    int tiles_of(int pair) const { return n_out - pair * block > tile_outputs ? 2 : 1; }
};

struct PackedMlp {
    int n_features, n_outputs, n_layers;
    int width;  ///< blocks of the widest layer
    fused::Activation activation;
    std::size_t members;
    const Layer* layers;  ///< (members, n_layers)
};

/// Features (n, n_features) to outputs (members, n, n_outputs).
/// @param scratch scratch_size() bytes, aligned to 64
void evaluate(const PackedMlp& mlp, const double* features, std::size_t n, double* outputs, void* scratch);

/// Numbers of 16 bits of the activations of a chunk in `width` blocks.
constexpr std::size_t activations_size(int width) {
    return static_cast<std::size_t>(width) * parts * tile_size * (largest_chunk / tile_points);
}

/// Sums of a block, of two by two tiles.
constexpr int sums_of_block = 4 * tile_points * tile_outputs;

/// Features, two buffers of activations, and two of sums of a block.
constexpr std::size_t scratch_size(const PackedMlp& mlp) {
    return sizeof(std::uint16_t) * (activations_size(blocks_of(mlp.n_features)) + 2 * activations_size(mlp.width)) +
           2 * sizeof(float) * sums_of_block;
}

}  // namespace pyamp::amx
