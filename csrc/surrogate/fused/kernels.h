// The contract between the fused backend and its kernels, which are compiled once for each instruction set.
//
// Only plain structures cross it. An MLP is packed for the lanes of the instruction set: in panels of `lanes`
// outputs, element (k, output) of panel p at (p n_in + k) lanes + output; and, for an ensemble whose members are the
// lanes, element (output, k, member) at (output n_in + k) lanes + member.
//
// All paths sum the products of one output in the same order, so that a point gives the same bits alone, at any place
// of any batch: inputs are cut into `splits` blocks of equal length, each summed from its first element to its last,
// the first beginning with the bias, and the sums are added pairwise. More than one block shortens the chains of
// dependent additions of layers that have few outputs.
#pragma once

#include <cstddef>

namespace pyamp::fused {

enum class Activation { none, tanh, relu, leaky_relu, silu, gelu, softplus, sine };

template <typename T>
struct Layer {
    const T* weights;  ///< panels, zero where padded
    const T* bias;     ///< (panels * lanes)
    int n_in;          ///< padded to a multiple of splits
    int n_out;
    int panels;
    int splits;  ///< 1, 2 or 4
    Activation activation;
    bool adds_input;
};

/// The same layer of `lanes` members side by side.
template <typename T>
struct MemberLayer {
    const T* weights;  ///< (n_out, n_in, lanes)
    const T* bias;     ///< (n_out, lanes)
};

template <typename T>
struct PackedMlp {
    int n_features, n_outputs, n_layers;
    int width;  ///< of the scratch: the largest padded number of units of a layer
    std::size_t members;
    const Layer<T>* layers;  ///< (members, n_layers)
    /// (groups of members, n_layers), or nullptr where one point is better evaluated member by member
    const MemberLayer<T>* member_layers;
};

struct Kernels {
    int lanes_float, lanes_double;

    /// Features (n, n_features) to outputs (members, n, n_outputs).
    /// @param scratch scratch_size() bytes, aligned to a register
    void (*evaluate_float)(const PackedMlp<float>&, const double* features, std::size_t n, double* outputs,
                           void* scratch);
    void (*evaluate_double)(const PackedMlp<double>&, const double* features, std::size_t n, double* outputs,
                            void* scratch);
};

/// Points of the largest tile, in registers.
constexpr int tile_registers = 3;

/// Bytes that an evaluation needs: two buffers of activations of a tile.
template <typename T>
std::size_t scratch_size(const PackedMlp<T>& mlp, int lanes) {
    return 2 * sizeof(T) * static_cast<std::size_t>(mlp.width) * static_cast<std::size_t>(tile_registers * lanes);
}

namespace baseline {
extern const Kernels kernels;
}
namespace avx2 {
extern const Kernels kernels;
}
namespace avx512 {
extern const Kernels kernels;
}

}  // namespace pyamp::fused
