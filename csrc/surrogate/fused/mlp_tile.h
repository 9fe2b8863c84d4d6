// An MLP at a tile of points, whose lanes are points. See kernels.h for the order of the sums.
#pragma once

#include "surrogate/fused/mlp_activation.h"

namespace pyamp::fused::PYAMP_ISA {

/// Registers that hold sums; the others hold weights and activations.
#if defined(__AVX512F__)
constexpr int accumulators = 24;
#else
constexpr int accumulators = 12;
#endif

/// Bytes of inputs that stay in the L1 cache while all outputs of a layer are summed.
constexpr int inputs_in_cache = 28 * 1024;

/// The largest power of two that is not larger.
constexpr int power_of_two_below(int n) { return n < 2 ? 1 : 2 * power_of_two_below(n / 2); }

/// Adds the products of an input each to S sums of R outputs at a tile of C registers of points.
/// @param weight  (input, output) to the weight
template <typename T, int R, int C, int S, typename Weight>
[[gnu::always_inline]] inline void add_products(Vec<T> (&sums)[R][C][S], int first, int step, const Weight& weight,
                                                const T* x) {
    constexpr int L = lanes<T>;
#pragma GCC unroll 4
    for (int s = 0; s < S; ++s) {
        const int i = first + s * step;
        Vec<T> input[C];
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) input[c] = load(x + (i * C + c) * L);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
            const Vec<T> factor = broadcast(*weight(i, r));
#pragma GCC unroll 4
            for (int c = 0; c < C; ++c) sums[r][c][s] = fma(factor, input[c], sums[r][c][s]);
        }
    }
}

/// R outputs of a panel, from S blocks of inputs. What other blocks gave lies in y if they `follow`: a single sum
/// goes on from there, of more the result is added.
template <typename T, int R, int C, int S>
[[gnu::always_inline]] inline void dense_rows(const T* weights, const T* bias, int block, bool follow, const T* x,
                                              T* y) {
    constexpr int L = lanes<T>;
    Vec<T> sums[R][C][S];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) {
            if (!follow)
                sums[r][c][0] = broadcast(bias[r]);
            else
                sums[r][c][0] = S == 1 ? load(y + (r * C + c) * L) : Vec<T>{};
#pragma GCC unroll 4
            for (int s = 1; s < S; ++s) sums[r][c][s] = Vec<T>{};
        }
    for (int k = 0; k < block; ++k)
        add_products<T, R, C, S>(sums, k, block, [&](int i, int r) { return weights + i * L + r; }, x);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) {
            T* const to = y + (r * C + c) * L;
            const Vec<T> sum = add_pairwise<T, S>(sums[r][c]);
            store(to, S > 1 && follow ? load(to) + sum : sum);
        }
}

/// `rows` outputs of one panel from `row` on, R at a time, then fewer.
template <typename T, int R, int C, int S>
[[gnu::always_inline]] inline void dense_panel(const T* weights, const T* bias, int row, int rows, int block,
                                               bool follow, const T* x, T* y) {
    for (; row + R <= rows; row += R)
        dense_rows<T, R, C, S>(weights + row, bias + row, block, follow, x, y + row * C * lanes<T>);
    if constexpr (R > 1) {
        if (row < rows) dense_panel<T, R / 2, C, S>(weights, bias, row, rows, block, follow, x, y);
    }
}

/// A layer that is not narrow, with its activation.
/// @tparam S  sums side by side: as many as the layer has or, of four, two and then two
template <typename T, int C, int S>
[[gnu::noinline]] inline void dense_tile(const TileLayer<T>& layer, const T* x, T* y) {
    constexpr int L = lanes<T>, points = C * L;
    constexpr int fitting = power_of_two_below(accumulators / (S * C));
    constexpr int R = fitting < L ? fitting : L;
    constexpr int largest = inputs_in_cache / (points * static_cast<int>(sizeof(T)));
    // Wide layers take their inputs in parts, so that all panels find them in the L1 cache.
    const int parts = S == 1 ? (layer.n_in + largest - 1) / largest : layer.sums / S;
    const int part = (layer.n_in + parts - 1) / parts;
    for (int begin = 0; begin < layer.n_in; begin += part) {
        const int size = layer.n_in - begin < part ? layer.n_in - begin : part;
        for (int panel = 0; panel < layer.panels; ++panel) {
            const int rows = layer.n_out - panel * L < L ? layer.n_out - panel * L : L;
            T* const y_of_panel = y + panel * L * points;
            dense_panel<T, R, C, S>(layer.tile_weights + (static_cast<std::size_t>(panel) * layer.n_in + begin) * L,
                                    layer.bias + panel * L, 0, rows, size / S, begin > 0, x + begin * points,
                                    y_of_panel);
            if (begin + size == layer.n_in)
                with_activation(layer.activation, [&](auto tag) {
                    constexpr Activation A = decltype(tag)::value;
                    if constexpr (A != Activation::none)
                        activate_as<T, A>(y_of_panel, layer.adds_input ? x + panel * L * points : nullptr,
                                          rows * points);
                });
        }
    }
}

