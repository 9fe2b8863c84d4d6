// Whether a phase-space point is one.
#include "kinematics/point_check.h"

#include <algorithm>
#include <cmath>

namespace pyamp {
namespace {

/// "a leg is not massless, momentum is not conserved" for people.
std::string describe_flags(std::int32_t flags) {
    struct Name {
        PointFlag flag;
        const char* text;
    };
    constexpr Name names[] = {{flag_not_finite, "NaN or infinity in the momenta"},
                              {flag_off_shell, "a leg is not massless with positive energy"},
                              {flag_not_conserved, "momentum is not conserved"},
                              {flag_outside_domain, "outside the domain on which the surrogate was trained"},
                              {flag_failed, "the evaluation gave no finite number"}};
    std::string text;
    for (const auto& [flag, name] : names)
        if (flags & flag) text += (text.empty() ? "" : ", ") + std::string(name);
    return text;
}

/// Whether a point has no flag, without saying which; every comparison fails with NaN or infinity.
bool is_sound(const double* momenta, int n_legs, int n_incoming) {
    double balance[4] = {};
    double energy_in = 0.0;
    bool on_shell = true;
    for (int leg = 0; leg < n_legs; ++leg) {
        const double* p = momenta + 4 * leg;
        const double sign = leg < n_incoming ? 1.0 : -1.0;
        for (int mu = 0; mu < 4; ++mu) balance[mu] += sign * p[mu];
        const double abs = std::sqrt(p[1] * p[1] + p[2] * p[2] + p[3] * p[3]);
        on_shell &= (std::fabs(p[0] - abs) <= kinematic_tolerance * p[0]) & (p[0] > 0.0);
        if (leg < n_incoming) energy_in += p[0];
    }
    for (const double difference : balance) on_shell &= std::fabs(difference) <= kinematic_tolerance * energy_in;
    return on_shell && std::isfinite(energy_in);
}

}  // namespace

std::int32_t check_point(const double* momenta, int n_legs, int n_incoming) {
    if (is_sound(momenta, n_legs, n_incoming)) return 0;
    std::int32_t flags = 0;
    double balance[4] = {};
    double energy_in = 0.0;
    for (int leg = 0; leg < n_legs; ++leg) {
        const double* p = momenta + 4 * leg;
        const bool incoming = leg < n_incoming;
        for (int mu = 0; mu < 4; ++mu) {
            if (!std::isfinite(p[mu])) return flag_not_finite;
            balance[mu] += incoming ? p[mu] : -p[mu];
        }
        const double abs = std::sqrt(p[1] * p[1] + p[2] * p[2] + p[3] * p[3]);
        if (!(std::fabs(p[0] - abs) <= kinematic_tolerance * p[0]) || !(p[0] > 0.0)) flags |= flag_off_shell;
        if (incoming) energy_in += p[0];
    }
    for (const double difference : balance)
        if (!(std::fabs(difference) <= kinematic_tolerance * energy_in)) flags |= flag_not_conserved;
    return flags;
}

std::string describe_flagged(const std::int32_t* flags, std::size_t n) {
    const auto* first = std::find_if(flags, flags + n, [](std::int32_t f) { return f != 0; });
    if (first == flags + n) return "";
    const auto count = n - static_cast<std::size_t>(std::count(flags, flags + n, 0));
    return "momenta: " + std::to_string(count) + " of " + std::to_string(n) + " points flagged, the first is " +
           std::to_string(first - flags) + " (" + describe_flags(*first) +
           "); correct them or choose policy \"nan\" or \"truth\"";
}

}  // namespace pyamp
