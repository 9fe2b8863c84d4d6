// The memory in which the buffers of UMAMI calls lie: a library that exports UMAMI is umami.cpp with one of them.
#pragma once

#include <cstddef>
#include <memory>

#include "capi/guard.h"

namespace pyamp::umami {

struct Events {
    std::size_t count, stride, offset;
};

/// What pyamp_evaluate takes of a call, whose layout is the same, and what it does not know.
struct Inputs {
    std::size_t n = 0;
    int keys[2];
    void const* data[2];
    const int* flavour = nullptr;
};

inline void succeed(int status) {
    if (status != PYAMP_SUCCESS) throw capi::Failure{static_cast<pyamp_status>(status), capi::last_error()};
}

/// The reason why a flavour index other than 0 is refused.
constexpr const char* unknown_flavour = "umami_matrix_element: a flavour index is not 0, the only one there is";

struct Close {
    void operator()(pyamp_handle* handle) const { pyamp_close(handle); }
};
using Handle = std::unique_ptr<pyamp_handle, Close>;

/// An open matrix element and what is done with buffers of its calls; arrays begin with event 0.
class Element {
 public:
    virtual ~Element() = default;
    virtual pyamp_handle* handle() const = 0;
    /// |M|^2 times the factor.
    virtual void evaluate(const Events& events, const Inputs& inputs, double factor, double* out, void* stream) = 0;
    virtual void copy(const Events& events, const double* from, double* to, void* stream) = 0;
    virtual void fill_zero(const Events& events, int* to, void* stream) = 0;
};

// Hidden: of two libraries in a process, each has its own.
#pragma GCC visibility push(hidden)
int device();        ///< one of UMAMI_DEVICE_...
bool has_streams();  ///< whether output 5 is known
std::unique_ptr<Element> open(const char* path);
#pragma GCC visibility pop

}  // namespace pyamp::umami
