// MLPs by products of tiles of bfloat16, see kernel.h; compiled with AMX.
//
// A block is 16 points, or 32 of wide layers, by 32 outputs. While the unit that multiplies tiles is at work on one
// block, the vector units give the block before it its bias and activation and split it into parts: their
// instructions are interleaved by hand, as the window of the processor is shorter than a block.
#include "surrogate/amx/kernel.h"
#include "surrogate/fused/mlp_activation.h"

namespace pyamp::amx {
namespace {

using fused::Activation;
using simd::PYAMP_ISA::load;
using simd::PYAMP_ISA::store;
using simd::PYAMP_ISA::Vec;
using Bits = std::uint16_t;

constexpr int row_bytes = 64;
constexpr int sums_size = tile_points * tile_outputs;

[[gnu::always_inline]] inline __m512i as_integer(Vec<float> x) { return _mm512_castps_si512(x); }
[[gnu::always_inline]] inline Vec<float> as_float(__m512i x) { return _mm512_castsi512_ps(x); }

/// The upper halves of two registers, in turn.
[[gnu::always_inline]] inline void store_upper(Bits* to, Vec<float> a, Vec<float> b) {
    const __m512i mask = _mm512_set1_epi32(static_cast<int>(0xffff0000));
    constexpr int first_or_masked_second = 0xf8;
    _mm512_store_si512(to, _mm512_ternarylogic_epi32(_mm512_srli_epi32(as_integer(a), 16), as_integer(b), mask,
                                                     first_or_masked_second));
}

[[gnu::always_inline]] inline Vec<float> upper(Vec<float> x) {
    return as_float(_mm512_and_si512(as_integer(x), _mm512_set1_epi32(static_cast<int>(0xffff0000))));
}

/// A row of 32 units of one point, in parts.
[[gnu::always_inline]] inline void store_parts(Bits* to, Vec<float> a, Vec<float> b) {
    store_upper(to, a, b);
    a = a - upper(a);
    b = b - upper(b);
    store_upper(to + tile_size, a, b);
    a = a - upper(a);
    b = b - upper(b);
    store_upper(to + 2 * tile_size, a, b);
}

struct Pair {
    Vec<float> a, b;
};

/// What store_parts was given: exact, as the parts have all its bits.
[[gnu::always_inline]] inline Pair load_parts(const Bits* from) {
    Pair sum{};
#pragma GCC unroll 3
    for (int part = parts - 1; part >= 0; --part) {
        const __m512i both = _mm512_load_si512(from + part * tile_size);
        sum.a = as_float(_mm512_slli_epi32(both, 16)) + sum.a;
        sum.b = upper(as_float(both)) + sum.b;
    }
    return sum;
}

/// Sums of a block that wait for their activation.
struct Pending {
    const float* sums;  ///< (tiles of points, 2 of outputs) tiles
    const float* bias;
    const Bits* residual;   ///< the layer's input at the place of its output, or nullptr
    Bits* to;               ///< the tile of the first points
    std::ptrdiff_t stride;  ///< from there to that of the others
    int rows, left;
};

/// The next rows, as many as suffice to finish a block in this number of calls.
template <Activation A>
[[gnu::always_inline]] inline void finish_rows(Pending& p, int calls) {
    for (int done = 0; done * calls < p.rows && p.left > 0; ++done) {
        Vec<float> a = fused::PYAMP_ISA::activation<float, A>(load(p.sums) + load(p.bias));
        Vec<float> b = fused::PYAMP_ISA::activation<float, A>(load(p.sums + sums_size) + load(p.bias + tile_outputs));
        if (p.residual) {
            const Pair input = load_parts(p.residual);
            a = a + input.a;
            b = b + input.b;
        }
        store_parts(p.to, a, b);
        const bool to_next_tile = --p.left == tile_points;
        const std::ptrdiff_t step = block + (to_next_tile ? p.stride - tile_size : 0);
        p.sums += tile_outputs + (to_next_tile ? sums_size : 0);
        p.to += step;
        if (p.residual) p.residual += step;
    }
}

// Numbers of tiles are part of the instructions: from 0 on sums, then parts of points, 6 and 7 weights.
#define PYAMP_LOAD_WEIGHTS(part)                           \
    _tile_loadd(6, w + (part) * N * tile_size, row_bytes); \
    if constexpr (N == 2) _tile_loadd(7, w + ((part) * N + 1) * tile_size, row_bytes)
#define PYAMP_MULTIPLY(points)    \
    _tile_dpbf16ps(0, points, 6); \
    if constexpr (N == 2) _tile_dpbf16ps(1, points, 7)
#define PYAMP_LOAD_TWO(part)                           \
    _tile_loadd(4, x + (part) * tile_size, row_bytes); \
    _tile_loadd(5, x + stride + (part) * tile_size, row_bytes)
#define PYAMP_MULTIPLY_TWO() \
    _tile_dpbf16ps(0, 4, 6); \
    _tile_dpbf16ps(1, 4, 7); \
    _tile_dpbf16ps(2, 5, 6); \
    _tile_dpbf16ps(3, 5, 7); \
    work()

/// Sums of 16 points and N tiles of outputs; work() goes on elsewhere in between, multiply_calls times for a block of
/// inputs. Both orders of the products add each output's in the same order.
template <int N, typename Work>
[[gnu::always_inline]] inline void multiply(const Bits* x, const Bits* w, int blocks, float* sums, const Work& work) {
    asm volatile("" ::: "memory");  // loads of tiles do not say what they read
    _tile_zero(0);
    _tile_zero(1);
    for (int k = 0; k < blocks; ++k) {
        _tile_loadd(2, x, row_bytes);
        PYAMP_LOAD_WEIGHTS(2);
        PYAMP_MULTIPLY(2);
        PYAMP_LOAD_WEIGHTS(1);
        PYAMP_MULTIPLY(2);
        work();
        _tile_loadd(3, x + tile_size, row_bytes);
        PYAMP_MULTIPLY(3);
        PYAMP_LOAD_WEIGHTS(0);
        PYAMP_MULTIPLY(3);
        work();
        PYAMP_MULTIPLY(2);
        _tile_loadd(4, x + 2 * tile_size, row_bytes);
        PYAMP_MULTIPLY(4);
        work();
        x += parts * tile_size;
        w += parts * N * tile_size;
    }
    _tile_stored(0, sums, row_bytes);
    _tile_stored(1, sums + sums_size, row_bytes);
}

/// The same of 32 points, the tiles of the second half at a stride, and two tiles of outputs: fewer bytes of weights
/// for a product, where these do not stay in the L1 cache.
template <typename Work>
[[gnu::always_inline]] inline void multiply_two(const Bits* x, std::ptrdiff_t stride, const Bits* w, int blocks,
                                                float* sums, const Work& work) {
    constexpr int N = 2;
    asm volatile("" ::: "memory");
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int k = 0; k < blocks; ++k) {
        PYAMP_LOAD_TWO(0);
        PYAMP_LOAD_WEIGHTS(2);
        PYAMP_MULTIPLY_TWO();
        PYAMP_LOAD_WEIGHTS(1);
        PYAMP_MULTIPLY_TWO();
        PYAMP_LOAD_TWO(1);
        PYAMP_MULTIPLY_TWO();
        PYAMP_LOAD_WEIGHTS(0);
        PYAMP_MULTIPLY_TWO();
        PYAMP_LOAD_TWO(0);
        PYAMP_MULTIPLY_TWO();
        PYAMP_LOAD_TWO(2);
        PYAMP_MULTIPLY_TWO();
        x += parts * tile_size;
        w += parts * N * tile_size;
    }
    _tile_stored(0, sums, row_bytes);
    _tile_stored(1, sums + sums_size, row_bytes);
    _tile_stored(2, sums + 2 * sums_size, row_bytes);
    _tile_stored(3, sums + 3 * sums_size, row_bytes);
}
constexpr int multiply_calls = 3, multiply_two_calls = 6;
#undef PYAMP_LOAD_WEIGHTS
#undef PYAMP_MULTIPLY
#undef PYAMP_LOAD_TWO
#undef PYAMP_MULTIPLY_TWO

[[gnu::always_inline]] inline __mmask8 mask_of(int left) {
    return static_cast<__mmask8>(left >= 8 ? 0xff : left <= 0 ? 0 : (1 << left) - 1);
}

[[gnu::always_inline]] inline Vec<float> load_features(const double* from, int left) {
    const __m256 low = _mm512_maskz_cvtpd_ps(0xff, _mm512_maskz_loadu_pd(mask_of(left), from));
    const __m256 high = _mm512_maskz_cvtpd_ps(0xff, _mm512_maskz_loadu_pd(mask_of(left - 8), from + 8));
    return _mm512_insertf32x8(_mm512_zextps256_ps512(low), high, 1);
}

/// Features (n, n_features) of a chunk to tiles, zero beyond them.
void split_features(const double* features, int n, int n_features, Bits* x) {
    const int blocks = blocks_of(n_features), points = (n + tile_points - 1) / tile_points * tile_points;
    for (int k = 0; k < blocks; ++k)
        for (int i = 0; i < points; ++i) {
            const double* const from = features + i * n_features + k * block;
            const int left = i < n ? n_features - k * block : 0;
            store_parts(x + (i / tile_points * blocks + k) * parts * tile_size + i % tile_points * block,
                        load_features(from, left), load_features(from + 16, left - 16));
        }
}

/// Sums and biases of a block of the last layer to outputs (n, n_outputs).
void write_outputs(const float* sums, const float* bias, int n, int n_outputs, int left, double* outputs) {
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < left; j += 8) {
            const float* const from = sums + j / tile_outputs * sums_size + i * tile_outputs + j % tile_outputs;
            const __m512d value = _mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(from) + _mm256_loadu_ps(bias + j));
            _mm512_mask_storeu_pd(outputs + i * n_outputs + j, mask_of(left - j), value);
        }
}

