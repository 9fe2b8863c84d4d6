// Typed access to the JSON header of a model file.
#include "model_file/header_reader.h"

#include <algorithm>
#include <cmath>

#include "error.h"

namespace pyamp {
namespace {

std::string shortened(const nlohmann::json& value) {
    const std::string text = value.dump();
    return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

bool is_int(const nlohmann::json& value) {
    return value.is_number_integer() && value.get<double>() == static_cast<double>(value.get<int>());
}

}  // namespace

HeaderReader::HeaderReader(const nlohmann::json& object, std::string path, std::string where, Keys keys,
                           Keys optional)
    : HeaderReader(object, std::move(path), std::move(where)) {
    require_object();
    for (const auto* key : keys) require(key);
    const auto is_in = [](Keys list, const std::string& key) {
        return std::any_of(list.begin(), list.end(), [&](const char* known) { return key == known; });
    };
    for (const auto& [key, value] : object.items())
        if (!is_in(keys, key) && !is_in(optional, key))
            throw Error(path_ + ": " + own_name() + " has '" + key +
                        "', unknown to this version of pyamp; update pyamp or export the model again");
}

std::string HeaderReader::own_name() const { return where_.empty() ? "header" : "header key '" + where_ + "'"; }

void HeaderReader::require_object() const {
    if (!object_->is_object())
        throw Error(path_ + ": " + own_name() + " is " + shortened(*object_) +
                    ", an object expected; export the model again");
}

void HeaderReader::require(const char* key) const {
    if (!object_->contains(key))
        throw Error(path_ + ": " + own_name() + " lacks '" + key +
                    "', which format version 1 requires; export the model again");
}

void HeaderReader::refuse(const char* key, const std::string& expected) const {
    throw Error(path_ + ": header key '" + name_of(key) + "' is " + shortened(raw(key)) + ", " + expected +
                " expected; export the model again");
}

HeaderReader HeaderReader::object(const char* key, Keys keys, Keys optional) const {
    return {raw(key), path_, name_of(key), keys, optional};
}

std::vector<HeaderReader> HeaderReader::objects(const char* key, Keys keys) const {
    if (!raw(key).is_array()) {
        std::string list;
        for (const auto* name : keys) list += (list.empty() ? "" : ", ") + std::string(name);
        refuse(key, "a list of {" + list + "}");
    }
    std::vector<HeaderReader> result;
    for (const auto& entry : raw(key)) result.push_back({entry, path_, name_of(key), keys});
    return result;
}

std::string HeaderReader::type_of(const char* key, const std::vector<std::string>& choices) const {
    const auto entry = section(key);
    entry.require_object();
    entry.require("type");
    return entry.choice("type", choices);
}

bool HeaderReader::boolean(const char* key) const {
    if (!raw(key).is_boolean()) refuse(key, "true or false");
    return raw(key).get<bool>();
}

double HeaderReader::number(const char* key) const {
    if (!raw(key).is_number() || !std::isfinite(raw(key).get<double>())) refuse(key, "a finite number");
    return raw(key).get<double>();
}

double HeaderReader::positive(const char* key) const {
    if (!raw(key).is_number() || !(raw(key).get<double>() > 0.0)) refuse(key, "a positive number");
    return raw(key).get<double>();
}

int HeaderReader::integer(const char* key) const {
    if (!is_int(raw(key))) refuse(key, "an integer");
    return raw(key).get<int>();
}

std::string HeaderReader::text(const char* key) const {
    if (!raw(key).is_string()) refuse(key, "a string");
    return raw(key).get<std::string>();
}

std::string HeaderReader::choice(const char* key, const std::vector<std::string>& choices) const {
    if (raw(key).is_string() && std::find(choices.begin(), choices.end(), raw(key)) != choices.end())
        return text(key);
    std::string list;
    for (const auto& choice : choices) list += (list.empty() ? "" : " or ") + choice;
    refuse(key, list);
}

std::vector<double> HeaderReader::numbers(const char* key, std::size_t size) const {
    const auto& value = raw(key);
    const auto is_finite = [](const nlohmann::json& x) { return x.is_number() && std::isfinite(x.get<double>()); };
    if (!value.is_array() || value.size() != size || !std::all_of(value.begin(), value.end(), is_finite))
        refuse(key, std::to_string(size) + " finite numbers");
    return value.get<std::vector<double>>();
}

std::vector<int> HeaderReader::integers(const char* key) const {
    const auto& value = raw(key);
    if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_int)) refuse(key, "a list of integers");
    return value.get<std::vector<int>>();
}

}  // namespace pyamp
