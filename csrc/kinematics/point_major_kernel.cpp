// Eight points at a time, each cache line of the source once: where the stride is a power of two, all of them want
// the same places of the cache. Compiled once for each instruction set, see CMakeLists.txt.
#include "kinematics/point_major.h"

namespace pyamp::kinematics::PYAMP_ISA {
namespace {

typedef double Four __attribute__((vector_size(32)));
typedef double UnalignedFour __attribute__((vector_size(32), aligned(8), may_alias));

/// One momentum in one store, which a wide load soon after finds whole.
[[gnu::always_inline]] inline void copy_momentum(const double* from, std::size_t step, double* to) {
    *reinterpret_cast<UnalignedFour*>(to) = Four{from[0], from[step], from[2 * step], from[3 * step]};
}

/// The momenta of one leg at four points, `row` numbers apart.
[[gnu::always_inline]] inline void copy_four(const double* from, std::size_t step, double* to, std::size_t row) {
    const auto component = [&](std::size_t mu) __attribute__((always_inline)) -> const UnalignedFour& {
        return *reinterpret_cast<const UnalignedFour*>(from + mu * step);
    };
    const Four e = component(0), x = component(1), y = component(2), z = component(3);
    const Four ex02 = __builtin_shufflevector(e, x, 0, 4, 2, 6), ex13 = __builtin_shufflevector(e, x, 1, 5, 3, 7);
    const Four yz02 = __builtin_shufflevector(y, z, 0, 4, 2, 6), yz13 = __builtin_shufflevector(y, z, 1, 5, 3, 7);
    const auto point = [&](std::size_t k) __attribute__((always_inline)) -> UnalignedFour& {
        return *reinterpret_cast<UnalignedFour*>(to + k * row);
    };
    point(0) = __builtin_shufflevector(ex02, yz02, 0, 1, 4, 5);
    point(1) = __builtin_shufflevector(ex13, yz13, 0, 1, 4, 5);
    point(2) = __builtin_shufflevector(ex02, yz02, 2, 3, 6, 7);
    point(3) = __builtin_shufflevector(ex13, yz13, 2, 3, 6, 7);
}

}  // namespace

void to_point_major(const double* batch_fastest, std::size_t stride, std::size_t n, int n_legs, double* momenta) {
    const auto legs = static_cast<std::size_t>(n_legs);
    const std::size_t step = stride * legs, row = 4 * legs;
    std::size_t k = 0;
    for (; k + 8 <= n; k += 8)
        for (std::size_t leg = 0; leg < legs; ++leg) {
            const double* const from = batch_fastest + k + stride * leg;
            copy_four(from, step, momenta + k * row + 4 * leg, row);
            copy_four(from + 4, step, momenta + (k + 4) * row + 4 * leg, row);
        }
    for (; k < n; ++k)
        for (std::size_t leg = 0; leg < legs; ++leg)
            copy_momentum(batch_fastest + k + stride * leg, step, momenta + k * row + 4 * leg);
}

}  // namespace pyamp::kinematics::PYAMP_ISA
