// What remains to be done with an event once the surrogate has evaluated it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "kinematics/host_device.h"

namespace pyamp::umami {

/// The mark in the flags of an event whose flavour does not exist.
constexpr std::int32_t flag_unknown_flavour = -1;

/// Arrays that begin with the first event of a call.
struct Finish {
    double factor;       ///< of all amplitudes
    const int* flavour;  ///< or null
    double* amplitude;
    std::int32_t* flags;  ///< or null
};

PYAMP_HOST_DEVICE void finish_event(const Finish& finish, std::size_t k) {
    finish.amplitude[k] *= finish.factor;
    if (!finish.flavour || finish.flavour[k] == 0) return;
    finish.amplitude[k] = std::numeric_limits<double>::quiet_NaN();
    if (finish.flags) finish.flags[k] = flag_unknown_flavour;
}

}  // namespace pyamp::umami
