// An MLP from features to outputs, on three paths: one point over output neurons, one point over the members of an
// ensemble, and tiles of points. See kernels.h for the order of the sums, which they share.
#pragma once

#include "simd/math.h"
#include "surrogate/fused/kernels.h"

namespace pyamp::fused::PYAMP_ISA {

using namespace simd::PYAMP_ISA;

/// Registers that hold sums; the others hold weights and activations.
#if defined(__AVX512F__)
constexpr int accumulators = 24;
#else
constexpr int accumulators = 12;
#endif

/// The largest power of two that is not larger.
constexpr int power_of_two_below(int n) { return n < 2 ? 1 : 2 * power_of_two_below(n / 2); }

template <typename T, int S>
[[gnu::always_inline]] inline Vec<T> add_pairwise(const Vec<T> (&sums)[S]) {
    if constexpr (S == 1)
        return sums[0];
    else if constexpr (S == 2)
        return sums[0] + sums[1];
    else
        return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <typename T, Activation A>
[[gnu::always_inline]] inline Vec<T> activation(Vec<T> x) {
    if constexpr (A == Activation::tanh) return simd::PYAMP_ISA::tanh(x);
    if constexpr (A == Activation::relu) return x < T{0} ? Vec<T>{} : x;  // NaN stays
    if constexpr (A == Activation::leaky_relu) return x < T{0} ? static_cast<T>(0.01) * x : x;
    if constexpr (A == Activation::silu) return x * sigmoid<T>(x);
    if constexpr (A == Activation::gelu) return gelu(x);
    if constexpr (A == Activation::softplus) return softplus<T>(x);
    if constexpr (A == Activation::sine) return sine<T>(x);
    return x;
}

template <typename T, Activation A>
inline void activate_as(T* x, const T* residual, int n) {
    if (residual) {
        for (int i = 0; i < n; i += lanes<T>) store(x + i, activation<T, A>(load(x + i)) + load(residual + i));
    } else {
        for (int i = 0; i < n; i += lanes<T>) store(x + i, activation<T, A>(load(x + i)));
    }
}

/// Activations of n numbers in place, a multiple of the lanes.
template <typename T>
inline void activate(Activation a, T* x, const T* residual, int n) {
    switch (a) {
        case Activation::none:
            return;
        case Activation::tanh:
            return activate_as<T, Activation::tanh>(x, residual, n);
        case Activation::relu:
            return activate_as<T, Activation::relu>(x, residual, n);
        case Activation::leaky_relu:
            return activate_as<T, Activation::leaky_relu>(x, residual, n);
        case Activation::silu:
            return activate_as<T, Activation::silu>(x, residual, n);
        case Activation::gelu:
            return activate_as<T, Activation::gelu>(x, residual, n);
        case Activation::softplus:
            return activate_as<T, Activation::softplus>(x, residual, n);
        case Activation::sine:
            return activate_as<T, Activation::sine>(x, residual, n);
    }
}

template <int S>
struct Splits {
    static constexpr int value = S;
};

/// Calls f with the number of splits as a type.
template <typename F>
[[gnu::always_inline]] inline void with_splits(int splits, const F& f) {
    if (splits == 1)
        f(Splits<1>{});
    else if (splits == 2)
        f(Splits<2>{});
    else
        f(Splits<4>{});
}

// One point over output neurons

/// P panels of a layer.
template <typename T, int P, int S>
[[gnu::always_inline]] inline void dense_panels(const Layer<T>& layer, int panel, const T* x, T* y) {
    constexpr int L = lanes<T>;
    const int block = layer.n_in / S;
    const std::size_t stride = static_cast<std::size_t>(layer.n_in) * L;
    const T* weights = layer.weights + static_cast<std::size_t>(panel) * stride;
    Vec<T> sums[P][S];
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) {
        sums[p][0] = load(layer.bias + (panel + p) * L);
#pragma GCC unroll 4
        for (int s = 1; s < S; ++s) sums[p][s] = Vec<T>{};
    }
    for (int k = 0; k < block; ++k) {
#pragma GCC unroll 4
        for (int s = 0; s < S; ++s) {
            const Vec<T> input = broadcast(x[s * block + k]);
#pragma GCC unroll 16
            for (int p = 0; p < P; ++p)
                sums[p][s] = fma(load(weights + static_cast<std::size_t>(p) * stride + (s * block + k) * L), input,
                                 sums[p][s]);
        }
    }
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) store(y + (panel + p) * L, add_pairwise<T, S>(sums[p]));
}

/// The panels from `panel` on, P at a time, then fewer.
template <typename T, int P, int S>
[[gnu::always_inline]] inline void dense_all_panels(const Layer<T>& layer, int panel, const T* x, T* y) {
    for (; panel + P <= layer.panels; panel += P) dense_panels<T, P, S>(layer, panel, x, y);
    if constexpr (P > 1) {
        if (panel < layer.panels) dense_all_panels<T, P / 2, S>(layer, panel, x, y);
    }
}

