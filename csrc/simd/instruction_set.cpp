// Which instruction set the processor at hand has.
#include "simd/instruction_set.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "error.h"

namespace pyamp::simd {
namespace {

/// The narrowest first.
std::vector<InstructionSet> available() {
    std::vector<InstructionSet> sets = {InstructionSet::baseline};
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets.push_back(InstructionSet::avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
        sets.push_back(InstructionSet::avx512);
#endif
    return sets;
}

InstructionSet find() {
    const auto sets = available();
    const char* wanted = std::getenv("PYAMP_INSTRUCTION_SET");
    if (!wanted) return sets.back();
    std::string names;
    for (const auto set : sets) {
        if (std::string(wanted) == name_of(set)) return set;
        names += (names.empty() ? "" : ", ") + std::string(name_of(set));
    }
    throw Error("environment variable PYAMP_INSTRUCTION_SET: '" + std::string(wanted) +
                "' found; this processor has " + names);
}

}  // namespace

const char* name_of(InstructionSet set) {
    switch (set) {
        case InstructionSet::avx512:
            return "avx512";
        case InstructionSet::avx2:
            return "avx2";
        default:
            return "baseline";
    }
}

InstructionSet instruction_set() {
    static const InstructionSet found = find();
    return found;
}

}  // namespace pyamp::simd
