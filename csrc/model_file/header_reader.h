// Typed access to the JSON header of a model file, with errors that say file, key, found, expected.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pyamp {

class HeaderReader {
 public:
    using Keys = std::initializer_list<const char*>;

    /// A JSON object with all of these keys, perhaps some of the optional ones, and no other.
    HeaderReader(const nlohmann::json& object, std::string path, std::string where, Keys keys, Keys optional = {});

    HeaderReader object(const char* key, Keys keys, Keys optional = {}) const;
    std::vector<HeaderReader> objects(const char* key, Keys keys) const;
    /// The object of a key whose own keys were checked elsewhere: for complaints about it.
    HeaderReader section(const char* key) const { return {raw(key), path_, name_of(key)}; }
    /// "type" of the object of a key, which decides what other keys that has.
    std::string type_of(const char* key, const std::vector<std::string>& choices) const;
    bool has(const char* key) const { return object_->contains(key); }
    bool boolean(const char* key) const;
    double number(const char* key) const;
    double positive(const char* key) const;
    int integer(const char* key) const;
    std::string text(const char* key) const;
    /// One of the choices; what this version cannot do is refused by name.
    std::string choice(const char* key, const std::vector<std::string>& choices) const;
    std::vector<double> numbers(const char* key, std::size_t size) const;
    std::vector<int> integers(const char* key) const;
    const nlohmann::json& raw(const char* key) const { return (*object_)[key]; }

    [[noreturn]] void refuse(const char* key, const std::string& expected) const;

 private:
    HeaderReader(const nlohmann::json& object, std::string path, std::string where)
        : object_(&object), path_(std::move(path)), where_(std::move(where)) {}
    std::string name_of(const char* key) const { return where_.empty() ? key : where_ + "." + key; }
    void require_object() const;
    void require(const char* key) const;
    std::string own_name() const;

    const nlohmann::json* object_;
    std::string path_, where_;
};

}  // namespace pyamp
