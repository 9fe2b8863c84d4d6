// MLPs by products of tiles of bfloat16, see kernel.h; compiled with AMX.
//
// A block of 32 points by 32 outputs is summed in four tiles. While the unit that multiplies tiles is at work on one
// block, the vector units give the block before it its bias and activation and split it into parts: their
// instructions are interleaved by hand, as the window of the processor is shorter than a block.
#include "surrogate/amx/kernel.h"
#include "surrogate/fused/mlp_activation.h"

namespace pyamp::amx {
namespace {

using fused::Activation;
using simd::PYAMP_ISA::Vec;
using simd::PYAMP_ISA::load;
using simd::PYAMP_ISA::store;
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
    const float* sums;  ///< (2) tiles
    const float* bias;
    const Bits* residual;  ///< the layer's input at the place of its output, or nullptr
    Bits* to;              ///< the tile
    int left;              ///< rows
};

/// The next rows, as many as suffice to finish them all in `steps` calls.
template <Activation A>
[[gnu::always_inline]] inline void finish_rows(Pending& p, int steps) {
    constexpr int together = 2;  // chains of dependent instructions of a row alone are too long
    for (int done = 0; done * steps < tile_points && p.left > 0; done += together) {
        Vec<float> values[together][2];
#pragma GCC unroll 2
        for (int r = 0; r < together; ++r)
#pragma GCC unroll 2
            for (int half = 0; half < 2; ++half)
                values[r][half] = fused::PYAMP_ISA::activation<float, A>(
                    load(p.sums + r * tile_outputs + half * sums_size) + load(p.bias + half * tile_outputs));
#pragma GCC unroll 2
        for (int r = 0; r < together; ++r) {
            if (p.residual) {
                const Pair input = load_parts(p.residual + r * block);
                values[r][0] = values[r][0] + input.a;
                values[r][1] = values[r][1] + input.b;
            }
            store_parts(p.to + r * block, values[r][0], values[r][1]);
        }
        p.sums += together * tile_outputs;
        p.to += together * block;
        if (p.residual) p.residual += together * block;
        p.left -= together;
    }
}

// Numbers of tiles are part of the instructions: two of sums, three of points, two of weights.
#define PYAMP_LOAD_WEIGHTS(part)                                               \
    _tile_loadd(6, w + (part)*N * tile_size, row_bytes);                       \
    if constexpr (N == 2) _tile_loadd(7, w + ((part)*N + 1) * tile_size, row_bytes)

/// Sums of 16 points and N tiles of outputs.
template <int N, typename Work>
[[gnu::always_inline]] inline void multiply(const Bits* x, const Bits* w, int blocks, float* sums, const Work& work) {
    asm volatile("" ::: "memory");  // loads of tiles do not say what they read
    _tile_zero(0);
    _tile_zero(1);
    for (int k = 0; k < blocks; ++k) {
        _tile_loadd(2, x, row_bytes);
        PYAMP_LOAD_WEIGHTS(2);
        _tile_dpbf16ps(0, 2, 6);
        if constexpr (N == 2) _tile_dpbf16ps(1, 2, 7);
        _tile_loadd(3, x + tile_size, row_bytes);
        PYAMP_LOAD_WEIGHTS(1);
        _tile_dpbf16ps(0, 3, 6);
        if constexpr (N == 2) _tile_dpbf16ps(1, 3, 7);
        work();
        _tile_dpbf16ps(0, 2, 6);
        if constexpr (N == 2) _tile_dpbf16ps(1, 2, 7);
        _tile_loadd(4, x + 2 * tile_size, row_bytes);
        PYAMP_LOAD_WEIGHTS(0);
        _tile_dpbf16ps(0, 4, 6);
        if constexpr (N == 2) _tile_dpbf16ps(1, 4, 7);
        work();
        _tile_dpbf16ps(0, 3, 6);
        if constexpr (N == 2) _tile_dpbf16ps(1, 3, 7);
        _tile_dpbf16ps(0, 2, 6);
        if constexpr (N == 2) _tile_dpbf16ps(1, 2, 7);
        work();
        x += parts * tile_size;
        w += parts * N * tile_size;
    }
    _tile_stored(0, sums, row_bytes);
    _tile_stored(1, sums + sums_size, row_bytes);
}

[[gnu::always_inline]] inline __mmask8 mask_of(int left) {
    return static_cast<__mmask8>(left >= 8 ? 0xff : left <= 0 ? 0 : (1 << left) - 1);
}

[[gnu::always_inline]] inline Vec<float> load_features(const double* from, int left) {
    const __m256 low = _mm512_maskz_cvtpd_ps(0xff, _mm512_maskz_loadu_pd(mask_of(left), from));
    const __m256 high = _mm512_maskz_cvtpd_ps(0xff, _mm512_maskz_loadu_pd(mask_of(left - 8), from + 8));
    return _mm512_insertf32x8(_mm512_zextps256_ps512(low), high, 1);
}

/// Features (n, n_features) of a chunk to tiles, zero beyond them.
void split_features(const double* features, int n, int points, int n_features, Bits* x) {
    const int blocks = blocks_of(n_features);
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
            const float* const from =
                sums + j / tile_outputs * sums_size + i * tile_outputs + j % tile_outputs;
            const __m512d value = _mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(from) + _mm256_loadu_ps(bias + j));
            _mm512_mask_storeu_pd(outputs + i * n_outputs + j, mask_of(left - j), value);
        }
}

