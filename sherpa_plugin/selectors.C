// What the card's SELECTORS guarantee for the legs of a process.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>

#include "ATOOLS/Phys/Flavour.H"
#include "selectors.H"

namespace PyAmp {
namespace {

using ATOOLS::Flavour;
using ATOOLS::Scoped_Settings;

bool Covers(int selector_id, int pdg_id) {
    const Flavour selected(static_cast<kf_code>(std::abs(selector_id)), selector_id < 0);
    return selected.Includes(Flavour(static_cast<kf_code>(std::abs(pdg_id)), pdg_id < 0));
}

/// No cut at all on the legs of the process.
GuaranteedCuts Nothing(const std::vector<int>& pdg_ids) {
    GuaranteedCuts cuts;
    for (const int id : pdg_ids) cuts.pt_min[std::abs(id)].push_back(0.0);
    return cuts;
}

/// Both hold (tighter wins), or one of the two holds (looser wins).
GuaranteedCuts Combined(const GuaranteedCuts& a, const GuaranteedCuts& b, bool both) {
    GuaranteedCuts cuts = a;
    for (auto& [id, minima] : cuts.pt_min)
        for (std::size_t i = 0; i < minima.size(); ++i) {
            const double other = b.pt_min.at(id)[i];
            minima[i] = both ? std::max(minima[i], other) : std::min(minima[i], other);
        }
    for (const auto& [id, limit] : b.abs_eta_max)
        if (both) cuts.abs_eta_max[id] = a.abs_eta_max.count(id) ? std::min(a.abs_eta_max.at(id), limit) : limit;
    for (const auto& [pair, minimum] : b.delta_r_min)
        if (both)
            cuts.delta_r_min[pair] = std::max(a.delta_r_min.count(pair) ? a.delta_r_min.at(pair) : 0.0, minimum);
    if (both) return cuts;
    for (auto limit = cuts.abs_eta_max.begin(); limit != cuts.abs_eta_max.end();) {
        const auto other = b.abs_eta_max.find(limit->first);
        if (other == b.abs_eta_max.end()) {
            limit = cuts.abs_eta_max.erase(limit);
        } else {
            limit->second = std::max(limit->second, other->second);
            ++limit;
        }
    }
    for (auto minimum = cuts.delta_r_min.begin(); minimum != cuts.delta_r_min.end();) {
        const auto other = b.delta_r_min.find(minimum->first);
        if (other == b.delta_r_min.end()) {
            minimum = cuts.delta_r_min.erase(minimum);
        } else {
            minimum->second = std::min(minimum->second, other->second);
            ++minimum;
        }
    }
    return cuts;
}

/// - [PT, 22, 30, E_CMS] and the like
GuaranteedCuts OfList(Scoped_Settings selector, const std::vector<int>& pdg_ids) {
    GuaranteedCuts cuts = Nothing(pdg_ids);
    const auto words = selector.SetDefault<std::string>({}).GetVector<std::string>();
    const auto number = [&](std::size_t i) { return selector.Interprete<double>(words[i]); };
    const auto id = [&](std::size_t i) { return selector.Interprete<int>(words[i]); };
    if (words.size() == 4 && words[0] == "PT")
        for (auto& [leg, minima] : cuts.pt_min)
            if (Covers(id(1), leg)) std::fill(minima.begin(), minima.end(), number(2));
    if (words.size() == 4 && words[0] == "Eta")
        for (const int leg : pdg_ids)
            if (Covers(id(1), leg))
                cuts.abs_eta_max[std::abs(leg)] = std::max(std::abs(number(2)), std::abs(number(3)));
    if (words.size() == 5 && words[0] == "DR")
        for (const int a : pdg_ids)
            for (const int b : pdg_ids)
                if ((Covers(id(1), a) && Covers(id(2), b)) || (Covers(id(1), b) && Covers(id(2), a)))
                    cuts.delta_r_min[std::minmax(std::abs(a), std::abs(b))] = number(3);
    return cuts;
}

/// VariableSelector of PT: whichever leg is asked for which minimum, the i-th hardest satisfies the i-th largest.
GuaranteedCuts OfVariable(Scoped_Settings selector, const std::vector<int>& pdg_ids) {
    GuaranteedCuts cuts = Nothing(pdg_ids);
    auto s = selector["VariableSelector"];
    s.DeclareVectorSettingsWithEmptyDefault({"Flavs", "Ordering"});
    s.DeclareMatrixSettingsWithEmptyDefault({"Ranges"});
    const auto flavours = s["Flavs"].SetSynonyms({"Flavours", "Flavors"}).GetVector<int>();
    if (s["Variable"].SetDefault("").Get<std::string>() != "PT" || flavours.size() != 1) return cuts;
    std::vector<double> lower;
    for (const auto& range : s["Ranges"].GetMatrix<double>())
        if (range.size() == 2) lower.push_back(range[0]);
    for (auto& [leg, minima] : cuts.pt_min) {
        if (!Covers(flavours[0], leg)) continue;
        std::vector<double> used(lower.begin(), lower.begin() + std::min(lower.size(), minima.size()));
        std::sort(used.begin(), used.end(), std::greater<double>());
        std::copy(used.begin(), used.end(), minima.begin());
    }
    return cuts;
}

GuaranteedCuts OfOne(Scoped_Settings selector, const std::vector<int>& pdg_ids) {
    if (selector.IsList()) return OfList(selector, pdg_ids);
    const auto keys = selector.GetKeys();
    const std::string name = keys.size() == 1 ? keys[0] : "";
    if (name == "VariableSelector") return OfVariable(selector, pdg_ids);
    if (name != "MinSelector") return Nothing(pdg_ids);
    std::optional<GuaranteedCuts> any;
    for (auto& alternative : selector[name]["Subselectors"].GetItems()) {
        const GuaranteedCuts cuts = OfOne(alternative, pdg_ids);
        any = any ? Combined(*any, cuts, false) : cuts;
    }
    return any ? *any : Nothing(pdg_ids);
}

}  // namespace

GuaranteedCuts GuaranteedCuts::Of(const Scoped_Settings& selectors, const std::vector<int>& pdg_ids) {
    GuaranteedCuts all = Nothing(pdg_ids);
    for (auto& selector : selectors.GetItems()) all = Combined(all, OfOne(selector, pdg_ids), true);
    return all;
}

GuaranteedCuts GuaranteedCuts::FromCard(const std::vector<int>& pdg_ids) {
    return Of(ATOOLS::Settings::GetMainSettings()["SELECTORS"], pdg_ids);
}

double GuaranteedCuts::Mass2Min(const std::vector<int>& pdg_ids, const std::vector<int>& legs) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < legs.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const int a = std::abs(pdg_ids[legs[i]]), b = std::abs(pdg_ids[legs[j]]);
            const auto distance = delta_r_min.find(std::minmax(a, b));
            if (distance == delta_r_min.end()) continue;
            sum +=
                2.0 * pt_min.at(a).back() * pt_min.at(b).back() * (1.0 - std::cos(std::min(distance->second, M_PI)));
        }
    return sum;
}

}  // namespace PyAmp
