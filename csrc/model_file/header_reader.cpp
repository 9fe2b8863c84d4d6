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

HeaderReader::HeaderReader(const nlohmann::json& object, std::string path, std::string where,
                           std::initializer_list<const char*> keys)
    : object_(&object), path_(std::move(path)), where_(std::move(where)) {
    const std::string name = where_.empty() ? "header" : "header key '" + where_ + "'";
    if (!object.is_object())
        throw Error(path_ + ": " + name + " is " + shortened(object) +
                    ", an object expected; export the model again");
    for (const auto* key : keys)
        if (!object.contains(key))
            throw Error(path_ + ": " + name + " lacks '" + key +
                        "', which format version 1 requires; export the model again");
    for (const auto& [key, value] : object.items())
        if (std::none_of(keys.begin(), keys.end(), [&](const char* known) { return key == known; }))
            throw Error(path_ + ": " + name + " has '" + key +
                        "', unknown to this version of pyamp; update pyamp or export the model again");
}

void HeaderReader::refuse(const char* key, const std::string& expected) const {
    throw Error(path_ + ": header key '" + (where_.empty() ? "" : where_ + ".") + key + "' is " +
                shortened(raw(key)) + ", " + expected + " expected; export the model again");
}

HeaderReader HeaderReader::object(const char* key, std::initializer_list<const char*> keys) const {
    return {raw(key), path_, where_.empty() ? key : where_ + "." + key, keys};
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
