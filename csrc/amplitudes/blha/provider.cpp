// A one-loop provider of the Binoth Les Houches Accord as a source of truth.
#include "amplitudes/blha/provider.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include "amplitudes/blha/order.h"
#include "error.h"

namespace pyamp::blha {
namespace {

namespace fs = std::filesystem;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// Conventions change a value by factors, a top quark in the loop by per mille and more.
constexpr double reference_tolerance = 1e-4;
constexpr double start_alpha_s = 0.118, start_alpha = 1.0 / 137.035999084;

/// Helicities times colours of an incoming massless particle.
double initial_states(int pdg_id) {
    const int kind = std::abs(pdg_id);
    if (kind == 21) return 16.0;
    if (kind >= 1 && kind <= 6) return 6.0;
    if (kind == 22 || kind == 11 || kind == 13 || kind == 15) return 2.0;
    throw Error("blha: incoming particle " + std::to_string(pdg_id) +
                "; gluons, quarks, photons and charged leptons "
                "expected");
}

/// The built-in amplitude of the same process, if there is one.
std::unique_ptr<AmplitudeProvider> built_in(const Process& process) {
    for (const std::string& name : builtin_amplitudes()) {
        auto amplitude = make_builtin_amplitude(name);
        if (!map_legs(amplitude->process(), process).empty()) return amplitude;
    }
    return nullptr;
}

Process wanted_process(const Options& options) {
    if (!options.process.empty()) return parse_process(options.process, "blha: 'process'");
    for (const std::string& path : {options.contract, options.order})
        if (!path.empty() && fs::exists(path)) return only_process(path);
    return {};
}

std::string name_from_ids(const Process& process) {
    std::string name = "blha";
    for (const int id : process.pdg_ids) name.append("_").append(std::to_string(id));
    return name;
}

/// A fixed rotation that mixes all axes: about (1, 2, 3) by 1 rad.
void rotate(double* momentum) {
    const double norm = std::sqrt(14.0), angle = 1.0;
    const double axis[] = {1.0 / norm, 2.0 / norm, 3.0 / norm};
    const double p[] = {momentum[1], momentum[2], momentum[3]};
    const double along = axis[0] * p[0] + axis[1] * p[1] + axis[2] * p[2];
    for (int i = 0; i < 3; ++i) {
        const int j = (i + 1) % 3, k = (i + 2) % 3;
        const double cross = axis[j] * p[k] - axis[k] * p[j];
        momentum[i + 1] =
            p[i] * std::cos(angle) + cross * std::sin(angle) + axis[i] * along * (1.0 - std::cos(angle));
    }
}

/// Two points at 1 TeV, well away from every singularity: outgoing momenta on a cone-like pattern, boosted to rest
/// and scaled to the energy.
std::vector<double> reference_points(const Process& process) {
    constexpr double beam = 500.0;
    const int n_out = process.n_legs() - process.n_incoming;
    std::vector<double> momenta;
    for (int variant = 0; variant < 2; ++variant) {
        std::vector<std::array<double, 4>> legs(static_cast<std::size_t>(n_out));
        std::array<double, 4> total{};
        for (int i = 0; i < n_out; ++i) {
            const double phi = 2.4 * i + 0.3 + variant, cosine = std::sin(1.7 * i + 0.4 + 2.0 * variant) * 0.8;
            const double energy = 1.0 + 0.3 * std::cos(1.1 * i + variant), sine = std::sqrt(1.0 - cosine * cosine);
            legs[static_cast<std::size_t>(i)] = {energy, energy * sine * std::cos(phi), energy * sine * std::sin(phi),
                                                 energy * cosine};
            for (std::size_t mu = 0; mu < 4; ++mu) total[mu] += legs[static_cast<std::size_t>(i)][mu];
        }
        const double mass =
            std::sqrt(total[0] * total[0] - total[1] * total[1] - total[2] * total[2] - total[3] * total[3]);
        for (const double sign : {1.0, -1.0}) momenta.insert(momenta.end(), {beam, 0.0, 0.0, sign * beam});
        for (auto& p : legs) {
            const double dot = total[1] * p[1] + total[2] * p[2] + total[3] * p[3];
            const double energy = (total[0] * p[0] - dot) / mass;
            const double shift = (p[0] + energy) / (total[0] + mass);
            for (std::size_t mu = 1; mu < 4; ++mu) p[mu] -= shift * total[mu];
            const double scale = 2.0 * beam / mass;
            const double x = scale * p[1], y = scale * p[2], z = scale * p[3];
            momenta.insert(momenta.end(), {std::sqrt(x * x + y * y + z * z), x, y, z});
        }
    }
    return momenta;
}

std::string text(double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.6g", value);
    return buffer;
}

}  // namespace

Provider::Provider(const Options& options) : options_(options) {
    const Process ordered = wanted_process(options_);
    const auto known = ordered.pdg_ids.empty() ? nullptr : built_in(ordered);
    process_ = known ? known->process() : ordered;
    if (!options_.name.empty())
        process_.name = options_.name;
    else if (!known)
        process_.name = name_from_ids(process_);
    if (known) orders_ = known->coupling_orders();
    orders_ = {options_.alpha_s_power.value_or(orders_.alpha_s_power),
               options_.alpha_power.value_or(orders_.alpha_power)};
    if (!known && !ordered.pdg_ids.empty() && !(options_.alpha_s_power && options_.alpha_power))
        throw Error("blha: 'alpha_s_power' and 'alpha_power' of |M|^2 are missing, and " + process_text(ordered) +
                    " is no built-in amplitude that has them");

    std::string folder = (fs::temp_directory_path() / "pyamp_blha_XXXXXX").string();
    if (!::mkdtemp(folder.data())) throw Error(folder + ": no temporary folder can be made");
    folder_ = folder;
    try {
        const Agreement agreement = make_order(options_, ordered, orders_, folder_);
        average_ = initial_states(process_.pdg_ids[0]) * initial_states(process_.pdg_ids[1]);
        session_ = options_.isolated ? open_worker(options_) : open_library(options_);
        start(agreement, ordered);
        version_ = session_->version();  // some know what they are only now
        const Granted granted = read_contract(agreement.contract, ordered);
        id_ = granted.id;
        legs_ = map_legs(granted.process, process_);
        for (const auto& [name, value] : options_.parameters)
            if (const int status = session_->set_parameter(name, value); status != 1)
                throw Error(options_.library + ": OLP_SetParameter of " + name + " gave " + std::to_string(status) +
                            (status == 2 ? " (ignored)" : " (failed)") + ", 1 expected");
        set_couplings(start_alpha_s, start_alpha);
        if (options_.check) {
            const auto points = reference_points(process_);
            check_reference(points);
            check_couplings(points);
        }
    } catch (...) {
        fs::remove_all(folder_);
        throw;
    }
}

Provider::~Provider() {
    session_.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void Provider::start(const Agreement& agreement, const Process& ordered) {
    try {
        session_->start(agreement.start_file);
    } catch (const Error&) {
        // The contract knows better what was not granted.
        if (fs::exists(agreement.contract) && agreement.contract != agreement.start_file)
            read_contract(agreement.contract, ordered);
        throw;
    }
}

void Provider::set_couplings(double alpha_s, double alpha) {
    const auto set = [this](const std::string& name, double value) {
        const int status = session_->set_parameter(name, value);
        if (status != 1)
            throw Error(options_.library + ": OLP_SetParameter of " + name + " gave " + std::to_string(status) +
                        ", 1 expected; 'alpha_s_parameter' and 'alpha_parameter' are the provider's names");
    };
    // OLP_EvalSubProcess takes alpha_s with every point
    if (options_.evaluate == "OLP_EvalSubProcess2") set(options_.alpha_s_parameter, alpha_s);
    set(options_.alpha_parameter, alpha);
    alpha_s_ = alpha_s;
    alpha_ = alpha;
}

std::vector<PointResult> Provider::results(const double* momenta, std::size_t n) const {
    const std::size_t n_legs = legs_.size();
    std::vector<double> points(5 * n_legs * n, 0.0);
    for (std::size_t k = 0; k < n; ++k)
        for (std::size_t leg = 0; leg < n_legs; ++leg)
            std::copy_n(momenta + 4 * (n_legs * k + static_cast<std::size_t>(legs_[leg])), 4,
                        points.begin() + static_cast<std::ptrdiff_t>(5 * (n_legs * k + leg)));
    std::vector<PointResult> found(n);
    session_->evaluate({id_, n, n_legs, points.data(), options_.scale, alpha_s_}, found.data());
    return found;
}

double Provider::in_our_conventions(double value) const {
    if (options_.identical_particle_factor) value /= identical_particle_factor(process_);
    return options_.averaged ? value : value / average_;
}

std::vector<Provider::Value> Provider::values(const double* momenta, std::size_t n) const {
    std::vector<Value> found;
    for (const auto& result : results(momenta, n)) {
        const double value = in_our_conventions(result.slots[options_.result_index]);
        const bool has_accuracy =
            options_.accuracy == "argument" && std::isfinite(result.accuracy) && result.accuracy >= 0.0;
        found.push_back({value, has_accuracy ? result.accuracy : nan});
    }
    return found;
}

std::vector<Provider::Value> Provider::rotated_values(const std::vector<double>& momenta) const {
    std::vector<double> rotated = momenta;
    for (std::size_t i = 0; i < rotated.size(); i += 4) rotate(&rotated[i]);
    return values(rotated.data(), rotated.size() / (4 * legs_.size()));
}

void Provider::evaluate(const double* momenta, std::size_t n, double* amplitude, double* accuracy) const {
    const std::lock_guard lock(mutex_);
    const std::size_t row = 4 * legs_.size();
    std::vector<Value> found = values(momenta, n);
    const auto is_good = [this](const Value& v) {
        return std::isfinite(v.amplitude) && v.accuracy <= options_.accuracy_limit;
    };

    std::vector<std::size_t> again;
    std::vector<double> points;
    for (std::size_t k = 0; k < n; ++k) {
        if (is_good(found[k]) || (options_.accuracy == "rotation" && !accuracy && std::isfinite(found[k].amplitude)))
            continue;
        again.push_back(k);
        points.insert(points.end(), momenta + row * k, momenta + row * (k + 1));
    }
    const std::vector<Value> rotated = again.empty() ? std::vector<Value>{} : rotated_values(points);
    for (std::size_t i = 0; i < again.size(); ++i) {
        Value& value = found[again[i]];
        const Value& other = rotated[i];
        const double change = std::fabs(other.amplitude / value.amplitude - 1.0);
        if (std::isnan(value.accuracy) && std::isnan(other.accuracy))
            value.accuracy = change;  // NaN where one of them failed
        else if (!std::isfinite(value.amplitude) || std::isnan(value.accuracy) || other.accuracy < value.accuracy)
            value = other;
    }
    const double couplings = std::pow(alpha_s_, orders_.alpha_s_power) * std::pow(alpha_, orders_.alpha_power);
    for (std::size_t k = 0; k < n; ++k) {
        const bool unchecked = options_.accuracy == "rotation" && !accuracy && std::isnan(found[k].accuracy);
        const bool usable = std::isfinite(found[k].amplitude) && (unchecked || is_good(found[k]));
        amplitude[k] = usable ? found[k].amplitude / couplings : nan;
        if (!accuracy) continue;
        const bool known = std::isfinite(found[k].amplitude) && !std::isnan(found[k].accuracy);
        accuracy[k] = known ? found[k].accuracy : std::numeric_limits<double>::infinity();
    }
}

void Provider::helicity_amplitudes_squared(const double*, std::size_t, double*) const {
    throw Error(process_.name + ": a BLHA provider gives no helicity amplitudes");
}

std::string Provider::diagnosis(const PointResult& result, double expected) const {
    const double identical = identical_particle_factor(process_);
    for (std::size_t slot = 0; slot < n_slots; ++slot)
        for (const bool factor : {false, true})
            for (const bool averaged : {true, false}) {
                const double value = result.slots[slot] / (factor ? identical : 1.0) / (averaged ? 1.0 : average_);
                if (std::fabs(value / expected - 1.0) < 1e-4)
                    return "; it would fit with 'result_index': " + std::to_string(slot) +
                           ", 'identical_particle_factor': " + (factor ? "true" : "false") +
                           ", 'averaged': " + (averaged ? "true" : "false");
            }
    return "; no slot, identical-particle factor or average explains it: other couplings, or other particles in the "
           "loop ('check': false accepts them)";
}

void Provider::check_reference(const std::vector<double>& momenta) const {
    const auto known = built_in(process_);
    if (!known) return;
    const std::size_t row = 4 * legs_.size(), n = momenta.size() / row;
    std::vector<double> expected(n);
    known->evaluate(momenta.data(), n, expected.data(), nullptr);
    const double couplings = std::pow(alpha_s_, known->coupling_orders().alpha_s_power) *
                             std::pow(alpha_, known->coupling_orders().alpha_power);
    const auto found = results(momenta.data(), n);
    for (std::size_t k = 0; k < n; ++k) {
        const double value = in_our_conventions(found[k].slots[options_.result_index]);
        const double ratio = value / (expected[k] * couplings);
        if (!(std::fabs(ratio - 1.0) < reference_tolerance))
            throw Error(options_.library + ": reference point " + std::to_string(k) + " of " + process_.name +
                        " gives " + text(ratio) + " times the built-in amplitude, 1 expected" +
                        diagnosis(found[k], expected[k] * couplings));
    }
}

void Provider::check_couplings(const std::vector<double>& momenta) {
    const std::vector<double> point(momenta.begin(), momenta.begin() + static_cast<std::ptrdiff_t>(4 * legs_.size()));
    constexpr double step = 1.25;
    const double before = values(point.data(), 1)[0].amplitude;
    const auto check = [&](const char* coupling, double alpha_s, double alpha, int power) {
        set_couplings(alpha_s, alpha);
        const double ratio = values(point.data(), 1)[0].amplitude / before;
        if (!(std::fabs(ratio / std::pow(step, power) - 1.0) < 1e-6))
            throw Error(options_.library + ": |M|^2 changes by the factor " + text(ratio) + " when " + coupling +
                        " changes by " + text(step) + ", " + text(std::pow(step, power)) + " expected of the power " +
                        std::to_string(power) + "; correct '" + coupling + "_power' or the name of the parameter");
    };
    check("alpha_s", step * start_alpha_s, start_alpha, orders_.alpha_s_power);
    check("alpha", start_alpha_s, step * start_alpha, orders_.alpha_power);
    set_couplings(start_alpha_s, start_alpha);
}

}  // namespace pyamp::blha
