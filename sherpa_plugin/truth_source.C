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

const std::string tree = "tree:";

TruthSource FromBlock(ATOOLS::Scoped_Settings block) {
    const auto keys = block.GetKeys();
    const auto has = [&](const std::string& key) { return std::find(keys.begin(), keys.end(), key) != keys.end(); };
    const std::string kind = has("tree") ? "tree" : "blha";
    TruthSource truth{kind + ":", {{kind, json::object()}}};
    for (const auto& key : keys)
        if (key == kind)
            truth.source += Text(block[key]);
        else
            truth.options[kind][key] = Value(block[key]);
    if (truth.source == kind + ":")
        Stop(
            "run card: PYAMP: TRUTH is a block without blha and tree; write TRUTH: {blha: /path/libNAME.so, preset: "
            "openloops} or TRUTH: {tree: 21 21 -> 11 -11 1 -1}");
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
        for (const std::string& prefix : {std::string("builtin:"), std::string("blha:"), tree})
            if (truth.source.rfind(prefix + " ", 0) == 0) truth.source.erase(prefix.size(), 1);
        const bool is_card =
            truth.source.find(".json") != std::string::npos || truth.source.find(".yaml") != std::string::npos;
        if (!is_card && truth.source.find(':') == std::string::npos) truth.source = "builtin:" + truth.source;
    }
    truth.options["policy"] = "nan";
    truth.options["identical_particle_factor"] = false;  // Sherpa has its own
    return truth;
}

}  // namespace PyAmp
