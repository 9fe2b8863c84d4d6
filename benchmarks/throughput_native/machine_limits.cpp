// What one thread of this machine can do at best: fused multiply-adds in registers, and reading memory.
#include <cstddef>
#include <cstdint>
#include <ctime>

namespace {

double cpu_seconds() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Twelve independent chains: more than the latency times the number of units, fewer than the registers.
#define CHAINS(fma, r)                                                                                             \
    fma(r, 0) fma(r, 1) fma(r, 2) fma(r, 3) fma(r, 4) fma(r, 5) fma(r, 6) fma(r, 7) fma(r, 8) fma(r, 9) fma(r, 10) \
        fma(r, 11)
#define PS(r, i) "vfmadd213ps %%" r "14, %%" r "15, %%" r #i "\n"
#define PD(r, i) "vfmadd213pd %%" r "14, %%" r "15, %%" r #i "\n"
#define CLOBBERED "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11"

template <typename Body>
double flops_per_second(const Body& body, int lanes) {
    constexpr int rounds = 200'000, chains = 12;
    const double start = cpu_seconds();
    for (int i = 0; i < rounds; ++i) body();
    return 2.0 * lanes * chains * rounds / (cpu_seconds() - start);
}

}  // namespace

extern "C" {

/// FLOP/s of multiply-adds in registers of 32 or 64 bytes, of numbers of 4 or 8 bytes.
double fma_peak(int register_bytes, int number_bytes) {
    const int lanes = register_bytes / number_bytes;
    if (register_bytes == 64 && number_bytes == 4)
        return flops_per_second([] { asm volatile(CHAINS(PS, "zmm")::: CLOBBERED); }, lanes);
    if (register_bytes == 64) return flops_per_second([] { asm volatile(CHAINS(PD, "zmm")::: CLOBBERED); }, lanes);
    if (number_bytes == 4) return flops_per_second([] { asm volatile(CHAINS(PS, "ymm")::: CLOBBERED); }, lanes);
    return flops_per_second([] { asm volatile(CHAINS(PD, "ymm")::: CLOBBERED); }, lanes);
}

/// Bytes per second of reading the same `size` bytes again and again, `repeats` times.
/// @param data aligned to 64 bytes
double read_bandwidth(const std::uint64_t* data, std::size_t size, std::size_t repeats) {
    using Vector = std::uint64_t __attribute__((vector_size(64), may_alias));
    constexpr std::size_t step = 8 * sizeof(Vector) / sizeof(std::uint64_t);
    const std::size_t n = size / sizeof(std::uint64_t);
    const auto* const vectors = reinterpret_cast<const Vector*>(data);
    const double start = cpu_seconds();
    for (std::size_t r = 0; r < repeats; ++r) {
        Vector sums[8] = {};
        for (std::size_t i = 0; i + step <= n; i += step)
#pragma GCC unroll 8
            for (std::size_t j = 0; j < 8; ++j) sums[j] ^= vectors[i / 8 + j];
        for (auto& sum : sums) asm volatile("" ::"m"(sum));
    }
    return static_cast<double>(n / step * step * sizeof(std::uint64_t) * repeats) / (cpu_seconds() - start);
}

/// Bytes per second, read and written together, of copying `size` bytes.
double copy_bandwidth(void* to, const void* from, std::size_t size) {
    const double start = cpu_seconds();
    __builtin_memcpy(to, from, size);
    asm volatile("" ::: "memory");
    return 2.0 * static_cast<double>(size) / (cpu_seconds() - start);
}
}
