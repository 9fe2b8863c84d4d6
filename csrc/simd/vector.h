// Registers of the instruction set for which a file is compiled.
//
// A file that includes this header is compiled once for each set, with PYAMP_ISA (its name) and PYAMP_SIMD_BYTES (its
// register) defined. Everything lies in a namespace of that name: an inline function compiled for one set must never
// stand in for the same function of another. For the same reason such files use nothing of the standard library that
// could be instantiated out of line.
//
// Every operation acts on each lane alone and rounds the same way in all lanes, so a value does not depend on its
// neighbours. Contraction is off; fma() says where products are fused.
#pragma once

#include <cstddef>
#include <cstdint>
#if defined(__AVX512F__) || defined(__FMA__)
#include <immintrin.h>
#endif

namespace pyamp::simd::PYAMP_ISA {

template <typename T>
struct VectorOf {
    typedef T type __attribute__((vector_size(PYAMP_SIMD_BYTES)));
    typedef T unaligned __attribute__((vector_size(PYAMP_SIMD_BYTES), aligned(alignof(T)), may_alias));
};

template <typename T>
using Vec = typename VectorOf<T>::type;

template <typename T>
constexpr int lanes = PYAMP_SIMD_BYTES / sizeof(T);

template <typename T>
struct IntegerOf;
template <>
struct IntegerOf<float> {
    using type = std::int32_t;
};
template <>
struct IntegerOf<double> {
    using type = std::int64_t;
};
template <typename T>
using IntVec = Vec<typename IntegerOf<T>::type>;

template <typename T>
[[gnu::always_inline]] inline Vec<T> broadcast(T value) {
    return value - Vec<T>{};  // x - 0 is x, to the sign of zero
}

template <typename T>
[[gnu::always_inline]] inline Vec<T> load(const T* from) {
    return *reinterpret_cast<const typename VectorOf<T>::unaligned*>(from);
}

template <typename T>
[[gnu::always_inline]] inline void store(T* to, Vec<T> value) {
    *reinterpret_cast<typename VectorOf<T>::unaligned*>(to) = value;
}

/// Four numbers, whatever the register.
template <typename T>
struct QuadOf {
    typedef T type __attribute__((vector_size(4 * sizeof(T))));
    typedef T unaligned __attribute__((vector_size(4 * sizeof(T)), aligned(alignof(T)), may_alias));
};
template <typename T>
using Quad = typename QuadOf<T>::type;

template <typename T, typename From>
[[gnu::always_inline]] inline Quad<T> load_quad(const From* from) {
    return __builtin_convertvector(*reinterpret_cast<const typename QuadOf<From>::unaligned*>(from), Quad<T>);
}

template <typename To, typename Value>
[[gnu::always_inline]] inline void store_quad(To* to, Value value) {
    *reinterpret_cast<typename QuadOf<To>::unaligned*>(to) = __builtin_convertvector(value, Quad<To>);
}

/// a b + c, fused where the instruction set can.
[[gnu::always_inline]] inline Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
#if defined(__AVX512F__)
    return _mm512_fmadd_ps(a, b, c);
#elif defined(__FMA__)
    return _mm256_fmadd_ps(a, b, c);
#else
    return a * b + c;
#endif
}

[[gnu::always_inline]] inline Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
#if defined(__AVX512F__)
    return _mm512_fmadd_pd(a, b, c);
#elif defined(__FMA__)
    return _mm256_fmadd_pd(a, b, c);
#else
    return a * b + c;
#endif
}

/// x within +-limit; NaN stays, as the instructions return their second operand then.
[[gnu::always_inline]] inline Vec<float> clamp(Vec<float> x, float limit) {
#if defined(__AVX512F__)
    return _mm512_maskz_max_ps(0xffff, broadcast(-limit), _mm512_maskz_min_ps(0xffff, broadcast(limit), x));
#elif defined(__FMA__)
    return _mm256_max_ps(broadcast(-limit), _mm256_min_ps(broadcast(limit), x));
#else
    const Vec<float> below = x > limit ? broadcast(limit) : x;
    return below < -limit ? broadcast(-limit) : below;
#endif
}

[[gnu::always_inline]] inline Vec<double> clamp(Vec<double> x, double limit) {
#if defined(__AVX512F__)
    return _mm512_maskz_max_pd(0xff, broadcast(-limit), _mm512_maskz_min_pd(0xff, broadcast(limit), x));
#elif defined(__FMA__)
    return _mm256_max_pd(broadcast(-limit), _mm256_min_pd(broadcast(limit), x));
#else
    const Vec<double> below = x > limit ? broadcast(limit) : x;
    return below < -limit ? broadcast(-limit) : below;
#endif
}

}  // namespace pyamp::simd::PYAMP_ISA
