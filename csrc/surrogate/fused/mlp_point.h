// An MLP at one point: over the outputs of its layers, or over the members of an ensemble. See kernels.h for the
// order of the sums.
#pragma once

#include <utility>

#include "surrogate/fused/mlp_activation.h"

namespace pyamp::fused::PYAMP_ISA {

/// Activations (units); the lanes of a register are outputs.
template <typename T>
struct OverOutputs {
    static constexpr int unit = 1;
    [[gnu::always_inline]] static Vec<T> input(const T* x, int k) { return broadcast(x[k]); }
};

/// Activations (units, lanes); the lanes of a register are members.
template <typename T>
struct OverMembers {
    static constexpr int unit = lanes<T>;
    [[gnu::always_inline]] static Vec<T> input(const T* x, int k) { return load(x + k * lanes<T>); }
};

/// The weights of neighbouring inputs that lie together.
template <typename T, typename W>
struct Weights {
    Vec<T> of[weights_in<W>];
};

template <typename T>
[[gnu::always_inline]] inline Weights<T, T> load_weights(const T* from) {
    return {{load(from)}};
}

template <typename T>
[[gnu::always_inline]] inline Weights<T, WeightPair> load_weights(const WeightPair* from) {
    const auto bits = load(reinterpret_cast<const std::int32_t*>(from));
    return {{reinterpret_cast<Vec<T>>(bits << 16), reinterpret_cast<Vec<T>>(bits)}};
}

/// How far ahead of use weights are fetched from the L2 cache.
constexpr std::size_t bytes_ahead = 2048;

/// R registers of outputs.
template <typename T, typename Over, int R, int S, typename W>
[[gnu::always_inline]] inline void dense(const W* weights, const T* bias, int block, const T* x,
                                         Vec<T> (&result)[R]) {
    constexpr int L = lanes<T>;
    Vec<T> sums[R][S];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
        sums[r][0] = load(bias + r * L);
#pragma GCC unroll 4
        for (int s = 1; s < S; ++s) sums[r][s] = Vec<T>{};
    }
    constexpr int N = weights_in<W>;
    for (int k = 0; k < block; k += N) {
#pragma GCC unroll 4
        for (int s = 0; s < S; ++s) {
            Vec<T> input[N];
            for (int n = 0; n < N; ++n) input[n] = Over::input(x, s * block + k + n);
#pragma GCC unroll 8
            for (int r = 0; r < R; ++r) {
                const auto factors = load_weights<T>(weights + (s * R + r) * L);
                for (int n = 0; n < N; ++n) sums[r][s] = fma(factors.of[n], input[n], sums[r][s]);
            }
        }
        // Where there is more to do than to wait for weights, they would come late.
        if constexpr (Over::unit > 1 || weights_in<W> == 2) {
#pragma GCC unroll 8
            for (int r = 0; r < S * R; ++r) __builtin_prefetch(weights + r * L + bytes_ahead / sizeof(W));
        }
        weights += S * R * L;
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) result[r] = add_pairwise<T, S>(sums[r]);
}

/// R registers of outputs with their activation; in registers where few of them wait for each other.
template <typename T, typename Over, Activation A, int R, int S, typename W>
[[gnu::always_inline]] inline void dense_group(const W* weights, const T* bias, int n_in, const T* x, T* y,
                                               bool activates, const T* residual) {
    constexpr int L = lanes<T>;
    Vec<T> result[R];
    dense<T, Over, R, S>(weights, bias, n_in / S, x, result);
    if constexpr (S > 1 && Over::unit == 1) {
        if (activates) {
#pragma GCC unroll 8
            for (int r = 0; r < R; ++r) {
                result[r] = activation<T, A>(result[r]);
                if (residual) result[r] = result[r] + load(residual + r * L);
            }
        }
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) store(y + r * L, result[r]);
    } else {
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) store(y + r * L, result[r]);
        if (activates) activate_as<T, A>(y, residual, R * L);
    }
}

/// Calls f with a count from 1 to N as a type.
template <int N, typename F>
[[gnu::always_inline]] inline void with_count(int count, const F& f) {
    if (count == N)
        f(Count<N>{});
    else if constexpr (N > 1)
        with_count<N - 1>(count, f);
}

/// A layer that is not narrow: `n` registers of outputs.
template <typename T, typename Over, Activation A, typename W>
[[gnu::always_inline]] inline void dense_layer(const Layer<T, W>& layer, const W* weights, const T* bias, int n,
                                               const T* x, T* y) {
    constexpr int L = lanes<T>;
    with_sums(layer.sums, [&](auto sums) {
        constexpr int S = decltype(sums)::value;
        const bool activates = layer.activation != Activation::none;
        const auto group = [&](auto count, int r) {
            constexpr int R = decltype(count)::value;
            dense_group<T, Over, A, R, S>(weights + static_cast<std::size_t>(r) * layer.n_in * L / weights_in<W>,
                                          bias + r * L, layer.n_in, x, y + r * L, activates,
                                          layer.adds_input ? x + r * L : nullptr);
        };
        constexpr int G = group_size(S);
        int r = 0;
        for (; r + G <= n; r += G) group(Count<G>{}, r);
        if constexpr (G > 1) with_count<G - 1>(n - r, [&](auto count) { group(count, r); });
    });
}

/// Each lane's number from the lane whose index differs in the bit `step`.
template <typename T, int step, std::size_t... lane>
[[gnu::always_inline]] inline Vec<T> of_partners(Vec<T> x, std::index_sequence<lane...>) {
    return __builtin_shufflevector(x, x, (lane ^ step)...);
}