/// One member at one point: features (n_features) to outputs (n_outputs).
template <typename T>
inline void evaluate_point(const PackedMlp<T>& mlp, const Layer<T>* layers, const double* features, double* outputs,
                           T* x, T* y) {
    for (int i = 0; i < layers[0].n_in; ++i) x[i] = i < mlp.n_features ? static_cast<T>(features[i]) : T{0};
    for (int l = 0; l < mlp.n_layers; ++l) {
        const Layer<T>& layer = layers[l];
        with_splits(layer.splits, [&](auto splits) {
            constexpr int S = decltype(splits)::value;
            dense_all_panels<T, power_of_two_below(accumulators / S), S>(layer, 0, x, y);
        });
        activate(layer.activation, y, layer.adds_input ? x : nullptr, layer.panels * lanes<T>);
        T* const previous = x;
        x = y;
        y = previous;
    }
    for (int i = 0; i < mlp.n_outputs; ++i) outputs[i] = x[i];
}

// One point over the members of an ensemble

/// R outputs of a layer of `lanes` members; activations (units, lanes).
template <typename T, int R, int S>
[[gnu::always_inline]] inline void dense_members(const T* weights, const T* bias, int n_in, const T* x, T* y) {
    constexpr int L = lanes<T>;
    const int block = n_in / S;
    Vec<T> sums[R][S];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
        sums[r][0] = load(bias + r * L);
#pragma GCC unroll 4
        for (int s = 1; s < S; ++s) sums[r][s] = Vec<T>{};
    }
    for (int k = 0; k < block; ++k) {
#pragma GCC unroll 4
        for (int s = 0; s < S; ++s) {
            const int i = s * block + k;
            const Vec<T> input = load(x + i * L);
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r)
                sums[r][s] = fma(load(weights + static_cast<std::size_t>(r * n_in + i) * L), input, sums[r][s]);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) store(y + r * L, add_pairwise<T, S>(sums[r]));
}

template <typename T, int R, int S>
[[gnu::always_inline]] inline void dense_all_members(const MemberLayer<T>& members, const Layer<T>& layer, int row,
                                                     const T* x, T* y) {
    constexpr int L = lanes<T>;
    for (; row + R <= layer.n_out; row += R)
        dense_members<T, R, S>(members.weights + static_cast<std::size_t>(row) * layer.n_in * L,
                               members.bias + row * L, layer.n_in, x, y + row * L);
    if constexpr (R > 1) {
        if (row < layer.n_out) dense_all_members<T, R / 2, S>(members, layer, row, x, y);
    }
}

/// All members at one point: features (n_features) to outputs (members, stride, n_outputs), of which one row.
template <typename T>
inline void evaluate_members(const PackedMlp<T>& mlp, const double* features, double* outputs, std::size_t stride,
                             T* x, T* y) {
    constexpr int L = lanes<T>;
    for (std::size_t first = 0; first < mlp.members; first += L) {
        const MemberLayer<T>* members = mlp.member_layers + first / L * static_cast<std::size_t>(mlp.n_layers);
        const int n_in = mlp.layers[0].n_in;
        for (int i = 0; i < n_in; ++i)
            store(x + i * L, broadcast(i < mlp.n_features ? static_cast<T>(features[i]) : T{0}));
        for (int l = 0; l < mlp.n_layers; ++l) {
            const Layer<T>& layer = mlp.layers[l];  // shapes, which all members share
            with_splits(layer.splits, [&](auto splits) {
                constexpr int S = decltype(splits)::value;
                dense_all_members<T, power_of_two_below(accumulators / S), S>(members[l], layer, 0, x, y);
            });
            activate(layer.activation, y, layer.adds_input ? x : nullptr, layer.n_out * L);
            if (l + 1 < mlp.n_layers)
                for (int i = layer.n_out; i < mlp.layers[l + 1].n_in; ++i) store(y + i * L, Vec<T>{});
            T* const previous = x;
            x = y;
            y = previous;
        }
        const std::size_t count = mlp.members - first < L ? mlp.members - first : L;
        for (std::size_t m = 0; m < count; ++m)
            for (int j = 0; j < mlp.n_outputs; ++j)
                outputs[(first + m) * stride * static_cast<std::size_t>(mlp.n_outputs) +
                        static_cast<std::size_t>(j)] = x[static_cast<std::size_t>(j) * L + m];
    }
}

// Tiles of points

/// R outputs of a layer at a tile of C registers of points; activations (units, C lanes).
template <typename T, int R, int C, int S>
[[gnu::always_inline]] inline void dense_rows(const T* weights, const T* bias, int n_in, const T* x, T* y) {
    constexpr int L = lanes<T>;
    const int block = n_in / S;
    Vec<T> sums[R][C][S];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) {
            sums[r][c][0] = broadcast(bias[r]);
#pragma GCC unroll 4
            for (int s = 1; s < S; ++s) sums[r][c][s] = Vec<T>{};
        }
    for (int k = 0; k < block; ++k) {
#pragma GCC unroll 4
        for (int s = 0; s < S; ++s) {
            const int i = s * block + k;
            Vec<T> input[C];
#pragma GCC unroll 4
            for (int c = 0; c < C; ++c) input[c] = load(x + (i * C + c) * L);
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r) {
                const Vec<T> weight = broadcast(weights[i * L + r]);
#pragma GCC unroll 4
                for (int c = 0; c < C; ++c) sums[r][c][s] = fma(weight, input[c], sums[r][c][s]);
            }
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) store(y + (r * C + c) * L, add_pairwise<T, S>(sums[r][c]));
}

