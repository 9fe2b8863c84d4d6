// Cuts on the outgoing legs: the one implementation for sampling, datasets and the evaluator's domain check.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace pyamp {

/// Cuts as data, bound to the legs of one process. Keys of the JSON object, all optional:
///   pt_min       {"22": [40, 30], "21": 20}  the i-th hardest leg of that species must exceed the i-th value in GeV;
///                                            the last value repeats
///   abs_eta_max  {"22": 2.37}                |eta| of every leg of that species, eta = asinh(pz / pT)
///   delta_r_min  {"22,21": 0.4}              sqrt(delta eta^2 + delta phi^2) of every pair of those species
/// A species is a positive PDG id and covers the antiparticle. Cuts hold in the frame of the momenta given, which
/// for hadronic beams is the laboratory. All comparisons are strict, so that NaN never passes.
class Cuts {
 public:
    static constexpr int max_outgoing = 16;

    struct PtRule {
        std::vector<int> legs;
        std::vector<double> squared_minima;  ///< one per leg, hardest first
    };
    struct EtaRule {
        std::vector<int> legs;
        double sinh_maximum;
    };
    struct DeltaRRule {
        std::vector<std::pair<int, int>> pairs;
        double squared_minimum;
        double surely_above, surely_below;  ///< of cosh(delta eta) - cos(delta phi)
    };

    Cuts() = default;  ///< no cut: everything passes

    /// @param cuts the JSON object above; null means no cut
    /// @throws pyamp::Error for an unknown key (names the nearest known one), a species that is no outgoing leg, a
    ///         value that is no number or negative
    Cuts(const nlohmann::json& cuts, const std::vector<int>& pdg_ids, int n_incoming);
    /// The same from JSON text.
    static Cuts parse(const std::string& json_text, const std::vector<int>& pdg_ids, int n_incoming);

    /// @param momenta (n_legs, 4) contiguous, [E, px, py, pz] in GeV. Allocates nothing.
    bool passes(const double* momenta) const noexcept;

    /// The rules as bound to the legs, for other implementations of passes().
    const std::vector<PtRule>& pt_rules() const { return pt_rules_; }
    const std::vector<EtaRule>& eta_rules() const { return eta_rules_; }
    const std::vector<DeltaRRule>& delta_r_rules() const { return delta_r_rules_; }

 private:
    std::vector<PtRule> pt_rules_;
    std::vector<EtaRule> eta_rules_;
    std::vector<DeltaRRule> delta_r_rules_;
};

}  // namespace pyamp
