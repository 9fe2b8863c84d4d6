// float32 numbers as sums of two IEEE halves, rounded alike on device and host.
#pragma once

#include <bit>
#include <cstdint>

#include "kinematics/host_device.h"

namespace pyamp::cuda {

/// The nearest half, ties to even.
inline std::uint32_t half_bits(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return sign | 0x7fffu;
    if (magnitude >= 0x47800000u) return sign | 0x7c00u;
    if (magnitude >= 0x38800000u) return sign | ((magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13);
    // Below 2^-14 halves are the multiples of 2^-24, as floats are between 1/2 and 1.
    return sign | (std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u);
}

inline float half_value(std::uint32_t half) {
    const std::uint32_t sign = (half & 0x8000u) << 16, exponent = half >> 10 & 31u, mantissa = half & 0x3ffu;
    if (exponent == 0) {
        const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    return std::bit_cast<float>(sign | (exponent == 31 ? 255u : exponent + 112u) << 23 | mantissa << 13);
}

/// Two halves in a word, the first in its lower 16 bits.
PYAMP_HOST_DEVICE std::uint32_t two_halves(float first, float second) {
#ifdef __CUDA_ARCH__
    std::uint32_t word;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
    return word;
#else
    return half_bits(first) | half_bits(second) << 16;
#endif
}

PYAMP_HOST_DEVICE float first_half(std::uint32_t word) {
#ifdef __CUDA_ARCH__
    float x;
    asm("{ .reg .f16 first, second; mov.b32 {first, second}, %1; cvt.f32.f16 %0, first; }" : "=f"(x) : "r"(word));
    return x;
#else
    return half_value(word & 0xffffu);
#endif
}

PYAMP_HOST_DEVICE float second_half(std::uint32_t word) { return first_half(word >> 16); }

/// Two numbers as high + low, to 2^-22 of each and 2^-25 absolutely.
struct SplitPair {
    std::uint32_t high, low;

    PYAMP_HOST_DEVICE SplitPair(float first, float second)
        : high(two_halves(first, second)), low(two_halves(first - first_half(high), second - second_half(high))) {}
};

}  // namespace pyamp::cuda
