// Momenta from the layout of the C interface, in which points follow each other, to the one of evaluators.
#pragma once

#include <cstddef>

namespace pyamp::kinematics {

/// Momenta of n points with component mu of a leg at batch_fastest[k + stride (leg + n_legs mu)] to (n, n_legs, 4),
/// contiguous, by the instruction set of the processor.
void to_point_major(const double* batch_fastest, std::size_t stride, std::size_t n, int n_legs, double* momenta);

namespace baseline {
void to_point_major(const double*, std::size_t, std::size_t, int, double*);
}
namespace avx2 {
void to_point_major(const double*, std::size_t, std::size_t, int, double*);
}
namespace avx512 {
void to_point_major(const double*, std::size_t, std::size_t, int, double*);
}

}  // namespace pyamp::kinematics