struct Buffers {
    Bits *features, *x, *y;
    float* sums[2];
};

/// Up to largest_chunk points, of which the scratch holds the activations.
template <Activation A>
class Chunk {
 public:
    Chunk(const PackedMlp& mlp, const Buffers& buffers, int n)
        : mlp_(mlp), buffers_(buffers), n_(n), tiles_((n + tile_points - 1) / tile_points) {}

    /// One member.
    void run(const Layer* layers, double* outputs) {
        const Bits* x = buffers_.features;
        Bits *y = buffers_.x, *other = buffers_.y;
        for (int l = 0; l + 1 < mlp_.n_layers; ++l) {
            hidden_layer(layers[l], x, y);
            x = y;
            y = other;
            other = const_cast<Bits*>(x);
        }
        finish_rows<A>(pending_, 1);
        last_layer(layers[mlp_.n_layers - 1], x, outputs);
    }

 private:
    static std::ptrdiff_t stride_of(int blocks) { return static_cast<std::ptrdiff_t>(blocks) * parts * tile_size; }

    /// Sums of all blocks of a layer.
    /// @param work  what goes on meanwhile, with how many calls there are for a block
    /// @param after called with (sums, outputs, first tile of points, tiles of points)
    template <typename Work, typename After>
    [[gnu::always_inline]] void sum(const Layer& layer, const Bits* x, const Work& work, const After& after) {
        const int blocks = layer.in_blocks();
        constexpr int line = 32;     // numbers of 16 bits
        constexpr int in_cache = 4;  // blocks of inputs of which the weights of a pair of outputs stay in L1
        const auto stride = stride_of(blocks);
        const Bits* weights = layer.weights;
        for (int j = 0; j < layer.out_blocks(); ++j) {
            const int outputs = layer.tiles_of(j);
            for (int tile = 0; tile < tiles_;) {
                float* const sums = buffers_.sums[turn_];
                turn_ ^= 1;
                const Bits* const from = x + tile * stride;
                const int points = blocks > in_cache && outputs == 2 && tile + 2 <= tiles_ ? 2 : 1;
                const int calls = blocks * (points == 2 ? multiply_two_calls : multiply_calls);
                // Weights that come from beyond the L2 cache: of the next outputs, a share with each block of points.
                const std::ptrdiff_t lines =
                    blocks > in_cache ? outputs * stride * points / (tiles_ * calls * line) : 0;
                const Bits* ahead = weights + outputs * stride + outputs * stride / tiles_ * tile;
                const auto go_on = [&]() __attribute__((always_inline)) {
                    work(calls);
                    for (std::ptrdiff_t i = 0; i < lines; ++i, ahead += line) _mm_prefetch(ahead, _MM_HINT_T1);
                };
                if (points == 2)
                    multiply_two(from, stride, weights, blocks, sums, go_on);
                else if (outputs == 2)
                    multiply<2>(from, weights, blocks, sums, go_on);
                else
                    multiply<1>(from, weights, blocks, sums, go_on);
                after(sums, j, tile, points);
                tile += points;
            }
            weights += outputs * stride;
        }
    }

