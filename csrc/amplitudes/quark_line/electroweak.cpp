// Couplings of the Z boson, in units of the electromagnetic coupling.
#include "amplitudes/quark_line/electroweak.h"

#include <cmath>
#include <complex>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "error.h"
#include "nearest_name.h"

namespace pyamp::quark_line {
namespace {

using Number = std::complex<double>;

bool is_up(int pdg_id) { return pdg_id % 2 == 0; }  // quarks and leptons alike

double charge_of(int pdg_id) {
    if (pdg_id > 10) return is_up(pdg_id) ? 0.0 : -1.0;
    return is_up(pdg_id) ? 2.0 / 3 : -1.0 / 3;
}

Number mass_squared(double mass, double width) { return {mass * mass, -mass * width}; }

}  // namespace

Parameters read_parameters(const nlohmann::json& block) {
    Parameters parameters;
    const std::map<std::string, double*> known = {
        {"mz", &parameters.mz}, {"wz", &parameters.wz}, {"mw", &parameters.mw}, {"ww", &parameters.ww}};
    std::vector<std::string> names;
    for (const auto& [name, member] : known) names.push_back(name);
    for (const auto& [name, value] : block.items()) {
        const auto found = known.find(name);
        if (found == known.end())
            throw Error("tree: unknown option '" + name + "'; did you mean '" + nearest_name(name, names) + "'?");
        const bool is_mass = name.front() == 'm';
        if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() < 0 ||
            (is_mass && value.get<double>() == 0))
            throw Error("tree: '" + name + "' is " + value.dump() + ", a " + (is_mass ? "mass" : "width") +
                        " in GeV expected");
        *found->second = value.get<double>();
    }
    if (parameters.mw >= parameters.mz)
        throw Error("tree: mw = " + std::to_string(parameters.mw) + " and mz = " + std::to_string(parameters.mz) +
                    " found; mw < mz expected, since sin^2 = 1 - mw^2/mz^2");
    return parameters;
}

Exchange::Exchange(int quark, int lepton, const Parameters& p) {
    const Number z = mass_squared(p.mz, p.wz);
    const Number sine2 = 1.0 - mass_squared(p.mw, p.ww) / z;
    const Number sine_cosine = std::sqrt(sine2 * (1.0 - sine2));
    const auto coupling = [&](int pdg_id, bool is_left) {
        const double isospin = is_left ? (is_up(pdg_id) ? 0.5 : -0.5) : 0.0;
        return (isospin - charge_of(pdg_id) * sine2) / sine_cosine;
    };
    charges_ = charge_of(quark) * charge_of(lepton);
    mass_squared_ = {z.real(), z.imag()};
    for (bool q : {false, true})
        for (bool l : {false, true}) {
            const Number g = coupling(quark, q) * coupling(lepton, l);
            couplings_[q][l] = {g.real(), g.imag()};
        }
}

Scalar Exchange::operator()(double s, bool quark_is_left, bool lepton_is_left) const {
    const Scalar denominator{s - mass_squared_.re, -mass_squared_.im};
    const Scalar z = couplings_[quark_is_left][lepton_is_left] * conj(denominator);
    return Scalar{charges_ / s, 0} + 1 / norm(denominator) * z;
}

}  // namespace pyamp::quark_line
