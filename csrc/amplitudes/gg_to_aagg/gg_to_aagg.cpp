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

/// The sum of the 1/eps poles, relative to the amplitude, overestimates the error in three points of four and
/// underestimates it by more than 10 in less than one of a hundred. From here on double precision is not enough.
constexpr double largest_pole = 2e-7;

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

/// The point to 32 digits: last leg, energies and beams from momentum conservation.
std::array<quark_loop::Momentum<DoubleDouble>, n_legs> rebuilt(const Point& point) {
    std::array<quark_loop::Momentum<DoubleDouble>, n_legs> p;
    const auto length = [](const auto& q) { return sqrt(q.x * q.x + q.y * q.y + q.z * q.z); };
    for (int i = 0; i < n_legs; ++i) p[i] = {0, point[i].x, point[i].y, point[i].z};
    auto& last = p[n_legs - 1];
    last = {};
    DoubleDouble energy;
    for (int i = n_incoming; i < n_legs - 1; ++i) {
        last.x = last.x - p[i].x;
        last.y = last.y - p[i].y;
        last.z = last.z - p[i].z;
        p[i].E = length(p[i]);
        energy = energy + p[i].E;
    }
    last.E = length(last);
    const DoubleDouble beam_energy = DoubleDouble(0.5) * (energy + last.E);
    const quark_loop::Momentum<DoubleDouble> axis{0, p[0].x - p[1].x, p[0].y - p[1].y, p[0].z - p[1].z};
    const DoubleDouble scale = beam_energy / length(axis);
    p[0] = {beam_energy, scale * axis.x, scale * axis.y, scale * axis.z};
    p[1] = {beam_energy, -p[0].x, -p[0].y, -p[0].z};
    return p;
}

const quark_loop::Amplitude<DoubleDouble>& exact(const Point& point) {
    auto& amplitude = workspace().in_double_double;
    if (!amplitude) amplitude = std::make_unique<quark_loop::Amplitude<DoubleDouble>>(topology());
    amplitude->evaluate(rebuilt(point).data(), n_incoming);
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
    double pole;
    bool rescued;
};

Result value_at(const Point& point, bool may_rescue) {
    const auto& amplitude = fast(point);
    Result result{helicity_sum(amplitude), amplitude.poles().ultraviolet, false};
    if (std::isfinite(result.value) && may_rescue && !(result.pole < largest_pole)) {
        const auto& better = exact(point);
        result = {helicity_sum(better), better.poles().ultraviolet, true};
    }
    if (!std::isfinite(result.value)) result.value = nan;
    return result;
}

/// How far the value may be off: the change when the point is rotated and rebuilt, at least its pole.
double accuracy_of(const Result& result, const Point& point) {
    if (std::isnan(result.value)) return nan;
    Point turned;
    rotated_and_rebuilt(point.data(), n_legs, turned.data());
    const double rotated = result.rescued ? helicity_sum(exact(turned)) : value_at(turned, false).value;
    if (!std::isfinite(rotated)) return infinity;
    return std::max({epsilon, result.pole, std::abs(rotated / result.value - 1)});
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
        const Result result = good ? value_at(point, true) : Result{nan, nan, false};
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
        if (amplitude.poles().ultraviolet < largest_pole) {
            fill(amplitude);
        } else {
            fill(exact(point));
        }
    }
}

}  // namespace pyamp
