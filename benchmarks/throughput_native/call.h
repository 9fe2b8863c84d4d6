// One way to evaluate a batch, and what Python needs to build, check and time it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace throughput {

struct Call {
    virtual ~Call() = default;
    /// Evaluates the batch that begins at `input`, row by row.
    virtual void operator()(const double* input) = 0;
    /// Of the last batch.
    virtual std::vector<double> outputs() const = 0;
};

/// Reason of the last failure of a make_… function.
inline std::string& last_error() {
    static std::string text;
    return text;
}

/// The call that `make` returns, or nullptr after an exception.
template <typename Make>
Call* made(const Make& make) noexcept {
    try {
        return make();
    } catch (const std::exception& error) {
        last_error() = error.what();
        return nullptr;
    }
}

}  // namespace throughput

extern "C" __attribute__((weak)) const char* throughput_last_error() { return throughput::last_error().c_str(); }
