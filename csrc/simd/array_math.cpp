// Elementary functions of arrays by the instruction set of the processor.
#include "simd/array_math.h"

#include "simd/instruction_set.h"

namespace pyamp::simd {

namespace baseline {
extern const ArrayMath array_math;
}
namespace avx2 {
extern const ArrayMath array_math;
}
namespace avx512 {
extern const ArrayMath array_math;
}

const ArrayMath& array_math() {
    static const ArrayMath& of_processor = PYAMP_FOR_PROCESSOR(simd, array_math);
    return of_processor;
}

}  // namespace pyamp::simd
