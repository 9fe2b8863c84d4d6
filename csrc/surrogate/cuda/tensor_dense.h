// Dense layers of a tile of points on tensor cores: float32 products as three products of halves.
//
// A number is high + low, each a half. With a power of two in front the largest of a layer's weights is in
// [2^14, 2^15), and so is, but for a factor, the largest input of each point, so that nothing overflows and what a
// half cannot hold is below 2^-22 of a number or 2^-39 of the largest. The product low * low is left out, another
// 2^-22. Tensor cores cut sums where float32 arithmetic rounds them, so that only the products of 16 inputs are added
// there; those sums are then added as float32 numbers proper.
//
// A warp takes 16 of the tile's points by up to 128 units. The inputs lie in shared memory as the lanes read them
// (mma.m16n8k16 of the PTX ISA), 16 inputs of 16 points after the other, and the outputs replace them: sums of 16
// units are, lane by lane, inputs 16 units wide.
#pragma once

#include "surrogate/cuda/activation.h"
#include "surrogate/cuda/dispatch.h"
#include "surrogate/cuda/group.h"
#include "surrogate/cuda/half.h"
#include "surrogate/cuda/program.h"
#include "surrogate/cuda/tensor_layout.h"

namespace pyamp::cuda {

/// A matrix of 16 points by 16 inputs, as one lane holds it.
struct alignas(16) InputFragment {
    std::uint32_t word[4];
};
struct SplitInput {
    InputFragment high, low;
};

/// A matrix of 16 points by 8 units.
struct SumFragment {
    float value[4];
};
struct TensorSums {
    SumFragment tile[2 * max_unit_blocks];
};

/// What a lane's words hold: points `row` and `row` + 8; inputs, or units, `column`, `column` + 1 and those 8
/// further.
struct LanePlace {
    int lane, row, column;

    PYAMP_DEVICE_BODY explicit LanePlace(int thread) : lane(thread % 32), row(lane / 4), column(2 * (lane % 4)) {}
};

/// What a warp of a group does in a layer; blocks of 16 units.
struct WarpShare {
    int points;  ///< the first
    int block;   ///< the first
    bool idle;

    PYAMP_DEVICE_BODY WarpShare(const LayerProgram& layer, int warp)
        : points(16 * (warp % warps_in_points)),
          block(warp / warps_in_points * layer.rows),
          idle(16 * block >= layer.n_padded) {}
};

/// Where in shared memory the inputs of a layer lie, and the factors that undo their powers of two.
struct TensorInput {
    InputFragment* fragments;
    float* inverse;  ///< (points)

    PYAMP_DEVICE_BODY InputFragment* at(int block, int points, const LanePlace& place) const {
        return fragments + (block * warps_in_points + points / 16) * 64 + place.lane;
    }
    PYAMP_DEVICE_BODY SplitInput load(int block, int points, const LanePlace& place) const {
        const InputFragment* const from = in_shared_memory(at(block, points, place));
        return {from[0], from[32]};
    }
    /// @param value of 16 inputs as sums of units: tile j's of point `row` + 8 h and column i are value[4 j + 2 h +
    /// i]
    PYAMP_DEVICE_BODY void store(int block, int points, const LanePlace& place, const float (&value)[8]) const {
        SplitInput split;
        PYAMP_UNROLL
        for (int w = 0; w < 4; ++w) {
            const SplitPair pair(value[2 * w], value[2 * w + 1]);
            split.high.word[w] = pair.high;
            split.low.word[w] = pair.low;
        }
        InputFragment* const to = at(block, points, place);
        to[0] = split.high;
        to[32] = split.low;
    }
};

/// The power of two that takes numbers up to `bound` below 2^15, and its inverse.
struct PowerOfTwo {
    float scale, inverse;

