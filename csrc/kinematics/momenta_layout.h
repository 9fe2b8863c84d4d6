// How momenta lie in memory: point by point, or as in the C interface, where neighbours are points.
//
// Kernels of several instruction sets use it: nothing of it may be compiled out of line. It goes by reference beside
// the pointer, since a copy would be read in wider pieces than it was written in, and wait for that.
#pragma once

#include <cstddef>

namespace pyamp {

/// Component mu of leg i of point k lies k point + i leg + mu component numbers behind the first.
struct MomentaLayout {
    std::ptrdiff_t point, leg, component;

    /// (n, n_legs, 4), contiguous
    [[gnu::always_inline]] static MomentaLayout rows(int n_legs) { return {4 * n_legs, 4, 1}; }
    /// (4, n_legs, stride)
    [[gnu::always_inline]] static MomentaLayout columns(std::size_t stride, int n_legs) {
        const auto step = static_cast<std::ptrdiff_t>(stride);
        return {1, step, step * n_legs};
    }

    [[gnu::always_inline]] bool is_rows() const { return component == 1; }

    [[gnu::always_inline]] const double* at(const double* momenta, std::size_t k) const {
        return momenta + static_cast<std::ptrdiff_t>(k) * point;
    }

    /// Point k to (n_legs, 4).
    [[gnu::always_inline]] void copy_point(const double* momenta, std::size_t k, int n_legs, double* to) const {
        for (int i = 0; i < n_legs; ++i)
            for (int mu = 0; mu < 4; ++mu) *to++ = at(momenta, k)[i * leg + mu * component];
    }
};

}  // namespace pyamp
