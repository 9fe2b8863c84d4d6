// The options of a matrix element, and the small file that carries them: a provider card.
#include "capi/options.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "amplitudes/amplitude_provider.h"
#include "amplitudes/open.h"
#include "error.h"
#include "nearest_name.h"

namespace pyamp::capi {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

struct Key {
    const char* name;
    const char* expected;
    bool (*accepts)(const json&);
};

const std::vector<Key>& known_keys() {
    static const auto is_positive = [](const json& v) { return v.is_number() && is_coupling(v.get<double>()); };
    static const auto is_text = [](const json& v) { return v.is_string(); };
    static const auto is_switch = [](const json& v) { return v.is_boolean(); };
    static const auto is_block = [](const json& v) { return v.is_object(); };
    static const std::vector<Key> keys = {{"alpha", "a positive number", is_positive},
                                          {"backend", "a string", is_text},
                                          {"alpha_s", "a positive number", is_positive},
                                          {"blha", "a block of keys", is_block},
                                          {"device", "a string", is_text},
                                          {"dtype", "a string", is_text},
                                          {"identical_particle_factor", "true or false", is_switch},
                                          {"policy", "a string", is_text},
                                          {"tensor_cores", "true or false", is_switch},
                                          {"tree", "a block of keys", is_block},
                                          {"truth", "a string", is_text},
                                          {"weights", "a string", is_text}};
    return keys;
}

void check_options(const json& options, const std::string& where) {
    for (const auto& [name, value] : options.items()) {
        const Key* known = nullptr;
        std::vector<std::string> names;
        for (const Key& key : known_keys()) {
            names.push_back(key.name);
            if (name == key.name) known = &key;
        }
        if (!known)
            throw Error(where + ": unknown key '" + name + "'; did you mean '" + nearest_name(name, names) + "'?");
        if (!known->accepts(value))
            throw Error(where + ": '" + name + "' is " + value.dump() + ", " + known->expected + " expected");
    }
}

bool has_extension(const std::string& path, std::initializer_list<const char*> extensions) {
    for (const char* extension : extensions)
        if (path.ends_with(extension)) return true;
    return false;
}

bool is_path(const std::string& source) { return !is_truth(source); }

/// A path of a card is meant from the folder of the card.
std::string beside(const std::string& card, const std::string& path) {
    return fs::path(path).is_absolute() ? path : (fs::path(card).parent_path() / path).string();
}

Request read_card(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw Error(path + ": cannot be opened; the path of a provider card expected");
    std::stringstream text;
    text << file.rdbuf();
    Request request{"", json::parse(text.str(), nullptr, /*allow_exceptions=*/false)};
    if (!request.options.is_object())
        throw Error(path +
                    ": no JSON object found, {\"source\": ...} expected; pyamp.provider_card(\"CARD.yaml\") writes "
                    "a YAML card as JSON");
    const auto source = request.options.find("source");
    if (source == request.options.end() || !source->is_string())
        throw Error(path +
                    ": key 'source' is missing or no string; \"builtin:NAME\", \"tree:PROCESS\", \"blha:LIBRARY\" or "
                    "the path of a model file expected");
    request.source = source->get<std::string>();
    request.options.erase(source);
    check_options(request.options, path);
    if (is_path(request.source)) {
        if (!has_extension(request.source, {".safetensors"}))
            throw Error(path + ": 'source' is \"" + request.source +
                        "\"; \"builtin:NAME\", \"tree:PROCESS\", \"blha:LIBRARY\" or the path of a model file "
                        ".safetensors expected");
        request.source = beside(path, request.source);
    }
    return request;
}

}  // namespace

Request read_request(const std::string& source, const std::string& text) {
    const auto options = text.empty() ? json::object() : json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!options.is_object()) throw Error("options: '" + text + "', a JSON object expected");
    check_options(options, "options");
    if (!is_path(source) || !has_extension(source, {".json", ".yaml", ".yml"})) return {source, options};
    Request request = read_card(source);
    request.options.update(options);
    return request;
}

}  // namespace pyamp::capi
