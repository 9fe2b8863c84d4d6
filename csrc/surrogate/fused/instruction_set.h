// The kernels for the processor at hand.
#pragma once

#include "surrogate/fused/kernels.h"

namespace pyamp::fused {

/// The widest set that the processor and the system have, or the one that the environment variable
/// PYAMP_INSTRUCTION_SET names (baseline, avx2, avx512).
/// @throws pyamp::Error if that is unknown or not there
const Kernels& kernels_of_processor();

}  // namespace pyamp::fused
