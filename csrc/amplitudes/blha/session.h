// A provider that was started: in this process or in another one.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "amplitudes/blha/options.h"

namespace pyamp::blha {

/// Slots of a result; what a provider does not touch stays NaN.
constexpr std::size_t n_slots = 64;

struct PointResult {
    double slots[n_slots];
    double accuracy;  ///< NaN: the call has none
};

/// The points of one call: n times n_legs times (E, px, py, pz, m).
struct Points {
    int id;
    std::size_t n, n_legs;
    const double* momenta;
    double scale, alpha_s;
};

class Session {
 public:
    virtual ~Session() = default;

    /// OLP_Start; a session is started once.
    virtual void start(const std::string& file) = 0;
    /// OLP_SetParameter; @returns the provider's status: 1 set, 2 ignored, else failed
    virtual int set_parameter(const std::string& name, double value) = 0;
    /// Results of all points. A point on which the provider crashes or takes too long is left NaN.
    virtual void evaluate(const Points& points, PointResult* results) = 0;
    /// Name and version from OLP_Info, or the library's name.
    virtual std::string version() = 0;
};

/// In this process: output and global state of the provider are the host's, and so is its abort().
std::unique_ptr<Session> open_library(const Options& options);

/// In a process of its own, which is started again when it dies or hangs.
std::unique_ptr<Session> open_worker(const Options& options);

}  // namespace pyamp::blha
