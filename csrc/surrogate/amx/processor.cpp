// Whether this processor multiplies tiles of bfloat16, and this process may.
#include "surrogate/amx/processor.h"

#if defined(PYAMP_WITH_AMX)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "simd/instruction_set.h"
#endif

namespace pyamp::amx {
namespace {

#if defined(PYAMP_WITH_AMX)
bool processor_has_tiles() {
    unsigned a, b, c, d;
    constexpr unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24, both = amx_bf16 | amx_tile;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & both) == both;
}

/// Whether the system saves the registers of tiles when it changes between threads.
bool system_saves_tiles() {
    unsigned a, b, c, d;
    constexpr unsigned has_xgetbv = 1u << 27, configuration_and_data = 3u << 17;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & has_xgetbv)) return false;
    std::uint32_t low, high;
    asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & configuration_and_data) == configuration_and_data;
}

std::string find() {
    if (!processor_has_tiles()) return "this processor has no AMX with bfloat16";
    if (!system_saves_tiles()) return "the operating system or virtual machine does not enable AMX";
    if (const auto set = simd::instruction_set(); set != simd::InstructionSet::avx512)
        return std::string("instruction set ") + simd::name_of(set) + ", avx512 expected";
    constexpr long request_permission = 0x1023, tile_data = 18;  // of asm/prctl.h, which may be older
    if (syscall(SYS_arch_prctl, request_permission, tile_data) != 0)
        return std::string("Linux refuses the permission to use AMX: ") + std::strerror(errno);
    return "";
}
#else
std::string find() { return "pyamp was built without AMX: another processor, or a compiler that does not know it"; }
#endif

}  // namespace

const std::string& obstacle_of_processor() {
    static const std::string found = find();
    return found;
}

}  // namespace pyamp::amx