    PYAMP_DEVICE_BODY explicit PowerOfTwo(float bound) {
        const std::uint32_t exponent = std::bit_cast<std::uint32_t>(bound) >> 23;
        const std::uint32_t bounded = exponent < 15u ? 15u : exponent;
        scale = std::bit_cast<float>((268u - bounded) << 23);
        inverse = std::bit_cast<float>((bounded - 14u) << 23);
    }
};

PYAMP_DEVICE_BODY std::uint32_t magnitude_bits(float x) { return std::bit_cast<std::uint32_t>(x) & 0x7fffffffu; }

/// Shared memory of a group for its tile's points besides the activations, see tensor_bytes.
class TensorMemory {
 public:
    PYAMP_DEVICE_BODY TensorMemory(const Program& program, char* memory, void* activations)
        : features_(reinterpret_cast<InputFragment*>(memory)),
          activations_(static_cast<InputFragment*>(activations)),
          rows_(reinterpret_cast<float*>(memory + fragment_bytes(program.point.n_features, P))) {}

    PYAMP_DEVICE_BODY TensorInput features() const { return {features_, rows_}; }
    /// Of a layer: all but the first lie in the same place.
    PYAMP_DEVICE_BODY TensorInput inputs(int layer) const {
        return layer == 0 ? features() : TensorInput{activations_, rows_ + (1 + layer % 2) * P};
    }
    /// (points) |sum| of a layer, as bits; zero before it.
    PYAMP_DEVICE_BODY std::uint32_t* largest(int layer) const {
        return reinterpret_cast<std::uint32_t*>(rows_ + (3 + layer % 2) * P);
    }

 private:
    static constexpr int P = tile_points<float>;

