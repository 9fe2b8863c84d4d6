// mma.sync.aligned.m16n8k16 of halves with sums in float32, from the registers of 32 lanes.
//
// Where a lane holds what is that instruction's figures in the PTX ISA ("Matrix fragments for mma.m16n8k16 with
// floating point type"), written down independently of the code that fills the fragments. Sums are those of the
// least accurate hardware known: of eight products and the number so far, each is cut to the bits that the largest
// of them has, and so is the result (Fasi, Higham, Mikaitis, Pranesh, PeerJ Comput. Sci. 7:e330); newer devices keep
// further bits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "surrogate/cuda/half.h"

namespace pyamp::on_host {

struct WarpFragments {
    std::uint32_t a[32][4], b[32][2];
    float c[32][4];
};

/// Element i of eight, or of four, in 32-bit registers: the lower half comes first.
inline double half_of(const std::uint32_t* registers, int i) {
    return cuda::half_value(registers[i / 2] >> (16 * (i % 2)) & 0xffffu);
}

inline double cut(double x, double quantum) { return std::trunc(x / quantum) * quantum; }

inline float cut_sum(float c, const double (&products)[8]) {
    double largest = std::fabs(static_cast<double>(c)), sum = c;
    for (const double product : products) {
        largest = std::max(largest, std::fabs(product));
        sum += product;
    }
    if (!std::isfinite(sum) || largest == 0.0) return static_cast<float>(sum);
    const auto quantum_of = [](double x) { return std::ldexp(1.0, std::max(std::ilogb(x), -126) - 23); };
    const double quantum = quantum_of(largest);
    sum = cut(c, quantum);
    for (const double product : products) sum += cut(product, quantum);
    return static_cast<float>(sum == 0.0 ? 0.0 : cut(sum, quantum_of(sum)));
}

inline void multiply_add(WarpFragments& warp) {
    double a[16][16], b[16][8];
    float c[16][8];
    for (int lane = 0; lane < 32; ++lane) {
        const int group = lane >> 2, in_group = lane % 4;
        for (int i = 0; i < 8; ++i) {
            const int row = i < 2 || (4 <= i && i < 6) ? group : group + 8;
            const int column = i < 4 ? in_group * 2 + (i & 1) : in_group * 2 + (i & 1) + 8;
            a[row][column] = half_of(warp.a[lane], i);
        }
        for (int i = 0; i < 4; ++i) {
            b[i < 2 ? in_group * 2 + (i & 1) : in_group * 2 + (i & 1) + 8][group] = half_of(warp.b[lane], i);
            c[i < 2 ? group : group + 8][in_group * 2 + (i & 1)] = warp.c[lane][i];
        }
    }
    for (int row = 0; row < 16; ++row)
        for (int column = 0; column < 8; ++column)
            for (int first = 0; first < 16; first += 8) {
                double products[8];
                for (int k = 0; k < 8; ++k) products[k] = a[row][first + k] * b[first + k][column];
                c[row][column] = cut_sum(c[row][column], products);
            }
    for (int lane = 0; lane < 32; ++lane)
        for (int i = 0; i < 4; ++i)
            warp.c[lane][i] = c[i < 2 ? lane >> 2 : (lane >> 2) + 8][(lane % 4) * 2 + (i & 1)];
}

}  // namespace pyamp::on_host
