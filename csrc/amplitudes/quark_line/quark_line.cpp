// The quark line as an amplitude provider: helicity sum, normalisation, accuracy.
#include "amplitudes/quark_line/quark_line.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <numbers>

#include "amplitudes/process_text.h"
#include "amplitudes/quark_line/amplitude.h"
#include "amplitudes/quark_line/colour.h"

namespace pyamp {

namespace {

using quark_line::Amplitude;
using quark_line::max_gluons;

constexpr int max_legs = max_gluons + 4;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double epsilon = std::numeric_limits<double>::epsilon();

using Point = std::array<Momentum, max_legs>;
using Sums = double[2][1 << max_gluons];

/// A quarter of a megabyte at most, kept from call to call by each thread.
Amplitude& amplitude_for(std::size_t n_gluons) {
    static thread_local std::array<std::unique_ptr<Amplitude>, max_gluons + 1> amplitudes;
    auto& amplitude = amplitudes[n_gluons];
    if (!amplitude) amplitude = std::make_unique<Amplitude>(static_cast<int>(n_gluons));
    return *amplitude;
}

std::string name_of(const Process& process) {
    std::string name = "tree";
    for (int id : process.pdg_ids) name += "_" + std::to_string(id);
    return name;
}

Process named(Process process) {
    process.name = name_of(process);
    return process;
}

std::vector<double> colours_of(std::size_t n_gluons) {
    const quark_line::Words words(static_cast<int>(n_gluons));
    std::vector<std::vector<int>> orderings;
    for (auto word = words.all.begin() + words.first_ordering; word != words.all.end(); ++word)
        orderings.push_back(word->gluons);
    return quark_line::colour_matrix(orderings);
}

}  // namespace

QuarkLine::QuarkLine(const std::string& process, const nlohmann::json& options)
    : process_(named(parse_process(process, "tree", "21 21 -> 11 -11 1 -1"))),
      legs_(quark_line::sort_legs(process_)),
      exchange_(legs_.quark_id, legs_.lepton_id, quark_line::read_parameters(options)),
      colours_(colours_of(legs_.gluons.size())),
      normalisation_(std::pow(4 * std::numbers::pi, static_cast<double>(legs_.gluons.size() + 2)) /
                     spin_colour_average()) {}

CouplingOrders QuarkLine::coupling_orders() const { return {static_cast<int>(legs_.gluons.size()), 2}; }

double QuarkLine::spin_colour_average() const { return quark_line::spin_colour_average(process_); }

std::string QuarkLine::version() const { return "pyamp tree 1"; }

double QuarkLine::value_at(const Momentum* point) const {
    Amplitude& amplitude = amplitude_for(legs_.gluons.size());
    amplitude.evaluate(legs_, point, process_.n_incoming);
    Sums sums;
    amplitude.colour_sums(colours_, sums);
    double value = 0;
    for (bool lepton_is_left : {true, false}) {
        const double* sum = sums[lepton_is_left ? 0 : 1];
        double helicities = 0;
        for (int h = 0; h < 1 << legs_.gluons.size(); ++h) helicities += sum[h];
        const double s = amplitude.s_leptons();
        value += helicities * (norm(exchange_(s, true, lepton_is_left)) + norm(exchange_(s, false, !lepton_is_left)));
    }
    return std::isfinite(value) ? value : nan;
}

void QuarkLine::evaluate(const double* momenta, std::size_t n, double* amplitude, double* accuracy) const {
    const int n_legs = process_.n_legs();
    Point point, turned;
    for (std::size_t i = 0; i < n; ++i) {
        const bool good = to_centre_of_mass(momenta + 4 * n_legs * i, n_legs, point.data());
        const double value = good ? value_at(point.data()) : nan;
        amplitude[i] = normalisation_ * value;
        if (!accuracy) continue;
        accuracy[i] = nan;
        if (std::isnan(value)) continue;
        rotated_and_rebuilt(point.data(), n_legs, turned.data());
        const double other = value_at(turned.data());
        accuracy[i] = std::isnan(other) ? infinity : std::max(epsilon, std::abs(other / value - 1));
    }
}

void QuarkLine::helicity_amplitudes_squared(const double* momenta, std::size_t n, double* out) const {
    const int n_legs = process_.n_legs();
    const std::size_t n_helicities = std::size_t{1} << n_legs;
    Amplitude& amplitude = amplitude_for(legs_.gluons.size());
    Point point;
    for (std::size_t i = 0; i < n; ++i, out += n_helicities) {
        if (!to_centre_of_mass(momenta + 4 * n_legs * i, n_legs, point.data())) {
            std::fill_n(out, n_helicities, nan);
            continue;
        }
        std::fill_n(out, n_helicities, 0.0);
        amplitude.evaluate(legs_, point.data(), process_.n_incoming);
        Sums sums;
        amplitude.colour_sums(colours_, sums);
        const double s = amplitude.s_leptons();
        for (bool lepton_is_left : {true, false})
            for (unsigned h = 0; h < 1u << legs_.gluons.size(); ++h) {
                unsigned legs = 1u << legs_.quark | 1u << (lepton_is_left ? legs_.lepton : legs_.antilepton);
                for (std::size_t g = 0; g < legs_.gluons.size(); ++g) legs |= (h >> g & 1) << legs_.gluons[g];
                const unsigned all = (1u << n_legs) - 1;
                const double square = sums[lepton_is_left ? 0 : 1][h];
                out[legs] = square * norm(exchange_(s, true, lepton_is_left));
                out[all ^ legs] = square * norm(exchange_(s, false, !lepton_is_left));
            }
    }
}

}  // namespace pyamp
