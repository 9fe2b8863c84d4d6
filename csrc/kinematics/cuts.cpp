#include "kinematics/cuts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numbers>

#include "error.h"
#include "nearest_name.h"

namespace pyamp {
namespace {

constexpr int kComponents = 4;

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

int parse_species(const std::string& key, const std::string& text) {
    int pdg = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), pdg);
    if (status != std::errc{} || end != text.data() + text.size() || pdg <= 0)
        throw Error("cuts: " + key + " names the species '" + text +
                    "'; expected a positive PDG id (it covers the antiparticle), such as \"22\"");
    return pdg;
}

double number(const std::string& where, const nlohmann::json& value) {
    if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() < 0)
        throw Error("cuts: " + where + " is " + value.dump() + "; expected a number >= 0");
    return value.get<double>();
}

const nlohmann::json& object(const std::string& what, const nlohmann::json& value) {
    if (!value.is_object())
        throw Error("cuts: " + what + " is " + value.dump() + "; expected an object such as {\"22\": 30}");
    return value;
}

/// Indices of the outgoing legs of a species; refuses a species that the process has not.
std::vector<int> legs_of(const std::string& key, int species, const std::vector<int>& pdg_ids, int n_incoming) {
    std::vector<int> legs;
    std::vector<std::string> outgoing;
    for (int leg = n_incoming; leg < static_cast<int>(pdg_ids.size()); ++leg) {
        outgoing.push_back(std::to_string(pdg_ids[leg]));
        if (std::abs(pdg_ids[leg]) == species) legs.push_back(leg);
    }
    if (legs.empty())
        throw Error("cuts: " + key + " names the species " + std::to_string(species) +
                    ", which is no outgoing leg; the outgoing legs are " + join(outgoing));
    return legs;
}

/// Accurate for nearly parallel legs, where the difference of two angles would cancel.
double delta_phi(const double* a, const double* b) {
    return std::atan2(a[1] * b[2] - a[2] * b[1], a[1] * b[1] + a[2] * b[2]);
}

double eta(const double* p) { return std::asinh(p[3] / std::hypot(p[1], p[2])); }

/// Where cosh(delta eta) - cos(delta phi) = (|p||q| - p.q) / (pT qT) tells the side of a cut on delta R: it is at
/// most cosh(delta R) - 1 and, up to pi, at least 1 - cos(delta R).
struct Separation {
    bool is_known, is_above;
};

Separation separation(const double* p, const double* q, double surely_above, double surely_below) {
    const double pt2 = p[1] * p[1] + p[2] * p[2];
    const double qt2 = q[1] * q[1] + q[2] * q[2];
    const double norms = std::sqrt((pt2 + p[3] * p[3]) * (qt2 + q[3] * q[3]));
    const double difference = norms - (p[1] * q[1] + p[2] * q[2] + p[3] * q[3]);
    if (!(difference > 1e-8 * norms)) return {false, false};  // too much cancels, or NaN
    const double pt_pt = std::sqrt(pt2 * qt2);
    const bool is_above = difference > surely_above * pt_pt;
    return {is_above || difference < surely_below * pt_pt, is_above};
}

}  // namespace

