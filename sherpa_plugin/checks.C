// Model against card, before Sherpa integrates.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "ATOOLS/Org/Message.H"
#include "ATOOLS/Org/Run_Parameter.H"
#include "ATOOLS/Org/Scoped_Settings.H"
#include "checks.H"
#include "selectors.H"
#include "stop.H"

namespace PyAmp {
namespace {

std::string Short(double value) {
    std::ostringstream text;
    text << value;
    return text.str();
}

std::vector<int> Ids(const std::string& comma_separated) {
    std::vector<int> ids;
    std::stringstream text(comma_separated);
    for (std::string id; std::getline(text, id, ',');) ids.push_back(std::abs(std::stoi(id)));
    return ids;
}

std::pair<double, double> EnergyRange(const Amplitude& surrogate) {
    const auto& range = surrogate.Description().at("domain").at("sqrt_s_hat");
    return {range.at(0).get<double>(), range.at(1).get<double>()};
}

/// Everything in which the run is wider than the domain, in words; empty if nothing is.
std::string EnergyGap(const Amplitude& surrogate) {
    const auto [lower, upper] = EnergyRange(surrogate);
    const double beams = ATOOLS::rpa->gen.Ecms();
    const double slack = 1e-9 * beams;
    if (beams > upper + slack)
        return "E_CMS of the beams is " + Short(beams) + " GeV, its sqrt(s_hat) ends at " + Short(upper) + " GeV";
    if (beams < lower - slack)
        return "E_CMS of the beams is " + Short(beams) + " GeV, its sqrt(s_hat) begins at " + Short(lower) + " GeV";
    return "";
}

std::string CutGap(const Amplitude& surrogate) {
    const auto& domain = surrogate.Description().at("domain");
    if (!domain.contains("cuts")) return "";
    const auto& model = domain.at("cuts");
    const auto& ids = surrogate.PdgIds();
    const auto run = GuaranteedCuts::FromCard({ids.begin() + surrogate.NIn(), ids.end()});
    if (model.contains("pt_min"))
        for (const auto& [id, values] : model.at("pt_min").items()) {
            const auto found = run.pt_min.find(std::abs(std::stoi(id)));
            if (found == run.pt_min.end()) continue;
            const auto minima =
                values.is_array() ? values.get<std::vector<double>>() : std::vector<double>{values.get<double>()};
            // the last value repeats for softer legs
            for (std::size_t i = 0; i < found->second.size() && !minima.empty(); ++i) {
                const double minimum = minima[std::min(i, minima.size() - 1)];
                if (found->second[i] < minimum)
                    return "SELECTORS let p_T of leg " + std::to_string(i + 1) + " of " + id + " down to " +
                           Short(found->second[i]) + " GeV, its domain begins at " + Short(minimum) + " GeV";
            }
        }
    if (model.contains("abs_eta_max"))
        for (const auto& [id, value] : model.at("abs_eta_max").items()) {
            const auto found = run.abs_eta_max.find(std::abs(std::stoi(id)));
            if (found == run.abs_eta_max.end() || found->second > value.get<double>())
                return "SELECTORS let |eta| of " + id + " up to " +
                       (found == run.abs_eta_max.end() ? "infinity" : Short(found->second)) +
                       ", its domain ends at " + Short(value.get<double>());
        }
    if (model.contains("delta_r_min"))
        for (const auto& [pair, value] : model.at("delta_r_min").items()) {
            const auto legs = Ids(pair);
            if (legs.size() != 2) continue;
            const auto found = run.delta_r_min.find(std::minmax(legs[0], legs[1]));
            const double minimum = found == run.delta_r_min.end() ? 0.0 : found->second;
            if (minimum < value.get<double>())
                return "SELECTORS let Delta R of " + pair + " down to " + Short(minimum) + ", its domain begins at " +
                       Short(value.get<double>());
        }
    return "";
}

}  // namespace

void CheckHook(Mode mode) {
    const auto hooks = ATOOLS::Settings::GetMainSettings()["USERHOOKS"]
                           .SetDefault("None")
                           .UseNoneReplacements()
                           .GetVector<std::string>();
    if (HasSecondStage(mode) && std::find(hooks.begin(), hooks.end(), "PyAmp") == hooks.end())
        Stop(std::string("run card: PYAMP: MODE ") + NameOf(mode) +
             " found without its hook, the events would follow the surrogate; add " +
             std::string("USERHOOKS: [PyAmp], or take MODE surrogate"));
}

void CheckSameProcess(const Amplitude& surrogate, const Amplitude& truth) {
    const auto sorted = [](const Amplitude& amplitude) {
        std::vector<int> ids = amplitude.PdgIds();
        std::sort(ids.begin(), ids.begin() + amplitude.NIn());
        std::sort(ids.begin() + amplitude.NIn(), ids.end());
        return ids;
    };
    if (surrogate.NIn() != truth.NIn() || sorted(surrogate) != sorted(truth))
        Stop(surrogate.Source() + ": process " + surrogate.ProcessName() + " found, " + truth.ProcessName() +
             " of TRUTH " + truth.Source() + " expected; give the MODEL and TRUTH of one process");
    const auto orders = [](const Amplitude& amplitude) {
        return "alpha_s^" + std::to_string(amplitude.AlphaSPower()) + " alpha^" +
               std::to_string(amplitude.AlphaPower()) + ", average over " + Short(amplitude.SpinColourAverage());
    };
    if (orders(surrogate) != orders(truth))
        Stop(surrogate.Source() + ": " + orders(surrogate) + " found, " + orders(truth) + " of TRUTH " +
             truth.Source() + " expected; give the MODEL and TRUTH of one process");
}

void CheckProcess(const Amplitude& amplitude, const std::vector<int>& sherpa_pdg_ids, int n_in,
                  const std::vector<double>& orders) {
    const auto sorted = [](std::vector<int> ids, int n) {
        std::sort(ids.begin(), ids.begin() + n);
        std::sort(ids.begin() + n, ids.end());
        return ids;
    };
    if (n_in != amplitude.NIn() || sorted(sherpa_pdg_ids, n_in) != sorted(amplitude.PdgIds(), amplitude.NIn()))
        Stop(amplitude.Source() + ": process " + amplitude.ProcessName() + " found, " +
             ProcessName(sherpa_pdg_ids, n_in) + " of the run card expected; give a model of that process, or " +
             "change PROCESSES");
    const int expected[] = {amplitude.AlphaSPower(), amplitude.AlphaPower()};
    for (std::size_t i = 0; i < 2 && i < orders.size(); ++i)
        // Sherpa fills in 99 for an order that the card leaves open
        if (orders[i] < 90 && orders[i] != expected[i])
            Stop("run card: Order: {QCD: " + Short(orders[0]) + ", EW: " + Short(orders.size() > 1 ? orders[1] : 99) +
                 "} found, {QCD: " + std::to_string(expected[0]) + ", EW: " + std::to_string(expected[1]) + "} of " +
                 amplitude.Source() + " expected; change Order in PROCESSES");
}

std::string Domain(const Amplitude& surrogate) {
    const auto [lower, upper] = EnergyRange(surrogate);
    const auto& domain = surrogate.Description().at("domain");
    return "sqrt(s_hat) " + Short(lower) + " to " + Short(upper) + " GeV, cuts " +
           (domain.contains("cuts") ? domain.at("cuts").dump() : "none");
}

void CheckDomain(const Amplitude& surrogate, OutsideDomain policy) {
    try {
        for (const auto& gap : {EnergyGap(surrogate), CutGap(surrogate)}) {
            if (gap.empty()) continue;
            if (policy == OutsideDomain::error)
                Stop(surrogate.Source() + ": the domain of the model does not cover the run: " + gap +
                     "; train on a wider domain, tighten the run, or give PYAMP: {OUTSIDE_DOMAIN: truth}");
            msg_Out() << "pyamp: note: " << surrogate.Source() << ": " << gap << "; points outside go to the truth"
                      << std::endl;
        }
    } catch (const nlohmann::json::exception& error) {
        Stop(surrogate.Source() + ": its domain cannot be read (" + error.what() +
             "); use the libpyamp.so built with this plugin");
    }
}

double ChooseXMax(double from_card, const Amplitude& surrogate) {
    if (from_card > 0.0) return from_card;
    const auto& description = surrogate.Description();
    const auto metrics = description.find("metrics");
    if (metrics != description.end() && metrics->is_object()) {
        const auto x_max = metrics->find("x_max");
        if (x_max != metrics->end() && x_max->is_number() && x_max->get<double>() > 0.0) return x_max->get<double>();
    }
    Stop(surrogate.Source() + ": no x_max found among its metrics, MODE two_stage needs one; give PYAMP: {X_MAX: " +
         "number}, about the largest truth/surrogate that is to be unweighted, or X_MAX: auto for a warm-up");
}

bool SameInvariants(const ATOOLS::Vec4D_Vector& a, const ATOOLS::Vec4D_Vector& b) {
    if (a.size() != b.size() || a.size() < 2) return false;
    const double s = (b[0] + b[1]).Abs2();
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (std::abs(a[i] * a[j] - b[i] * b[j]) > 1e-6 * s) return false;
    return true;
}

}  // namespace PyAmp
