// Bytes of a group's shared memory besides features and activations, as TileMemory cuts them.
#pragma once

#include <cstddef>

namespace pyamp::cuda {

/// Momenta (padded), norms of the legs, and |s| and its logarithm of the pairs: they lie where the activations come.
constexpr std::size_t overlay_bytes(int n_legs, int n_pairs, int points) {
    return sizeof(double) * static_cast<std::size_t>(4 * n_legs * (points + 1) + (n_legs + 2 * n_pairs) * points);
}

/// Six float64 and two 32-bit integers of each point.
constexpr std::size_t state_bytes(int points) { return static_cast<std::size_t>(points) * (6 * sizeof(double) + 8); }

}  // namespace pyamp::cuda
