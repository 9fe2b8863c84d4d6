// Loaded before Sherpa and given to the plugin as its libpyamp, it notes how long every call takes: the whole call as
// the plugin's stopwatch sees it, and pyamp_evaluate within. Time-stamp counters and medians, so that neither the
// clock nor what else the machine does counts.
#include <dlfcn.h>
#include <x86intrin.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "capi/pyamp.h"

namespace {

struct Trace {
    std::vector<unsigned> whole, inner;
    unsigned long long start = 0, first_tick = __rdtsc();
    unsigned pending = 0;
    double first_second = seconds();

    static double seconds() {
        timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
    }
    static unsigned quantile(std::vector<unsigned>& values, double q) {
        const auto place = values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
        std::nth_element(values.begin(), place, values.end());
        return *place;
    }
    ~Trace() {
        const char* const path = std::getenv("CALL_TRACE");
        if (!path || whole.empty()) return;
        const double ns = 1e9 * (seconds() - first_second) / static_cast<double>(__rdtsc() - first_tick);
        if (FILE* file = std::fopen(path, "w")) {
            std::fprintf(file, "%zu", whole.size());
            for (auto* values : {&whole, &inner})
                for (const double q : {0.1, 0.5, 0.9}) std::fprintf(file, " %g", ns * quantile(*values, q));
            std::fclose(file);
        }
    }
};

Trace trace;

template <typename Function>
Function* forwarded(const char* name) {
    static void* const library = dlopen(std::getenv("CALL_TRACE_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
    return library ? reinterpret_cast<Function*>(dlsym(library, name)) : nullptr;
}

}  // namespace

std::chrono::steady_clock::time_point std::chrono::steady_clock::now() noexcept {
    const auto tick = __rdtsc();
    if (trace.pending) {
        trace.whole.push_back(static_cast<unsigned>(tick - trace.start));
        trace.inner.push_back(trace.pending);
        trace.pending = 0;
    }
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const time_point result(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
    trace.start = __rdtsc();
    return result;
}

int pyamp_evaluate(pyamp_handle* handle, size_t count, size_t stride, size_t offset, size_t n_in, int const* in_keys,
                   void const* const* in, size_t n_out, int const* out_keys, void* const* out) {
    static auto* const evaluate = forwarded<decltype(pyamp_evaluate)>("pyamp_evaluate");
    const auto start = __rdtsc();
    const int status = evaluate(handle, count, stride, offset, n_in, in_keys, in, n_out, out_keys, out);
    trace.pending = static_cast<unsigned>(__rdtsc() - start);
    return status;
}

int pyamp_open(pyamp_handle** handle, const char* source, const char* options) {
    return forwarded<decltype(pyamp_open)>("pyamp_open")(handle, source, options);
}
int pyamp_describe(pyamp_handle* handle, char* buffer, size_t size, size_t* needed) {
    return forwarded<decltype(pyamp_describe)>("pyamp_describe")(handle, buffer, size, needed);
}
int pyamp_close(pyamp_handle* handle) { return forwarded<decltype(pyamp_close)>("pyamp_close")(handle); }
char const* pyamp_last_error(void) { return forwarded<decltype(pyamp_last_error)>("pyamp_last_error")(); }
int pyamp_capi_version(void) { return forwarded<decltype(pyamp_capi_version)>("pyamp_capi_version")(); }
