// Stands in for the CUDA kernels where pyamp was built without CUDA.
#include "error.h"
#include "kinematics/invariants.h"

namespace pyamp::kinematics {
namespace {

[[noreturn]] void refuse() {
    throw Error(
        "pyamp::invariants: CUDA tensor given, but pyamp was built without CUDA; move it to the CPU, or build "
        "pyamp against a Torch with CUDA where nvcc is on the PATH");
}

}  // namespace

void invariants_cuda(const MomentaView&, double*, void*) { refuse(); }
void invariants_backward_cuda(const MomentaView&, const double*, double*, void*) { refuse(); }

}  // namespace pyamp::kinematics
