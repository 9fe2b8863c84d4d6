// An MLP from features to outputs, on the path that suits the number of points.
#pragma once

#include "surrogate/fused/mlp_point.h"
#include "surrogate/fused/mlp_tile.h"

namespace pyamp::fused::PYAMP_ISA {

/// The points of one member, in tiles and, where few are left, one by one.
template <typename T, Activation A, typename W>
inline void evaluate_member(const PackedMlp<T, W>& mlp, const Layer<T, W>* layers, const double* features,
                            std::size_t n, std::size_t few, double* outputs, T* x, T* y) {
    constexpr std::size_t L = lanes<T>;
    const auto n_features = static_cast<std::size_t>(mlp.n_features);
    const auto n_outputs = static_cast<std::size_t>(mlp.n_outputs);
    for (std::size_t first = 0; first < n;) {
        const std::size_t left = n - first;
        const double* in = features + first * n_features;
        double* out = outputs + first * n_outputs;
        // Two tiles of two registers cost less than one of three and one of one.
        if (left > 2 * L && !(left > 3 * L && left <= 4 * L)) {
            const std::size_t count = left < 3 * L ? left : 3 * L;
            evaluate_tile<T, 3>(mlp, layers, in, static_cast<int>(count), out, x, y);
            first += count;
        } else if (left > L) {
            const std::size_t count = left < 2 * L ? left : 2 * L;
            evaluate_tile<T, 2>(mlp, layers, in, static_cast<int>(count), out, x, y);
            first += count;
        } else if (left > few) {
            evaluate_tile<T, 1>(mlp, layers, in, static_cast<int>(left), out, x, y);
            first += left;
        } else {
            evaluate_point<T, A>(mlp, layers, in, out, x, y);
            ++first;
        }
    }
}

/// See Kernels.
template <typename T, typename W>
inline void evaluate(const PackedMlp<T, W>& mlp, const double* features, std::size_t n, double* outputs,
                     void* scratch) {
    constexpr std::size_t L = lanes<T>;
    T* const x = static_cast<T*>(scratch);
    T* const y = x + static_cast<std::size_t>(mlp.width) * tile_registers * L;
    const auto n_features = static_cast<std::size_t>(mlp.n_features);
    const auto n_outputs = static_cast<std::size_t>(mlp.n_outputs);
    // From a quarter of a register on, a tile of points costs less than the points one by one.
    constexpr std::size_t few = L / 4;
    with_activation(mlp.activation, [&](auto tag) {
        constexpr Activation A = decltype(tag)::value;
        if (mlp.member_layers && n <= few) {
            for (std::size_t k = 0; k < n; ++k)
                evaluate_members<T, A>(mlp, features + k * n_features, outputs + k * n_outputs, n, x, y);
            return;
        }
        for (std::size_t member = 0; member < mlp.members; ++member)
            evaluate_member<T, A>(mlp, mlp.layers + member * static_cast<std::size_t>(mlp.n_layers), features, n, few,
                                  outputs + member * n * n_outputs, x, y);
    });
}

}  // namespace pyamp::fused::PYAMP_ISA
