// What tensor cores need to lie where: weights as lanes read them, and bytes of a group's shared memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pyamp::cuda {

/// Warps side by side in points, 16 each; others take other units.
constexpr int warps_in_points = 4;
/// Blocks of 16 units of a warp.
constexpr int max_unit_blocks = 8;

/// Warps of a block, where a group has no more than warps_in_points of them: what leaves a thread 168 registers.
constexpr int fast_tensor_warps = 12;

/// A matrix of 16 inputs by 8 units, as one lane holds it: inputs 2 (lane mod 4) and the next, and those 8 further,
/// of unit lane / 4. A layer has its biases, then for each 16 inputs and each 8 units those of the 32 lanes.
struct alignas(16) SplitWeights {
    std::uint32_t high[2], low[2];
};

/// Inputs of a tile: two halves each, padded to 16.
constexpr std::size_t fragment_bytes(int n_inputs, int points) {
    return sizeof(float) * static_cast<std::size_t>((n_inputs + 15) / 16 * 16 * points);
}

/// Features once more as inputs, and five numbers of each point, as TensorMemory cuts them.
constexpr std::size_t tensor_bytes(int n_features, int points) {
    return fragment_bytes(n_features, points) + 5 * sizeof(float) * static_cast<std::size_t>(points);
}

}  // namespace pyamp::cuda
