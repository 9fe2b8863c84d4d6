// Momenta point by point, by the instruction set of the processor.
#include "kinematics/point_major.h"

#include "simd/instruction_set.h"

namespace pyamp::kinematics {

void to_point_major(const double* batch_fastest, std::size_t stride, std::size_t n, int n_legs, double* momenta) {
    static const auto of_processor = PYAMP_FOR_PROCESSOR(kinematics, to_point_major);
    of_processor(batch_fastest, stride, n, n_legs, momenta);
}

}  // namespace pyamp::kinematics
