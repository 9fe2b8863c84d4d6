// Which of the versions of a kernel, compiled once for each instruction set, the processor at hand runs.
#pragma once

namespace pyamp::simd {

enum class InstructionSet { baseline, avx2, avx512 };

const char* name_of(InstructionSet set);

/// The widest set that the processor and the system have, or the one that the environment variable
/// PYAMP_INSTRUCTION_SET names (baseline, avx2, avx512); found once.
/// @throws pyamp::Error if that is unknown or not there
InstructionSet instruction_set();

}  // namespace pyamp::simd

/// `symbol` of the namespace that `scope` has for the processor's instruction set: scope::avx2::symbol, say.
#if defined(__x86_64__)
#define PYAMP_FOR_PROCESSOR(scope, symbol)                                                             \
    (::pyamp::simd::instruction_set() == ::pyamp::simd::InstructionSet::avx512 ? scope::avx512::symbol \
     : ::pyamp::simd::instruction_set() == ::pyamp::simd::InstructionSet::avx2 ? scope::avx2::symbol   \
                                                                               : scope::baseline::symbol)
#else
#define PYAMP_FOR_PROCESSOR(scope, symbol) (scope::baseline::symbol)
#endif
