// g g -> gamma gamma g g as an amplitude provider: colour sum, normalisation, accuracy, rescue of bad points.
#include "amplitudes/gg_to_aagg/gg_to_aagg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>

#include "amplitudes/frame.h"
#include "amplitudes/quark_loop/amplitude.h"
#include "amplitudes/quark_loop/rebuilt.h"

namespace pyamp {

namespace {

using quark_loop::DoubleDouble;

constexpr int n_legs = 6;
constexpr int n_incoming = 2;
constexpr unsigned n_helicities = 1u << n_legs;
constexpr quark_loop::Legs photons = 0b001100;

constexpr double charges = 11.0 / 9;  // sum of Q_q^2 over u, d, s, c, b

// 64 g_s^8 e^4 (sum Q^2)^2 / (16 pi^2)^2 / (4 * 64), with the couplings alpha_s^4 alpha^2 taken out.
constexpr double normalisation = 4 * std::numbers::pi * std::numbers::pi * charges * charges;

/// The errors that cancellations show are seldom smaller than a tenth of the true one. From here on double precision
/// is not enough.
constexpr double largest_error = 1e-7;

/// Where legs are coplanar to the last digit of a double even double-double fails; the amplitude is smooth there, and
/// the same a little aside.
constexpr double shift = 1e-11;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double epsilon = std::numeric_limits<double>::epsilon();

using Point = std::array<Momentum, n_legs>;

const quark_loop::Topology& topology() {
    static const quark_loop::Topology topology(n_legs, photons);
    return topology;
}

/// Some megabytes, kept from call to call by each thread.
struct Workspace {
    quark_loop::Amplitude<double> in_double{topology()};
    std::unique_ptr<quark_loop::Amplitude<DoubleDouble>> in_double_double;
};

Workspace& workspace() {
    static thread_local Workspace work;
    return work;
}

/// The colour-summed square of one helicity configuration; traces of four generators over three colours:
/// 23/3 on the diagonal, -4/3 off it.
template <class R>
double colour_sum(const quark_loop::Amplitude<R>& amplitude, unsigned helicity) {
    quark_loop::Complex<R> sum{};
    R squares(0);
    for (int c = 0; c < topology().n_classes; ++c) {
        const auto a = amplitude(c, helicity);
        sum += a;
        squares = squares + norm(a);
    }
    return static_cast<double>(R(9) * squares - R(4) / R(3) * norm(sum));
}

template <class R>
double helicity_sum(const quark_loop::Amplitude<R>& amplitude) {
    double sum = 0;
    for (unsigned h = 0; h < n_helicities; ++h) sum += colour_sum(amplitude, h);
    return sum;
}

template <class R>
double error_of(const quark_loop::Amplitude<R>& amplitude) {
    const auto errors = amplitude.errors();
    return std::max(errors.ultraviolet, errors.rational);
}

const quark_loop::Amplitude<DoubleDouble>& exact(const Point& point, int dependent_leg) {
    auto& amplitude = workspace().in_double_double;
    if (!amplitude) amplitude = std::make_unique<quark_loop::Amplitude<DoubleDouble>>(topology());
    std::array<quark_loop::Momentum<DoubleDouble>, n_legs> legs;
    for (double moved : {0.0, shift}) {
        quark_loop::rebuilt(point.data(), n_legs, dependent_leg, moved, legs.data());
        amplitude->evaluate(legs.data(), n_incoming);
        if (error_of(*amplitude) < largest_error) break;
    }
    return *amplitude;
}

const quark_loop::Amplitude<double>& fast(const Point& point) {
    auto& amplitude = workspace().in_double;
    std::array<quark_loop::Momentum<double>, n_legs> p;
    for (int i = 0; i < n_legs; ++i) p[i] = {point[i].E, point[i].x, point[i].y, point[i].z};
    amplitude.evaluate(p.data(), n_incoming);
    return amplitude;
}

struct Result {
    double value;
    double error;
    bool rescued;
};

Result value_at(const Point& point) {
    const auto& amplitude = fast(point);
    Result result{helicity_sum(amplitude), error_of(amplitude), false};
    if (!(result.error < largest_error)) {
        const auto& better = exact(point, n_legs - 1);
        result = {helicity_sum(better), error_of(better), true};
    }
    if (!std::isfinite(result.value)) result.value = nan;
    return result;
}

/// How far the value may be off: the change when the point is rotated and its last leg rebuilt, or in double-double
/// another leg; at least what cancellations show.
double accuracy_of(const Result& result, const Point& point) {
    if (std::isnan(result.value)) return nan;
    double other;
    if (result.rescued) {
        other = helicity_sum(exact(point, n_incoming));
    } else {
        Point turned;
        rotated_and_rebuilt(point.data(), n_legs, turned.data());
        other = helicity_sum(fast(turned));
    }
    if (!std::isfinite(other)) return infinity;
    return std::max({epsilon, result.error, std::abs(other / result.value - 1)});
}

}  // namespace

const Process& GgToAagg::process() const {
    static const Process process{"gg_to_aagg", {21, 21, 22, 22, 21, 21}, n_incoming};
    return process;
}

CouplingOrders GgToAagg::coupling_orders() const { return {4, 2}; }

double GgToAagg::spin_colour_average() const { return 256; }

std::string GgToAagg::version() const { return "pyamp builtin gg_to_aagg 1"; }

void GgToAagg::evaluate(const double* momenta, std::size_t n, double* amplitude, double* accuracy) const {
    Point point;
    for (std::size_t i = 0; i < n; ++i) {
        const bool good = to_centre_of_mass(momenta + 4 * n_legs * i, n_legs, point.data());
        const Result result = good ? value_at(point) : Result{nan, nan, false};
        amplitude[i] = normalisation * result.value;
        if (accuracy) accuracy[i] = accuracy_of(result, point);
    }
}

void GgToAagg::helicity_amplitudes_squared(const double* momenta, std::size_t n, double* out) const {
    Point point;
    for (std::size_t i = 0; i < n; ++i, out += n_helicities) {
        if (!to_centre_of_mass(momenta + 4 * n_legs * i, n_legs, point.data())) {
            std::fill_n(out, n_helicities, nan);
            continue;
        }
        const auto fill = [&](const auto& amplitude) {
            for (unsigned h = 0; h < n_helicities; ++h) out[h] = colour_sum(amplitude, h);
        };
        const auto& amplitude = fast(point);
        if (error_of(amplitude) < largest_error) {
            fill(amplitude);
        } else {
            fill(exact(point, n_legs - 1));
        }
    }
}

}  // namespace pyamp