/// R outputs of a narrow layer: of its sums as many at a time as are added together first.
template <typename T, int R, int C>
[[gnu::always_inline]] inline void narrow_rows(const T* weights, const T* bias, int n_in, const T* x, T* y) {
    constexpr int L = lanes<T>;
    constexpr int S = L < 4 ? L : 4;
    Vec<T> of_quarter[R][C][L / S];
#pragma GCC unroll 4
    for (int quarter = 0; quarter < L / S; ++quarter) {
        Vec<T> sums[R][C][S] = {};
        if (quarter == 0)
            for (int r = 0; r < R; ++r)
                for (int c = 0; c < C; ++c) sums[r][c][0] = broadcast(bias[r * L]);
        for (int k = quarter * S; k < n_in; k += L)
            add_products<T, R, C, S>(sums, k, 1, [&](int i, int r) { return weights + r * n_in + i; }, x);
        for (int r = 0; r < R; ++r)
            for (int c = 0; c < C; ++c) of_quarter[r][c][quarter] = add_pairwise<T, S>(sums[r][c]);
    }
    for (int r = 0; r < R; ++r)
        for (int c = 0; c < C; ++c) store(y + (r * C + c) * L, add_pairwise<T, L / S>(of_quarter[r][c]));
}

/// A narrow layer, with its activation.
template <typename T, int C>
[[gnu::noinline]] inline void narrow_tile(const TileLayer<T>& layer, const T* x, T* y) {
    constexpr int L = lanes<T>, points = C * L;
    constexpr int R = accumulators >= 24 ? 2 : 1;
    int row = 0;
    for (; row + R <= layer.n_out; row += R)
        narrow_rows<T, R, C>(layer.tile_weights + row * layer.n_in, layer.bias + row * L, layer.n_in, x,
                             y + row * points);
    if (row < layer.n_out)
        narrow_rows<T, 1, C>(layer.tile_weights + row * layer.n_in, layer.bias + row * L, layer.n_in, x,
                             y + row * points);
    with_activation(layer.activation, [&](auto tag) {
        constexpr Activation A = decltype(tag)::value;
        if constexpr (A != Activation::none)
            activate_as<T, A>(y, layer.adds_input ? x : nullptr, layer.n_out * points);
    });
}

/// Features (n, n_features) to (n_features, points), zero where there is no point.
template <typename T, int points>
[[gnu::always_inline]] inline void transpose_features(const double* features, int n, int n_features, T* x) {
    for (int p = 0; p < points; p += 4) {
        int i = 0;
        if (p + 4 <= n) {
            const double* const rows = features + p * n_features;
            for (; i + 4 <= n_features; i += 4) {
                const Quad<T> row[4] = {load_quad<T>(rows + i), load_quad<T>(rows + n_features + i),
                                        load_quad<T>(rows + 2 * n_features + i),
                                        load_quad<T>(rows + 3 * n_features + i)};
                const auto store_columns = [&](int j, Quad<T> of_first, Quad<T> of_last) {
                    store_quad(x + (i + j) * points + p, __builtin_shufflevector(of_first, of_last, 0, 1, 4, 5));
                    store_quad(x + (i + j + 1) * points + p, __builtin_shufflevector(of_first, of_last, 2, 3, 6, 7));
                };
                store_columns(0, __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5),
                              __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5));
                store_columns(2, __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7),
                              __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7));
            }
        }
        for (; i < n_features; ++i)
            for (int q = p; q < p + 4 && q < points; ++q)
                x[i * points + q] = q < n ? static_cast<T>(features[q * n_features + i]) : T{0};
    }
}

/// Outputs (n_outputs, points) to (n, n_outputs).
template <typename T, int points>
[[gnu::always_inline]] inline void write_outputs(const T* y, int n, int n_outputs, double* outputs) {
    int p = 0;
    if (n_outputs == 2)
        for (; p + 4 <= n; p += 4) {
            const Quad<T> first = load_quad<T>(y + p), second = load_quad<T>(y + points + p);
            store_quad(outputs + 2 * p, __builtin_shufflevector(first, second, 0, 4, 1, 5));
            store_quad(outputs + 2 * p + 4, __builtin_shufflevector(first, second, 2, 6, 3, 7));
        }
    for (; p < n; ++p)
        for (int j = 0; j < n_outputs; ++j) outputs[p * n_outputs + j] = y[j * points + p];
}

/// One member at up to C lanes points: features (n, n_features) to outputs (n, n_outputs).
template <typename T, int C, typename W>
inline void evaluate_tile(const PackedMlp<T, W>& mlp, const Layer<T, W>* layers, const double* features, int n,
                          double* outputs, T* x, T* y) {
    constexpr int points = C * lanes<T>;
    transpose_features<T, points>(features, n, mlp.n_features, x);
    for (int i = mlp.n_features * points; i < layers[0].n_in * points; ++i) x[i] = T{0};
    for (int l = 0; l < mlp.n_layers; ++l) {
        const TileLayer<T>& layer = layers[l];
        if (layer.is_narrow())
            narrow_tile<T, C>(layer, x, y);
        else if (layer.sums == 1)
            dense_tile<T, C, 1>(layer, x, y);
        else
            dense_tile<T, C, 2>(layer, x, y);
        if (l + 1 < mlp.n_layers)
            for (int i = layer.n_out * points; i < layers[l + 1].n_in * points; ++i) y[i] = T{0};
        T* const previous = x;
        x = y;
        y = previous;
    }
    write_outputs<T, points>(x, n, mlp.n_outputs, outputs);
}

}  // namespace pyamp::fused::PYAMP_ISA
