// Activations of single numbers, for the device and for its emulation on the host.
//
// float32 is as accurate as simd/math.h, a few ulp of the larger of the result and 1, so that the special-function
// unit's exponential and reciprocal serve; float64 is the library's.
#pragma once

#include <cmath>

#include "kinematics/host_device.h"
#include "simd/coefficients.h"
#include "surrogate/fused/kernels.h"

namespace pyamp::cuda {

using fused::Activation;

PYAMP_HOST_DEVICE float fast_exp(float x) {
#ifdef __CUDA_ARCH__
    return __expf(x);
#else
    return std::exp(x);
#endif
}

/// a / b; where b is above 2^126 the device gives 0.
PYAMP_HOST_DEVICE float fast_ratio(float a, float b) {
#ifdef __CUDA_ARCH__
    return __fdividef(a, b);
#else
    return a / b;
#endif
}

/// sum_k C[k] x^k
template <const auto& C, int K = 0>
PYAMP_HOST_DEVICE float polynomial(float x) {
    constexpr float coefficient = static_cast<float>(C[K]);
    if constexpr (K + 1 < static_cast<int>(sizeof(C) / sizeof(C[0])))
        return std::fma(polynomial<C, K + 1>(x), x, coefficient);
    else
        return coefficient;
}

PYAMP_HOST_DEVICE float tanh(float x) { return 1.0f - fast_ratio(2.0f, fast_exp(2.0f * x) + 1.0f); }
PYAMP_HOST_DEVICE double tanh(double x) { return std::tanh(x); }

PYAMP_HOST_DEVICE float silu(float x) { return fast_ratio(x, 1.0f + fast_exp(-x)); }
PYAMP_HOST_DEVICE double silu(double x) { return x / (1.0 + std::exp(-x)); }

/// x times the probability that a normal variable is below x.
PYAMP_HOST_DEVICE float gelu(float x) {
    const float scaled = x * 0.70710678118654752440f;
    const float z = scaled > 3.92f ? 3.92f : scaled < -3.92f ? -3.92f : scaled;  // NaN stays
    const float z2 = z * z;
    const float erf =
        fast_ratio(z * polynomial<simd::erf_numerator_float>(z2), polynomial<simd::erf_denominator_float>(z2));
    const float half = 0.5f * x;
    return std::fma(half, erf, half);
}
PYAMP_HOST_DEVICE double gelu(double x) { return 0.5 * x * std::erfc(-0.70710678118654752440 * x); }

template <typename T>
PYAMP_HOST_DEVICE T softplus(T x) {
    return (x < T{0} ? T{0} : x) + std::log1p(std::exp(-std::fabs(x)));  // NaN stays
}

template <typename T, Activation A>
PYAMP_HOST_DEVICE T activation(T x) {
    if constexpr (A == Activation::tanh) return tanh(x);
    if constexpr (A == Activation::relu) return x < T{0} ? T{0} : x;  // NaN stays
    if constexpr (A == Activation::leaky_relu) return x < T{0} ? static_cast<T>(0.01) * x : x;
    if constexpr (A == Activation::silu) return silu(x);
    if constexpr (A == Activation::gelu) return gelu(x);
    if constexpr (A == Activation::softplus) return softplus<T>(x);
    if constexpr (A == Activation::sine) return std::sin(x);
    return x;
}

}  // namespace pyamp::cuda
