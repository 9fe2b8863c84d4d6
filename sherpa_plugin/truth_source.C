// Reading TRUTH.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "stop.H"
#include "truth_source.H"

namespace PyAmp {
namespace {

using nlohmann::json;

std::string Text(ATOOLS::Scoped_Settings value) { return value.SetDefault("").Get<std::string>(); }

/// What a text of the card means: a switch, a number, or itself.
json Typed(const std::string& text) {
    if (text == "true" || text == "false") return text == "true";
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0') return text;
    const auto whole = static_cast<long>(number);
    return static_cast<double>(whole) == number ? json(whole) : json(number);
}

json Value(ATOOLS::Scoped_Settings value) {
    if (value.IsMap()) {
        json table = json::object();
        for (const auto& key : value.GetKeys()) table[key] = Typed(Text(value[key]));
        return table;
    }
    if (value.IsList()) return value.SetDefault(std::vector<std::string>{}).GetVector<std::string>();
    return Typed(Text(value));
}

TruthSource FromBlock(ATOOLS::Scoped_Settings block) {
    TruthSource truth{"", {{"blha", json::object()}}};
    for (const auto& key : block.GetKeys())
        if (key == "blha")
            truth.source = "blha:" + Text(block[key]);
        else
            truth.options["blha"][key] = Value(block[key]);
    if (truth.source.empty() || truth.source == "blha:")
        Stop(
            "run card: PYAMP: TRUTH is a block without blha; write TRUTH: {blha: /path/libNAME.so, preset: "
            "openloops}");
    return truth;
}

}  // namespace

TruthSource ReadTruth(ATOOLS::Scoped_Settings value) {
    TruthSource truth{"", json::object()};
    if (value.IsMap()) {
        truth = FromBlock(value);
    } else {
        if (value.IsList()) Stop("run card: PYAMP: TRUTH takes a single value or a block");
        truth.source = value.SetDefault("builtin:gg_to_aag").Get<std::string>();
        // Sherpa turns "builtin:NAME" of the command line into "builtin: NAME"
        truth.source.erase(std::remove(truth.source.begin(), truth.source.end(), ' '), truth.source.end());
        const bool is_card =
            truth.source.find(".json") != std::string::npos || truth.source.find(".yaml") != std::string::npos;
        if (!is_card && truth.source.find(':') == std::string::npos) truth.source = "builtin:" + truth.source;
    }
    truth.options["policy"] = "nan";
    truth.options["identical_particle_factor"] = false;  // Sherpa has its own
    return truth;
}

}  // namespace PyAmp