Cuts::Cuts(const nlohmann::json& cuts, const std::vector<int>& pdg_ids, int n_incoming) {
    if (cuts.is_null()) return;
    if (static_cast<int>(pdg_ids.size()) - n_incoming > max_outgoing)
        throw Error("cuts: " + std::to_string(pdg_ids.size() - n_incoming) + " outgoing legs; at most " +
                    std::to_string(max_outgoing) + " are supported");
    static const std::vector<std::string> known{"pt_min", "abs_eta_max", "delta_r_min"};
    for (const auto& [key, value] : object("the whole", cuts).items()) {
        if (std::find(known.begin(), known.end(), key) == known.end())
            throw Error("cuts: unknown key '" + key + "'; did you mean '" + nearest_name(key, known) +
                        "'? Known: " + join(known));
        for (const auto& [species, limit] : object(key, value).items()) {
            const std::string where = key + "[\"" + species + "\"]";
            if (key == "delta_r_min") {
                const auto comma = species.find(',');
                if (comma == std::string::npos)
                    throw Error("cuts: delta_r_min names '" + species + "'; expected two species such as \"22,21\"");
                const int first = parse_species(key, species.substr(0, comma));
                const int second = parse_species(key, species.substr(comma + 1));
                const double minimum = number(where, limit);
                constexpr double margin = 1e-6;  // rounding of what is compared, many times over
                DeltaRRule rule{{},
                                minimum * minimum,
                                (1 + margin) * (std::cosh(minimum) - 1),
                                minimum < std::numbers::pi ? (1 - margin) * (1 - std::cos(minimum)) : 0.0};
                for (int i : legs_of(key, first, pdg_ids, n_incoming))
                    for (int j : legs_of(key, second, pdg_ids, n_incoming))
                        if (first != second || i < j) rule.pairs.emplace_back(i, j);
                delta_r_rules_.push_back(std::move(rule));
                continue;
            }
            const auto legs = legs_of(key, parse_species(key, species), pdg_ids, n_incoming);
            if (key == "abs_eta_max") {
                eta_rules_.push_back({legs, std::sinh(number(where, limit))});
                continue;
            }
            const auto minima = limit.is_array() ? limit : nlohmann::json::array({limit});
            if (minima.empty() || minima.size() > legs.size())
                throw Error("cuts: " + where + " has " + std::to_string(minima.size()) + " values; expected 1 to " +
                            std::to_string(legs.size()) + ", hardest leg first");
            PtRule rule{legs, {}};
            for (std::size_t i = 0; i < legs.size(); ++i)
                rule.squared_minima.push_back(std::pow(number(where, minima[std::min(i, minima.size() - 1)]), 2));
            if (!std::is_sorted(rule.squared_minima.rbegin(), rule.squared_minima.rend()))
                throw Error("cuts: " + where + " is " + minima.dump() + "; expected values that do not rise");
            pt_rules_.push_back(std::move(rule));
        }
    }
}

Cuts Cuts::parse(const std::string& json_text, const std::vector<int>& pdg_ids, int n_incoming) {
    const auto cuts = nlohmann::json::parse(json_text, nullptr, false);
    if (cuts.is_discarded()) throw Error("cuts: not JSON: " + json_text.substr(0, 60));
    return Cuts(cuts, pdg_ids, n_incoming);
}

bool Cuts::passes(const double* momenta) const noexcept {
    const auto leg = [momenta](int i) { return momenta + kComponents * i; };
    for (const auto& rule : pt_rules_) {
        std::array<double, max_outgoing> squared{};
        const std::size_t n = rule.legs.size();
        for (std::size_t i = 0; i < n; ++i) {
            const double* p = leg(rule.legs[i]);
            squared[i] = p[1] * p[1] + p[2] * p[2];
            if (std::isnan(squared[i])) return false;
            // Few legs: insertion, the hardest first.
            for (std::size_t k = i; k > 0 && squared[k] > squared[k - 1]; --k) std::swap(squared[k], squared[k - 1]);
        }
        for (std::size_t i = 0; i < n; ++i)
            if (!(squared[i] > rule.squared_minima[i])) return false;
    }
    // |eta| < x is |pz| < pT sinh(x): no transcendental function per point.
    for (const auto& rule : eta_rules_)
        for (int i : rule.legs) {
            const double* p = leg(i);
            if (!(std::abs(p[3]) < std::sqrt(p[1] * p[1] + p[2] * p[2]) * rule.sinh_maximum)) return false;
        }
    for (const auto& rule : delta_r_rules_)
        for (const auto& [i, j] : rule.pairs) {
            const auto quick = separation(leg(i), leg(j), rule.surely_above, rule.surely_below);
            if (quick.is_known && quick.is_above) continue;
            if (quick.is_known) return false;
            const double d_eta = eta(leg(i)) - eta(leg(j));
            const double d_phi = delta_phi(leg(i), leg(j));
            if (!(d_eta * d_eta + d_phi * d_phi > rule.squared_minimum)) return false;
        }
    return true;
}

}  // namespace pyamp
