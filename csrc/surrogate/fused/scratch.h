// Memory of the calling thread, which grows to what the largest network needs and stays: later calls allocate
// nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "surrogate/fused/mlp_weights.h"

namespace pyamp::fused {

/// What every call looks at needs no initialisation, so that the compiler does not guard it.
struct Scratch {
    void* data;
    std::size_t size;
};
inline constinit thread_local Scratch scratch{nullptr, 0};

[[gnu::noinline]] inline void grow_scratch(std::size_t bytes) {
    thread_local std::optional<AlignedArray<unsigned char>> owner;
    scratch = {nullptr, 0};
    owner.emplace(bytes);
    scratch = {owner->data(), bytes};
}

/// Aligned to 64 bytes.
inline void* scratch_of_size(std::size_t bytes) {
    if (bytes > scratch.size) grow_scratch(bytes);
    return scratch.data;
}

/// The same for what a network gives to what comes after it.
inline double* network_outputs_of_size(std::size_t n) {
    thread_local std::vector<double> outputs;
    if (outputs.size() < n) outputs.resize(n);
    return outputs.data();
}

}  // namespace pyamp::fused
