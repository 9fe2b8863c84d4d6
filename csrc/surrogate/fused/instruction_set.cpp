// The kernels for the processor at hand.
#include "surrogate/fused/instruction_set.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "error.h"

namespace pyamp::fused {
namespace {

struct Choice {
    const Kernels* kernels;
    bool is_there;
};

/// The narrowest first.
std::vector<Choice> choices() {
    std::vector<Choice> result = {{&baseline::kernels, true}};
#if defined(__x86_64__)
    __builtin_cpu_init();
    result.push_back({&avx2::kernels, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")});
    result.push_back({&avx512::kernels, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")});
#endif
    return result;
}

}  // namespace

const Kernels& kernels_of_processor() {
    const char* wanted = std::getenv("PYAMP_INSTRUCTION_SET");
    const Kernels* best = nullptr;
    std::string names;
    for (const auto& [kernels, is_there] : choices()) {
        if (!is_there) continue;
        names += (names.empty() ? "" : ", ") + std::string(kernels->name);
        if (!wanted || wanted == std::string(kernels->name)) best = kernels;
    }
    if (!best)
        throw Error("environment variable PYAMP_INSTRUCTION_SET: '" + std::string(wanted) +
                    "' found; this processor has " + names);
    return *best;
}

}  // namespace pyamp::fused