/// `rows` outputs of one panel, R at a time, then fewer.
template <typename T, int R, int C, int S>
[[gnu::always_inline]] inline void dense_all_rows(const T* weights, const T* bias, int row, int rows, int n_in,
                                                  const T* x, T* y) {
    for (; row + R <= rows; row += R)
        dense_rows<T, R, C, S>(weights + row, bias + row, n_in, x, y + row * C * lanes<T>);
    if constexpr (R > 1) {
        if (row < rows) dense_all_rows<T, R / 2, C, S>(weights, bias, row, rows, n_in, x, y);
    }
}

/// One member at up to C lanes points: features (n, n_features) to outputs (n, n_outputs).
template <typename T, int C>
inline void evaluate_tile(const PackedMlp<T>& mlp, const Layer<T>* layers, const double* features, int n,
                          double* outputs, T* x, T* y) {
    constexpr int L = lanes<T>;
    constexpr int points = C * L;
    // Rounded in y, where they lie as they came, then transposed.
    const int n_features = mlp.n_features;
    for (int i = 0; i < n * n_features; ++i) y[i] = static_cast<T>(features[i]);
    for (int i = n * n_features; i < points * n_features; ++i) y[i] = T{0};
    for (int i = 0; i < n_features; ++i)
#pragma GCC unroll 16
        for (int p = 0; p < points; ++p) x[i * points + p] = y[p * n_features + i];
    for (int i = n_features * points; i < layers[0].n_in * points; ++i) x[i] = T{0};
    for (int l = 0; l < mlp.n_layers; ++l) {
        const Layer<T>& layer = layers[l];
        with_splits(layer.splits, [&](auto splits) {
            constexpr int S = decltype(splits)::value;
            constexpr int fitting = power_of_two_below(accumulators / (S * C));
            constexpr int R = fitting < L ? fitting : L;
            for (int panel = 0; panel < layer.panels; ++panel) {
                const int rows = layer.n_out - panel * L < L ? layer.n_out - panel * L : L;
                dense_all_rows<T, R, C, S>(layer.weights + static_cast<std::size_t>(panel) * layer.n_in * L,
                                           layer.bias + panel * L, 0, rows, layer.n_in, x, y + panel * L * points);
            }
        });
        activate(layer.activation, y, layer.adds_input ? x : nullptr, layer.n_out * points);
        if (l + 1 < mlp.n_layers)
            for (int i = layer.n_out * points; i < layers[l + 1].n_in * points; ++i) y[i] = T{0};
        T* const previous = x;
        x = y;
        y = previous;
    }
    for (int p = 0; p < n; ++p)
        for (int j = 0; j < mlp.n_outputs; ++j) outputs[p * mlp.n_outputs + j] = x[j * points + p];
}

/// See Kernels.
template <typename T>
inline void evaluate(const PackedMlp<T>& mlp, const double* features, std::size_t n, double* outputs, void* scratch) {
    constexpr std::size_t L = lanes<T>;
    T* const x = static_cast<T*>(scratch);
    T* const y = x + static_cast<std::size_t>(mlp.width) * tile_registers * L;
    const auto n_features = static_cast<std::size_t>(mlp.n_features);
    const auto n_outputs = static_cast<std::size_t>(mlp.n_outputs);
    // From a quarter of a register on, a tile of points costs less than the points one by one.
    constexpr std::size_t few = L / 4;
    std::size_t first = 0;
    if (mlp.member_layers && n <= few) {
        for (; first < n; ++first)
            evaluate_members(mlp, features + first * n_features, outputs + first * n_outputs, n, x, y);
        return;
    }
    for (std::size_t member = 0; member < mlp.members; ++member) {
        const Layer<T>* layers = mlp.layers + member * static_cast<std::size_t>(mlp.n_layers);
        double* const of_member = outputs + member * n * n_outputs;
        for (first = 0; first < n;) {
            const std::size_t left = n - first;
            const double* in = features + first * n_features;
            double* out = of_member + first * n_outputs;
            if (left > 2 * L) {
                const std::size_t count = left < 3 * L ? left : 3 * L;
                evaluate_tile<T, 3>(mlp, layers, in, static_cast<int>(count), out, x, y);
                first += count;
            } else if (left > L) {
                evaluate_tile<T, 2>(mlp, layers, in, static_cast<int>(left), out, x, y);
                first += left;
            } else if (left > few) {
                evaluate_tile<T, 1>(mlp, layers, in, static_cast<int>(left), out, x, y);
                first += left;
            } else {
                evaluate_point(mlp, layers, in, out, x, y);
                ++first;
            }
        }
    }
}

}  // namespace pyamp::fused::PYAMP_ISA
