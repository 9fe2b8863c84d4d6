// The weights of an MLP of a model file, packed in tiles of bfloat16.
#include "surrogate/amx/tile_weights.h"

#include <algorithm>
#include <array>
#include <bit>

#include "surrogate/fused/activation.h"

namespace pyamp::amx {
namespace {

struct Sizes {
    std::size_t weights = 0, biases = 0;
};

std::size_t tiles_of_outputs(const Layer& layer) {
    return static_cast<std::size_t>((layer.n_out + tile_outputs - 1) / tile_outputs);
}

std::size_t weights_size(const Layer& layer) {
    return tiles_of_outputs(layer) * static_cast<std::size_t>(layer.in_blocks()) * parts * tile_size;
}

std::size_t biases_size(const Layer& layer) { return static_cast<std::size_t>(layer.out_blocks() * block); }

Layer shape_of(const Mlp& network, std::size_t l) {
    return {nullptr, nullptr, static_cast<int>(network.widths[l]), static_cast<int>(network.widths[l + 1]),
            network.adds_input(l)};
}

Sizes sizes_of(const Mlp& network, std::size_t members) {
    Sizes sizes;
    for (std::size_t l = 0; l + 1 < network.widths.size(); ++l) {
        const Layer layer = shape_of(network, l);
        sizes.weights += members * weights_size(layer);
        sizes.biases += members * biases_size(layer);
    }
    return sizes;
}

/// The nearest bfloat16, ties to even.
std::uint16_t bfloat16(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

std::array<std::uint16_t, parts> split(double x) {
    std::array<std::uint16_t, parts> bits;
    for (auto& part : bits) {
        part = bfloat16(static_cast<float>(x));
        x -= std::bit_cast<float>(static_cast<std::uint32_t>(part) << 16);
    }
    return bits;
}

void pack(const Layer& layer, const fused::MemberMatrix& matrix, std::uint16_t* to) {
    for (int pair = 0; pair < layer.out_blocks(); ++pair)
        for (int k = 0; k < layer.in_blocks(); ++k) {
            const int tiles = layer.tiles_of(pair);
            for (int tile = 0; tile < tiles; ++tile)
                for (int r = 0; r < tile_points; ++r)
                    for (int j = 0; j < tile_outputs; ++j)
                        for (int half = 0; half < 2; ++half) {
                            const auto bits = split(matrix.weight((2 * pair + tile) * tile_outputs + j,
                                                                  k * block + half * block / 2 + r));
                            for (int part = 0; part < parts; ++part)
                                to[(part * tiles + tile) * tile_size + r * block + 2 * j + half] =
                                    bits[static_cast<std::size_t>(part)];
                        }
            to += tiles * parts * tile_size;
        }
}

}  // namespace

TileWeights::TileWeights(const Mlp& network, const std::string& prefix, const std::map<std::string, Tensor>& tensors,
                         std::size_t members)
    : weights_(sizes_of(network, members).weights), biases_(sizes_of(network, members).biases) {
    const std::size_t n_layers = network.widths.size() - 1;
    std::uint16_t* weights = weights_.data();
    float* bias = biases_.data();
    int width = 0;
    for (std::size_t member = 0; member < members; ++member)
        for (std::size_t l = 0; l < n_layers; ++l) {
            const fused::MemberMatrix matrix(tensors, prefix, network, l, member);
            Layer layer = shape_of(network, l);
            pack(layer, matrix, weights);
            for (int j = 0; j < layer.n_out; ++j) bias[j] = static_cast<float>(matrix.bias(j));
            layer.weights = weights;
            layer.bias = bias;
            weights += weights_size(layer);
            bias += biases_size(layer);
            width = std::max(width, layer.out_blocks());
            layers_.push_back(layer);
        }
    view_ = {static_cast<int>(network.widths.front()),
             static_cast<int>(network.widths.back()),
             static_cast<int>(n_layers),
             width,
             fused::activation_from_name(network.activation),
             members,
             layers_.data()};
}

}  // namespace pyamp::amx
