// How to talk to a BLHA provider: what to order, and the conventions in which providers differ.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace pyamp::blha {

struct Options {
    std::string library;  ///< path of the provider
    std::string preset = "blha2";

    std::string order;     ///< path of the order file; written if it does not exist; empty: a temporary one
    std::string contract;  ///< path of a contract made ahead; empty: the provider writes it at its start
    std::string process;   ///< "21 21 -> 22 22 21"; may be empty where order or contract has a single one
    std::string name;      ///< of the process; empty: that of the built-in of the same process, or its PDG ids
    std::vector<std::string> order_lines;           ///< put into a written order before the process
    std::optional<int> alpha_s_power, alpha_power;  ///< of |M|^2; those of the built-in of the same process

    int result_index = 0;                   ///< where |M|^2 stands in the result
    bool identical_particle_factor = true;  ///< whether it includes 1/n!
    bool averaged = true;                   ///< whether it is averaged over initial states
    std::string evaluate = "OLP_EvalSubProcess2";
    std::string accuracy = "argument";  ///< where the accuracy comes from: "argument" of the call, or "rotation"
    double accuracy_limit = 1e-3;       ///< relative; worse points are tried again rotated
    double scale = 91.1876;             ///< renormalisation scale in GeV
    std::string alpha_s_parameter = "alphas";
    std::string alpha_parameter = "alpha";
    std::map<std::string, double> parameters;        ///< set after the start
    std::map<std::string, std::string> environment;  ///< set before the library is opened

    bool check = true;                                 ///< compare reference points and couplings at the start
    bool isolated = true;                              ///< in a process of its own
    double timeout_s = 60.0, start_timeout_s = 600.0;  ///< for a point, for the start; isolated only
    std::string log;  ///< file for what the provider prints; isolated only; empty: dropped with the last line kept
};

/// @param library path of the provider
/// @param block   JSON object; the keys have the names of the members above
/// @throws pyamp::Error for unknown keys, values of the wrong kind and choices that do not fit each other
Options read_options(const std::string& library, const nlohmann::json& block);

}  // namespace pyamp::blha