    void hidden_layer(const Layer& layer, const Bits* x, Bits* y) {
        const auto stride = stride_of(layer.out_blocks());
        Pending pending = pending_;  // in registers, in spite of the barriers for memory
        // What is pending belongs to the last points of the layer before, and this one begins with the first.
        if (tiles_ < 4) finish_rows<A>(pending, 1);
        sum(
            layer, x, [&](int calls) __attribute__((always_inline)) { finish_rows<A>(pending, calls); },
            [&](const float* sums, int j, int tile, int points) __attribute__((always_inline)) {
                finish_rows<A>(pending, 1);
                const std::ptrdiff_t place = tile * stride + j * parts * tile_size;
                const int rows = points * tile_points;
                pending = {
                    sums, layer.bias + j * block, layer.adds_input ? x + place : nullptr, y + place, stride, rows,
                    rows};
            });
        pending_ = pending;
    }

    void last_layer(const Layer& layer, const Bits* x, double* outputs) {
        sum(
            layer, x, [](int) {},
            [&](const float* sums, int j, int tile, int points) {
                for (int i = 0; i < points; ++i) {
                    const int first = (tile + i) * tile_points, left = n_ - first;
                    write_outputs(sums + i * 2 * sums_size, layer.bias + j * block,
                                  left < tile_points ? left : tile_points, mlp_.n_outputs, mlp_.n_outputs - j * block,
                                  outputs + first * mlp_.n_outputs + j * block);
                }
            });
    }

