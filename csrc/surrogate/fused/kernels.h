// The contract between the fused backend and its kernels, which are compiled once for each instruction set.
//
// Only plain structures cross it. All paths sum the products of one output in the same order, so that a point gives
// the same bits alone, at any place of any batch. With n sums, all but the first begin at zero and the first with the
// bias, and they are added pairwise: neighbours first, then pairs of them.
//
// - Layers of many outputs cut the inputs into 1, 2 or 4 blocks of equal length, each of them a sum from its first
//   element to its last: more than one shortens the chains of dependent additions of layers that have few outputs.
// - Narrow layers, of up to four outputs, have as many sums as a register has lanes, L; sum l takes inputs l, l + L,
// ...
//
// The weights lie twice, as they are read. For tiles of points: panels of L outputs, element (k, output) of panel p
// at (p n_in + k) L + output. For one point, registers of L outputs or of one output of L members: in groups of
// group_size(sums), and within a group by (place in a block, block, register). Of narrow layers (output, k) for both
// and, for members, (output, k, member).
#pragma once

#include <cstddef>
#include <cstdint>

namespace pyamp::fused {

enum class Activation { none, tanh, relu, leaky_relu, silu, gelu, softplus, sine };

/// Two weights of 16 bits, of neighbouring inputs: the lower half has the upper bits of the first, as a float, and
/// all bits are the second, which was rounded to the nearest that ends so. Unpacking takes one shift for two weights.
struct WeightPair {
    std::uint32_t bits;
};

/// Weights in a W.
template <typename W>
constexpr int weights_in = 1;
template <>
inline constexpr int weights_in<WeightPair> = 2;

/// Outputs of a narrow layer, at most.
constexpr int narrow_outputs = 4;

/// Registers of outputs that one point sums side by side: with their blocks as many chains as keep two units busy
/// that add in four steps.
constexpr int group_size(int sums) { return 8 / sums; }

/// A layer as tiles of points read it.
template <typename T>
struct TileLayer {
    const T* tile_weights;  ///< zero where padded
    const T* bias;          ///< (panels * lanes); of a narrow layer (n_out, lanes), zero but for the first lane
    int n_in;               ///< padded to a multiple of the sums, of twice that for pairs of weights
    int n_out;
    int panels;
    int sums;  ///< 1, 2, 4, or the lanes in a narrow layer
    Activation activation;
    bool adds_input;

    bool is_narrow() const { return n_out <= narrow_outputs; }
};

/// @tparam W  in which the same weights lie where one point reads them: T, or WeightPair
template <typename T, typename W>
struct Layer : TileLayer<T> {
    const W* point_weights;  ///< nullptr of a narrow layer, for which tile_weights serve
};

/// The same layer of `lanes` members side by side.
template <typename T, typename W>
struct MemberLayer {
    const W* weights;         ///< nullptr of a narrow layer
    const T* narrow_weights;  ///< of a narrow layer
    const T* bias;            ///< (n_out, lanes)
};

template <typename T, typename W>
struct PackedMlp {
    int n_features, n_outputs, n_layers;
    int width;  ///< of the scratch: the largest padded number of units of a layer
    Activation activation;
    std::size_t members;
    const Layer<T, W>* layers;  ///< (members, n_layers)
    /// (groups of members, n_layers), or nullptr where one point is better evaluated member by member
    const MemberLayer<T, W>* member_layers;
};

/// Features (n, n_features) to outputs (members, n, n_outputs).
/// @param scratch scratch_size() bytes, aligned to a register
template <typename T, typename W>
using Evaluate = void (*)(const PackedMlp<T, W>&, const double* features, std::size_t n, double* outputs,
                          void* scratch);

struct Kernels {
    int lanes_float, lanes_double;
    Evaluate<float, float> evaluate_float;
    Evaluate<double, double> evaluate_double;
    Evaluate<float, WeightPair> evaluate_pairs;
};

/// Points of the largest tile, in registers.
constexpr int tile_registers = 3;

/// Bytes that an evaluation needs: two buffers of activations of a tile.
template <typename T, typename W>
std::size_t scratch_size(const PackedMlp<T, W>& mlp, int lanes) {
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
