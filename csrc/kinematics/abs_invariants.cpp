// |s_ij| by the instruction set of the processor.
#include "kinematics/abs_invariants.h"

#include "simd/instruction_set.h"

namespace pyamp::kinematics {

namespace baseline {
void abs_invariants(const double* momenta, std::size_t n, int n_legs, double* abs_s);
}
namespace avx2 {
void abs_invariants(const double* momenta, std::size_t n, int n_legs, double* abs_s);
}
namespace avx512 {
void abs_invariants(const double* momenta, std::size_t n, int n_legs, double* abs_s);
}

void abs_invariants(const double* momenta, std::size_t n, int n_legs, double* abs_s) {
    static const auto of_processor = PYAMP_FOR_PROCESSOR(kinematics, abs_invariants);
    of_processor(momenta, n, n_legs, abs_s);
}

}  // namespace pyamp::kinematics
