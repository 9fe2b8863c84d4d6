// Elementary functions of arrays, in double, by the instruction set of the processor.
#pragma once

#include <cstddef>

namespace pyamp::simd {

struct ArrayMath {
    /// ln of n numbers in place, as std::log has it; a number gives the same bits at any place of any array.
    void (*log)(double* values, std::size_t n);
};

const ArrayMath& array_math();

}  // namespace pyamp::simd
