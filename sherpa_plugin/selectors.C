// What the card's SELECTORS guarantee for the legs of a process.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
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

/// Limits on pairs or species if both hold, or one of the two: then those that both have.
/// @param pick the tighter or the looser of two limits
template <class Limits, class Pick>
Limits Combined(const Limits& a, const Limits& b, bool both, Pick pick) {
    Limits combined;
    for (const auto& [key, limit] : a) {
        const auto other = b.find(key);
        if (other != b.end())
            combined[key] = pick(limit, other->second);
        else if (both)
            combined[key] = limit;
    }
    if (both) combined.insert(b.begin(), b.end());  // keeps what is there
    return combined;
}

/// Both hold (tighter wins), or one of the two holds (looser wins).
GuaranteedCuts Combined(const GuaranteedCuts& a, const GuaranteedCuts& b, bool both) {
    const auto lower = [both](double x, double y) { return both ? std::max(x, y) : std::min(x, y); };
    const auto upper = [both](double x, double y) { return both ? std::min(x, y) : std::max(x, y); };
    const auto range = [&](const Mass2Range& x, const Mass2Range& y) {
        return Mass2Range{lower(x.min, y.min), upper(x.max, y.max)};
    };
    GuaranteedCuts cuts = a;
    for (auto& [id, minima] : cuts.pt_min)
        for (std::size_t i = 0; i < minima.size(); ++i) minima[i] = lower(minima[i], b.pt_min.at(id)[i]);
    cuts.abs_eta_max = Combined(a.abs_eta_max, b.abs_eta_max, both, upper);
    cuts.delta_r_min = Combined(a.delta_r_min, b.delta_r_min, both, lower);
    cuts.mass2 = Combined(a.mass2, b.mass2, both, range);
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
    if (words.size() == 5 && (words[0] == "DR" || words[0] == "Mass"))
        for (std::size_t i = 0; i < pdg_ids.size(); ++i)
            for (std::size_t j = 0; j < pdg_ids.size(); ++j) {
                const int a = pdg_ids[i], b = pdg_ids[j];
                if (i == j || !(Covers(id(1), a) && Covers(id(2), b))) continue;
                if (words[0] == "DR")
                    cuts.delta_r_min[std::minmax(std::abs(a), std::abs(b))] = number(3);
                else
                    cuts.mass2[std::minmax(a, b)] = {std::pow(number(3), 2), std::pow(number(4), 2)};
            }
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

Mass2Range GuaranteedCuts::Mass2(const std::vector<int>& pdg_ids, const std::vector<int>& legs) const {
    Mass2Range sum{0.0, legs.size() == 2 ? std::numeric_limits<double>::max() : 0.0};
    for (std::size_t i = 0; i < legs.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const int id = pdg_ids[legs[i]], other_id = pdg_ids[legs[j]];
            const int a = std::abs(id), b = std::abs(other_id);
            const auto distance = delta_r_min.find(std::minmax(a, b));
            const double apart = distance == delta_r_min.end() ? 0.0 : std::min(distance->second, M_PI);
            Mass2Range pair{2.0 * pt_min.at(a).back() * pt_min.at(b).back() * (1.0 - std::cos(apart)),
                            std::numeric_limits<double>::max()};
            const auto own = mass2.find(std::minmax(id, other_id));
            if (own != mass2.end()) pair = {std::max(pair.min, own->second.min), own->second.max};
            sum = {sum.min + pair.min, sum.max + pair.max};
        }
    return sum;
}

}  // namespace PyAmp
