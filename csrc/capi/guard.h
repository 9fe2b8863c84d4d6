// What a C function of the library does with exceptions: a status, and the reason for pyamp_last_error().
#pragma once

#include <exception>
#include <string>

#include "capi/pyamp.h"

namespace pyamp::capi {

/// Why a call returns something else than success.
struct Failure {
    pyamp_status status;
    std::string reason;
};

/// The reason of the last failure in the calling thread.
std::string& last_error();

/// Runs the body; whatever it throws becomes a status and the thread's last error.
template <typename Body>
int guarded(const Body& body) noexcept {
    try {
        body();
        return PYAMP_SUCCESS;
    } catch (const Failure& failure) {
        last_error() = failure.reason;
        return failure.status;
    } catch (const std::exception& e) {
        last_error() = e.what();
    } catch (...) {
        last_error() = "unknown exception";
    }
    return PYAMP_ERROR;
}

inline void require(bool condition, const char* reason) {
    if (!condition) throw Failure{PYAMP_ERROR, reason};
}

}  // namespace pyamp::capi
