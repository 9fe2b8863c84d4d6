// Activations of registers and of arrays, and the pairwise sum that all paths end with.
#pragma once

#include "simd/math.h"
#include "surrogate/fused/kernels.h"

namespace pyamp::fused::PYAMP_ISA {

using namespace simd::PYAMP_ISA;

/// Neighbours first: ((0 + 1) + (2 + 3)) + ...
template <typename T, int S>
[[gnu::always_inline]] inline Vec<T> add_pairwise(const Vec<T>* sums) {
    if constexpr (S == 1)
        return sums[0];
    else
        return add_pairwise<T, S / 2>(sums) + add_pairwise<T, S / 2>(sums + S / 2);
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

/// Activations of n numbers in place, a multiple of the lanes.
template <typename T, Activation A>
[[gnu::noinline]] inline void activate_as(T* x, const T* residual, int n) {
    if (residual) {
        for (int i = 0; i < n; i += lanes<T>) store(x + i, activation<T, A>(load(x + i)) + load(residual + i));
    } else {
        for (int i = 0; i < n; i += lanes<T>) store(x + i, activation<T, A>(load(x + i)));
    }
}

template <Activation A>
struct ActivationTag {
    static constexpr Activation value = A;
};

/// Calls f with the activation as a type.
template <typename F>
[[gnu::always_inline]] inline void with_activation(Activation a, const F& f) {
    switch (a) {
        case Activation::none:
            return f(ActivationTag<Activation::none>{});
        case Activation::tanh:
            return f(ActivationTag<Activation::tanh>{});
        case Activation::relu:
            return f(ActivationTag<Activation::relu>{});
        case Activation::leaky_relu:
            return f(ActivationTag<Activation::leaky_relu>{});
        case Activation::silu:
            return f(ActivationTag<Activation::silu>{});
        case Activation::gelu:
            return f(ActivationTag<Activation::gelu>{});
        case Activation::softplus:
            return f(ActivationTag<Activation::softplus>{});
        case Activation::sine:
            return f(ActivationTag<Activation::sine>{});
    }
}

template <int N>
struct Count {
    static constexpr int value = N;
};

/// Calls f with the number of sums of a layer that is not narrow, as a type.
template <typename F>
[[gnu::always_inline]] inline void with_sums(int sums, const F& f) {
    if (sums == 1)
        f(Count<1>{});
    else if (sums == 2)
        f(Count<2>{});
    else
        f(Count<4>{});
}

}  // namespace pyamp::fused::PYAMP_ISA