struct Buffers {
    Bits *features, *x, *y;
    float* sums[2];
};

template <Activation A>
class Chunk {
 public:
    Chunk(const PackedMlp& mlp, const Buffers& buffers, int n, int points)
        : mlp_(mlp), buffers_(buffers), n_(n), pairs_(points / smallest_chunk) {}

    /// One member.
    void run(const Layer* layers, double* outputs) {
        const Bits* x = buffers_.features;
        Bits* y = buffers_.x;
        Bits* other = buffers_.y;
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
    static std::size_t stride_of(int blocks) { return static_cast<std::size_t>(blocks) * parts * tile_size; }

    

    void hidden_layer(const Layer& layer, const Bits* x, Bits* y) {
        const int in_blocks = layer.in_blocks(), out_blocks = layer.out_blocks();
        const std::size_t stride = stride_of(in_blocks), out_stride = stride_of(out_blocks);
        const Bits* weights = layer.weights;
        const int steps = 3 * in_blocks;
        Pending pending = pending_;  // in registers, in spite of the barriers for memory
        const auto work = [&]() __attribute__((always_inline)) { finish_rows<A>(pending, steps); };
        for (int j = 0; j < out_blocks; ++j) {
            const int tiles = layer.tiles_of(j);
            for (int p = 0; p < pairs_; ++p) {
                float* const sums = buffers_.sums[turn_];
                turn_ ^= 1;
                // Where there are no other points, a layer begins when the one before has ended.
                if (pairs_ == 1 && j == 0) finish_rows<A>(pending, 1);
                if (tiles == 2)
                    multiply<2>(x + p * stride, weights, in_blocks, sums, work);
                else
                    multiply<1>(x + p * stride, weights, in_blocks, sums, work);
                finish_rows<A>(pending, 1);
                const std::size_t place = p * out_stride + j * parts * tile_size;
                pending = {sums, layer.bias + j * block, layer.adds_input ? x + place : nullptr, y + place, tile_points};
            }
            weights += static_cast<std::size_t>(in_blocks) * parts * tiles * tile_size;
        }
        pending_ = pending;
    }

    void last_layer(const Layer& layer, const Bits* x, double* outputs) {
        const int in_blocks = layer.in_blocks(), out_blocks = layer.out_blocks();
        const std::size_t stride = stride_of(in_blocks);
        const Bits* weights = layer.weights;
        const auto no_work = [] {};
        for (int j = 0; j < out_blocks; ++j) {
            const int tiles = layer.tiles_of(j);
            for (int p = 0; p < pairs_; ++p) {
                float* const sums = buffers_.sums[0];
                if (tiles == 2)
                    multiply<2>(x + p * stride, weights, in_blocks, sums, no_work);
                else
                    multiply<1>(x + p * stride, weights, in_blocks, sums, no_work);
                const int first = p * smallest_chunk, count = n_ - first < smallest_chunk ? n_ - first : smallest_chunk;
                write_outputs(sums, layer.bias + j * block, count, mlp_.n_outputs, mlp_.n_outputs - j * block,
                              outputs + first * mlp_.n_outputs + j * block);
            }
            weights += static_cast<std::size_t>(in_blocks) * parts * tiles * tile_size;
        }
    }

    const PackedMlp& mlp_;
    const Buffers& buffers_;
    int n_, pairs_, turn_ = 0;
    Pending pending_{nullptr, nullptr, nullptr, nullptr, 0};
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
    buffers.sums[1] = buffers.sums[0] + smallest_chunk * block;
    const auto n_features = static_cast<std::size_t>(mlp.n_features);
    const auto n_outputs = static_cast<std::size_t>(mlp.n_outputs);
    _tile_loadconfig(&configuration);
    fused::PYAMP_ISA::with_activation(mlp.activation, [&](auto tag) {
        for (std::size_t first = 0; first < n; first += largest_chunk) {
            const int count = static_cast<int>(n - first < largest_chunk ? n - first : largest_chunk);
            const int points = (count + smallest_chunk - 1) / smallest_chunk * smallest_chunk;
            split_features(features + first * n_features, count, points, mlp.n_features, buffers.features);
            Chunk<decltype(tag)::value> chunk(mlp, buffers, count, points);
            for (std::size_t member = 0; member < mlp.members; ++member)
                chunk.run(mlp.layers + member * static_cast<std::size_t>(mlp.n_layers),
                          outputs + (member * n + first) * n_outputs);
        }
    });
    _tile_release();
}

}  // namespace pyamp::amx