    InputFragment *features_, *activations_;
    float* rows_;
};

/// Features (features, points) to inputs.
template <typename Group>
PYAMP_DEVICE_BODY void split_features(Group& group, int n_features, const float* features,
                                      const TensorMemory& memory) {
    constexpr int P = tile_points<float>;
    group.phase([&](int thread) {
        if (thread >= P) return;
        std::uint32_t largest = 0;
        for (int k = 0; k < n_features; ++k) {
            const std::uint32_t bits = magnitude_bits(features[k * P + thread]);
            largest = largest < bits ? bits : largest;
        }
        memory.features().inverse[thread] = PowerOfTwo(std::bit_cast<float>(largest)).inverse;
        memory.largest(0)[thread] = memory.largest(1)[thread] = 0;
    });
    group.phase([&](int thread) {
        const LanePlace place(thread);
        const int warp = thread / 32, n_blocks = (n_features + 15) / 16;
        const int points = 16 * (warp % warps_in_points), p = points + place.row;
        const float scale[2] = {1.0f / memory.features().inverse[p], 1.0f / memory.features().inverse[p + 8]};
        for (int block = warp / warps_in_points; block < n_blocks; block += group.threads() / 32 / warps_in_points) {
            float value[8];
            PYAMP_UNROLL
            for (int i = 0; i < 8; ++i) {
                const int k = 16 * block + 8 * (i / 4) + place.column + i % 2, h = i / 2 % 2;
                value[i] = k < n_features ? features[k * P + p + 8 * h] * scale[h] : 0.0f;
            }
            memory.features().store(block, points, place, value);
        }
    });
}

/// Units whose products do not wait for each other.
struct TilesAtOnce {
    static constexpr int size = 4;
    SplitWeights weights[size];
    SumFragment sums[size];
};

/// Adds the blocks of inputs first ... last - 1 to the sums of R blocks of units; weights at block `first`.
template <int R, typename Group, typename Sums>
PYAMP_DEVICE_BODY void multiply(Group& group, const LayerProgram& layer, const TensorInput& input,
                                const float* weights, int first, int last, Sums& sums) {
    constexpr int size = TilesAtOnce::size;
    group.each_warp([&](auto& warp) {
        const WarpShare share(layer, warp.index());
        if (share.idle) return;
        typename Group::template PerThread<SplitInput> inputs(group);
        typename Group::template PerThread<TilesAtOnce> tiles(group);
        const auto high = [&](int thread) -> const auto& { return inputs[thread].high.word; };
        const auto low = [&](int thread) -> const auto& { return inputs[thread].low.word; };
        const auto* row = reinterpret_cast<const SplitWeights*>(in_shared_memory(weights)) + share.block * 64;
        for (int k = first; k < last; ++k, row += layer.n_padded * 4) {
            warp.each([&](int thread) { inputs[thread] = input.load(k, share.points, LanePlace(thread)); });
            PYAMP_UNROLL
            for (int begin = 0; begin < 2 * R; begin += size) {
                const int count = 2 * R - begin < size ? 2 * R - begin : size;
                warp.each([&](int thread) {
                    PYAMP_UNROLL
                    for (int n = 0; n < count; ++n) {
                        tiles[thread].weights[n] = row[32 * (begin + n) + thread % 32];
                        tiles[thread].sums[n] = {};
                    }
                });
                const auto add = [&](const auto& factor, auto part) {
                    PYAMP_UNROLL
                    for (int n = 0; n < count; ++n)
                        warp.multiply_add([&](int thread) -> auto& { return tiles[thread].sums[n].value; }, factor,
                                          [&](int thread) -> const auto& { return tiles[thread].weights[n].*part; });
                };
                add(low, &SplitWeights::high);
                add(high, &SplitWeights::low);
                add(high, &SplitWeights::high);
                warp.each([&](int thread) {
                    PYAMP_UNROLL
                    for (int n = 0; n < count; ++n) PYAMP_UNROLL
                    for (int i = 0; i < 4; ++i)
                        sums[thread].tile[begin + n].value[i] += tiles[thread].sums[n].value[i];
                });
            }
        }
    });
}

template <typename Group, typename Sums>
PYAMP_DEVICE_BODY void multiply(Group& group, const LayerProgram& layer, const TensorInput& input,
                                const float* weights, int first, int last, Sums& sums) {
    with_count<max_unit_blocks>(layer.rows, [&](auto rows) {
        multiply<decltype(rows)::value>(group, layer, input, weights, first, last, sums);
    });
}

PYAMP_DEVICE_BODY void activate(Activation a, float (&value)[8]) {
    with_activation(a, [&](auto tag) {
        PYAMP_UNROLL
        for (float& x : value) x = activation<float, decltype(tag)::value>(x);
    });
}

/// What an activation makes of sums up to `largest` is no larger than this.
PYAMP_DEVICE_BODY float activation_bound(Activation a, float largest) {
    if (a == Activation::softplus) return largest + 1.0f;
    return (a == Activation::tanh || a == Activation::sine) && largest > 1.0f ? 1.0f : largest;
}

/// Products to sums with their bias, and, if wanted, the largest of each point.
template <typename Group>
PYAMP_DEVICE_BODY void finish_sums(Group& group, const LayerProgram& layer, const TensorInput& input,
                                   const float* bias, const WarpShare& share, const LanePlace& place,
                                   TensorSums& sums, std::uint32_t* largest) {
    const int p = share.points + place.row;
    const float inverse[2] = {layer.inverse_scale * input.inverse[p], layer.inverse_scale * input.inverse[p + 8]};
    std::uint32_t found[2] = {0, 0};
    PYAMP_UNROLL
    for (int n = 0; n < 2 * max_unit_blocks; ++n) {
        if (n >= 2 * layer.rows) break;
        PYAMP_UNROLL
        for (int i = 0; i < 4; ++i) {
            float& sum = sums.tile[n].value[i];
            sum = std::fma(sum, inverse[i / 2], bias[16 * share.block + 8 * n + place.column + i % 2]);
            const std::uint32_t bits = magnitude_bits(sum);
            found[i / 2] = found[i / 2] < bits ? bits : found[i / 2];
        }
    }
    if (!largest) return;
    group.raise(largest + p, found[0]);
    group.raise(largest + p + 8, found[1]);
}

/// Sums of the last layer as (units, points).
PYAMP_DEVICE_BODY void write_outputs(const LayerProgram& layer, const WarpShare& share, const LanePlace& place,
                                     const TensorSums& sums, float* outputs) {
    PYAMP_UNROLL
    for (int n = 0; n < 2 * max_unit_blocks; ++n) {
        if (n >= 2 * layer.rows) break;
        PYAMP_UNROLL
        for (int i = 0; i < 4; ++i)
            outputs[(16 * share.block + 8 * n + place.column + i % 2) * tile_points<float> + share.points +
                    place.row + 8 * (i / 2)] = sums.tile[n].value[i];
    }
}

/// Sums of a layer to inputs of the next, in the place of the layer's own if that is not the first.
PYAMP_DEVICE_BODY void write_activations(const LayerProgram& layer, const TensorInput& input,
                                         const TensorInput& output, const std::uint32_t* largest,
                                         const WarpShare& share, const LanePlace& place, TensorSums& sums) {
    const int p = share.points + place.row;
    float scale[2];
    PYAMP_UNROLL
    for (int h = 0; h < 2; ++h) {
        float bound = activation_bound(layer.activation, std::bit_cast<float>(largest[p + 8 * h]));
        if (layer.adds_input) bound += 0x1p15f * input.inverse[p + 8 * h];
        const PowerOfTwo power(bound);
        scale[h] = power.scale;
        if (share.block == 0 && place.column == 0) output.inverse[p + 8 * h] = power.inverse;
    }
    PYAMP_UNROLL_BY(1)
    for (int block = 0; block < layer.rows; ++block) {
        float value[8];
        PYAMP_UNROLL
        for (int i = 0; i < 8; ++i) value[i] = sums.tile[i / 4].value[i % 4];
        activate(layer.activation, value);
        if (layer.adds_input) {
            const SplitInput x = input.load(share.block + block, share.points, place);
            PYAMP_UNROLL
            for (int w = 0; w < 4; ++w) {
                const float inverse = input.inverse[p + 8 * (w % 2)];
                value[2 * w] += inverse * (first_half(x.high.word[w]) + first_half(x.low.word[w]));
                value[2 * w + 1] += inverse * (second_half(x.high.word[w]) + second_half(x.low.word[w]));
            }
        }
        PYAMP_UNROLL
        for (int i = 0; i < 8; ++i) value[i] *= scale[i / 2 % 2];
        output.store(share.block + block, share.points, place, value);
        // The next ones move down: registers have no index that a loop could count.
        PYAMP_UNROLL
        for (int n = 0; n + 2 < 2 * max_unit_blocks; ++n) sums.tile[n] = sums.tile[n + 2];
    }
}

/// Runs a network on the features of the tile and returns where its outputs (units, points) lie.
/// @param weights of the network: in shared memory if they are resident, else where they come from
template <typename Group>
PYAMP_DEVICE_BODY const float* run_network_on_tensor_cores(Group& group, const Program& program,
                                                           const NetworkProgram& network, const float* weights,
                                                           float* chunk, const TensorMemory& memory, float* outputs) {
    for (int l = 0; l < network.n_layers; ++l) {
        const LayerProgram& layer = network.layers[l];
        const TensorInput input = memory.inputs(l);
        const bool is_last = l + 1 == network.n_layers;
        const float* const bias = weights + layer.offset;
        const float* const blocks = bias + layer.n_padded;
        typename Group::template PerThread<TensorSums> sums(group);
        const int n_blocks = (layer.n_in + 15) / 16, block_size = 16 * layer.n_padded;
        const int fitting =
            program.resident ? n_blocks : static_cast<int>(program.weight_bytes / sizeof(float)) / block_size;
        for (int first = 0; first < n_blocks; first += fitting) {
            const int last = first + fitting < n_blocks ? first + fitting : n_blocks;
            const float* from = blocks;
            if (!program.resident) {
                group.load(chunk, blocks + first * block_size, sizeof(float) * (last - first) * block_size);
                from = chunk;
            }
            multiply(group, layer, input, from, first, last, sums);
        }
        group.phase([&](int thread) {
            const WarpShare share(layer, thread / 32);
            if (thread < tile_points<float>) memory.largest(l + 1)[thread] = 0;
            if (!share.idle)
                finish_sums(group, layer, input, bias, share, LanePlace(thread), sums[thread],
                            is_last ? nullptr : memory.largest(l));
        });
        group.phase([&](int thread) {
            const WarpShare share(layer, thread / 32);
            if (share.idle) return;
            if (is_last)
                write_outputs(layer, share, LanePlace(thread), sums[thread], outputs);
            else
                write_activations(layer, input, memory.inputs(l + 1), memory.largest(l), share, LanePlace(thread),
                                  sums[thread]);
        });
    }
    return outputs;
}

}  // namespace pyamp::cuda
