// Whether a phase-space point is one: finite, massless legs, momentum conserved. Also what a row's flags mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace pyamp {

/// Bits of a point's flags; the same numbers as pyamp_flag in the C interface.
enum PointFlag : std::int32_t {
    flag_not_finite = 1,
    flag_off_shell = 2,
    flag_not_conserved = 4,
    flag_outside_domain = 8,
    flag_from_truth = 16,
    flag_failed = 32,
};

/// Points that no matrix element can evaluate.
constexpr std::int32_t unphysical_flags = flag_not_finite | flag_off_shell | flag_not_conserved;

/// |E - |p|| / E of a leg, and |sum in - sum out| / sum of incoming energies, that pass as rounding.
constexpr double kinematic_tolerance = 1e-8;

/// Flags of one point, momenta (n_legs, 4) contiguous, incoming legs first with positive energy; 0 if it is sound.
std::int32_t check_point(const double* momenta, int n_legs, int n_incoming);

/// How many of n points are flagged, what is wrong with the first and what to do, in one line; empty if none is.
std::string describe_flagged(const std::int32_t* flags, std::size_t n);

}  // namespace pyamp
