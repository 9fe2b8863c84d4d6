// Strict reading of the options of a BLHA provider.
#include "amplitudes/blha/options.h"

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "error.h"
#include "nearest_name.h"

namespace pyamp::blha {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& key, const json& value, const std::string& expected) {
    throw Error("blha: '" + key + "' is " + value.dump() + ", " + expected + " expected");
}

using Reader = std::function<void(const std::string& key, const json& value)>;

Reader text(std::string& target) {
    return [&target](const std::string& key, const json& value) {
        if (!value.is_string()) refuse(key, value, "a string");
        target = value.get<std::string>();
    };
}

Reader one_of(std::string& target, std::vector<std::string> choices) {
    return [&target, choices](const std::string& key, const json& value) {
        std::string known;
        for (const auto& choice : choices) {
            if (value == choice) {
                target = choice;
                return;
            }
            known += (known.empty() ? "" : ", ") + choice;
        }
        refuse(key, value, "one of " + known);
    };
}

Reader flag(bool& target) {
    return [&target](const std::string& key, const json& value) {
        if (!value.is_boolean()) refuse(key, value, "true or false");
        target = value.get<bool>();
    };
}

Reader positive(double& target) {
    return [&target](const std::string& key, const json& value) {
        if (!value.is_number() || !(value.get<double>() > 0.0) || !std::isfinite(value.get<double>()))
            refuse(key, value, "a positive number");
        target = value.get<double>();
    };
}

template <typename Integer>
Reader whole(Integer& target, int maximum) {
    return [&target, maximum](const std::string& key, const json& value) {
        if (!value.is_number_integer() || value.get<int>() < 0 || value.get<int>() > maximum)
            refuse(key, value, "a whole number from 0 to " + std::to_string(maximum));
        target = value.get<int>();
    };
}

Reader texts(std::vector<std::string>& target) {
    return [&target](const std::string& key, const json& value) {
        bool good = value.is_array();
        for (const auto& item : value) good = good && item.is_string();
        if (!good) refuse(key, value, "a list of strings");
        target = value.get<std::vector<std::string>>();
    };
}

template <typename Value>
Reader table(std::map<std::string, Value>& target) {
    return [&target](const std::string& key, const json& value) {
        bool good = value.is_object();
        for (const auto& item : value)
            good = good && (std::is_same_v<Value, double> ? item.is_number() : item.is_string());
        if (!good) refuse(key, value, std::is_same_v<Value, double> ? "names and numbers" : "names and strings");
        for (const auto& [name, item] : value.items()) target[name] = item.template get<Value>();
    };
}

void apply_preset(Options& options) {
    if (options.preset == "njet") {
        options.result_index = 4;
        options.identical_particle_factor = false;
    }
    // blha2, openloops and sherpa are the defaults; they differ in the order that is written
}

}  // namespace

Options read_options(const std::string& library, const json& block) {
    Options options;
    options.library = library;
    if (library.empty())
        throw Error("blha: the path of the provider's library is missing; blha:/path/libNAME.so expected");
    const std::map<std::string, Reader> readers = {
        {"preset", one_of(options.preset, {"blha2", "njet", "openloops", "sherpa"})},
        {"order", text(options.order)},
        {"contract", text(options.contract)},
        {"process", text(options.process)},
        {"name", text(options.name)},
        {"order_lines", texts(options.order_lines)},
        {"alpha_s_power", whole(options.alpha_s_power, 20)},
        {"alpha_power", whole(options.alpha_power, 20)},
        {"result_index", whole(options.result_index, 63)},
        {"identical_particle_factor", flag(options.identical_particle_factor)},
        {"averaged", flag(options.averaged)},
        {"evaluate", one_of(options.evaluate, {"OLP_EvalSubProcess2", "OLP_EvalSubProcess"})},
        {"accuracy", one_of(options.accuracy, {"argument", "rotation"})},
        {"accuracy_limit", positive(options.accuracy_limit)},
        {"scale", positive(options.scale)},
        {"alpha_s_parameter", text(options.alpha_s_parameter)},
        {"alpha_parameter", text(options.alpha_parameter)},
        {"parameters", table(options.parameters)},
        {"environment", table(options.environment)},
        {"check", flag(options.check)},
        {"isolated", flag(options.isolated)},
        {"timeout_s", positive(options.timeout_s)},
        {"start_timeout_s", positive(options.start_timeout_s)},
        {"log", text(options.log)},
    };
    std::vector<std::string> known;
    for (const auto& [name, reader] : readers) known.push_back(name);
    for (const auto& [key, value] : block.items())
        if (!readers.contains(key))
            throw Error("blha: unknown key '" + key + "'; did you mean '" + nearest_name(key, known) + "'?");
    if (const auto preset = block.find("preset"); preset != block.end()) readers.at("preset")("preset", *preset);
    apply_preset(options);
    for (const auto& [key, value] : block.items()) readers.at(key)(key, value);
    if (options.evaluate == "OLP_EvalSubProcess" && options.accuracy == "argument") {
        if (block.contains("accuracy"))
            throw Error("blha: OLP_EvalSubProcess has no accuracy; 'accuracy': \"rotation\" expected");
        options.accuracy = "rotation";
    }
    if (!options.isolated)
        for (const char* key : {"timeout_s", "start_timeout_s", "log"})
            if (block.contains(key)) throw Error("blha: '" + std::string(key) + "' needs 'isolated': true");
    return options;
}

}  // namespace pyamp::blha