/// The sum of the lanes, neighbours first, in every lane.
template <typename T, int step = 1>
[[gnu::always_inline]] inline Vec<T> add_lanes(Vec<T> x) {
    if constexpr (step < lanes<T>)
        return add_lanes<T, 2 * step>(x + of_partners<T, step>(x, std::make_index_sequence<lanes<T>>{}));
    else
        return x;
}

/// Output j of a narrow layer, in every lane: lanes take inputs in turn.
template <typename T>
[[gnu::always_inline]] inline Vec<T> narrow_output(OverOutputs<T>, const T* weights, const T* bias, int n_in, int j,
                                                   const T* x) {
    Vec<T> sum = load(bias + j * lanes<T>);
    for (int k = 0; k < n_in; k += lanes<T>) sum = fma(load(weights + j * n_in + k), load(x + k), sum);
    return add_lanes<T>(sum);
}

/// The same for members: registers take inputs in turn.
template <typename T>
[[gnu::always_inline]] inline Vec<T> narrow_output(OverMembers<T>, const T* weights, const T* bias, int n_in, int j,
                                                   const T* x) {
    constexpr int L = lanes<T>;
    const T* const row = weights + static_cast<std::size_t>(j) * n_in * L;
    Vec<T> sums[L] = {load(bias + j * L)};
    for (int k = 0; k < n_in; k += L)
#pragma GCC unroll 8
        for (int l = 0; l < L; ++l) sums[l] = fma(load(row + (k + l) * L), load(x + (k + l) * L), sums[l]);
    return add_pairwise<T, L>(sums);
}

/// All layers; returns where the outputs lie, x or y.
template <typename T, typename Over, Activation A, typename W, typename F>
[[gnu::always_inline]] inline const T* evaluate_layers(const PackedMlp<T, W>& mlp, const Layer<T, W>* layers,
                                                       const F& weights_of, T* x, T* y) {
    constexpr int L = lanes<T>, unit = Over::unit;
    for (int l = 0; l < mlp.n_layers; ++l) {
        const Layer<T, W>& layer = layers[l];
        const MemberLayer<T, W> weights = weights_of(l);
        const int units = unit == 1 ? layer.panels * L : layer.n_out;
        if (layer.is_narrow()) {
            for (int j = 0; j < layer.n_out; ++j) {
                const Vec<T> sum = narrow_output(Over{}, weights.narrow_weights, weights.bias, layer.n_in, j, x);
                if constexpr (unit == 1)
                    y[j] = sum[0];
                else
                    store(y + j * L, sum);
            }
            if (l + 1 == mlp.n_layers) return y;
            for (int i = layer.n_out * unit; i < units * unit; ++i) y[i] = T{0};
            activate_as<T, A>(y, layer.adds_input ? x : nullptr, units * unit);
        } else {
            dense_layer<T, Over, A>(layer, weights.weights, weights.bias, units * unit / L, x, y);
        }
        // Narrow layers have zeros for weights there, but the second of a pair of weights is none.
        if (l + 1 < mlp.n_layers) {
            const int begin = unit == 1 && layers[l + 1].is_narrow() ? units : layer.n_out;
            for (int i = begin * unit; i < layers[l + 1].n_in * unit; ++i) y[i] = T{0};
        }
        T* const previous = x;
        x = y;
        y = previous;
    }
    return x;
}

/// One member at one point: features (n_features) to outputs (n_outputs).
template <typename T, Activation A, typename W>
inline void evaluate_point(const PackedMlp<T, W>& mlp, const Layer<T, W>* layers, const double* features,
                           double* outputs, T* x, T* y) {
    int i = 0;
    for (; i + 4 <= mlp.n_features; i += 4) store_quad(x + i, load_quad<T>(features + i));
    for (; i < mlp.n_features; ++i) x[i] = static_cast<T>(features[i]);
    for (; i < layers[0].n_in; ++i) x[i] = T{0};
    const auto weights_of = [&](int l) {
        return MemberLayer<T, W>{layers[l].point_weights, layers[l].tile_weights, layers[l].bias};
    };
    const T* const result = evaluate_layers<T, OverOutputs<T>, A>(mlp, layers, weights_of, x, y);
    for (int j = 0; j < mlp.n_outputs; ++j) outputs[j] = result[j];
}

/// All members at one point: features (n_features) to outputs (members, stride, n_outputs), of which one row.
template <typename T, Activation A, typename W>
inline void evaluate_members(const PackedMlp<T, W>& mlp, const double* features, double* outputs, std::size_t stride,
                             T* x, T* y) {
    constexpr int L = lanes<T>;
    for (std::size_t first = 0; first < mlp.members; first += L) {
        const MemberLayer<T, W>* members = mlp.member_layers + first / L * static_cast<std::size_t>(mlp.n_layers);
        const int n_in = mlp.layers[0].n_in;
        for (int i = 0; i < n_in; ++i)
            store(x + i * L, broadcast(i < mlp.n_features ? static_cast<T>(features[i]) : T{0}));
        const T* const result =
            evaluate_layers<T, OverMembers<T>, A>(mlp, mlp.layers, [&](int l) { return members[l]; }, x, y);
        const std::size_t count = mlp.members - first < L ? mlp.members - first : L;
        for (std::size_t m = 0; m < count; ++m)
            for (int j = 0; j < mlp.n_outputs; ++j)
                outputs[(first + m) * stride * static_cast<std::size_t>(mlp.n_outputs) +
                        static_cast<std::size_t>(j)] = result[static_cast<std::size_t>(j) * L + m];
    }
}

}  // namespace pyamp::fused::PYAMP_ISA