    const PackedMlp& mlp_;
    const Buffers& buffers_;
    int n_, tiles_, turn_ = 0;
    Pending pending_{};
};

/// Eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfiguration {
    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr TileConfiguration configuration;

}  // namespace

void evaluate(const PackedMlp& mlp, const double* features, std::size_t n, double* outputs, void* scratch) {
    Buffers buffers;
    buffers.features = static_cast<Bits*>(scratch);
    buffers.x = buffers.features + activations_size(blocks_of(mlp.n_features));
    buffers.y = buffers.x + activations_size(mlp.width);
    buffers.sums[0] = reinterpret_cast<float*>(buffers.y + activations_size(mlp.width));
    buffers.sums[1] = buffers.sums[0] + sums_of_block;
    const auto n_features = static_cast<std::size_t>(mlp.n_features);
    const auto n_outputs = static_cast<std::size_t>(mlp.n_outputs);
    _tile_loadconfig(&configuration);
    fused::PYAMP_ISA::with_activation(mlp.activation, [&](auto tag) {
        for (std::size_t first = 0; first < n; first += largest_chunk) {
            const int count = static_cast<int>(n - first < largest_chunk ? n - first : largest_chunk);
            split_features(features + first * n_features, count, mlp.n_features, buffers.features);
            Chunk<decltype(tag)::value> chunk(mlp, buffers, count);
            for (std::size_t member = 0; member < mlp.members; ++member)
                chunk.run(mlp.layers + member * static_cast<std::size_t>(mlp.n_layers),
                          outputs + (member * n + first) * n_outputs);
        }
    });
    _tile_release();
}

}  // namespace pyamp::amx
