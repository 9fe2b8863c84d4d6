// Counter-based random numbers: Philox4x32-10 of Salmon, Moraes, Dror and Shaw (SC11, doi:10.1145/2063384.2063405).
// The numbers of a point depend on (seed, stream, point index) alone, so any worker can draw any point.
#pragma once

#include <array>
#include <cstdint>

namespace pyamp {

using PhiloxBlock = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

inline PhiloxBlock philox4x32_10(PhiloxBlock c, PhiloxKey key) noexcept {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0];
        const std::uint64_t b = std::uint64_t{0xCD9E8D57} * c[2];
        c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ key[0], static_cast<std::uint32_t>(b),
             static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ key[1], static_cast<std::uint32_t>(a)};
        key[0] += 0x9E3779B9;
        key[1] += 0xBB67AE85;
    }
    return c;
}

/// What the numbers are for; different streams of one seed are independent.
enum class RandomStream : std::uint32_t { phase_space = 0, unweighting = 1, importance = 2, bootstrap = 3 };

/// The uniform numbers of one point, one after the other, in the open interval (0, 1).
class PointRandom {
 public:
    PointRandom(std::uint64_t seed, RandomStream stream, std::uint64_t index) noexcept
        : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
          counter_{static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), 0,
                   static_cast<std::uint32_t>(stream)} {}

    double uniform() noexcept {
        if (used_ == 2) {
            block_ = philox4x32_10(counter_, key_);
            ++counter_[2];
            used_ = 0;
        }
        const std::uint64_t bits = (std::uint64_t{block_[2 * used_]} << 32) | block_[2 * used_ + 1];
        ++used_;
        // 52 bits and a half: exact in double, and neither 0 nor 1 occurs.
        return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;
    }

 private:
    PhiloxKey key_;
    PhiloxBlock counter_;
    PhiloxBlock block_{};
    int used_ = 2;
};

}  // namespace pyamp
