// Typed access to the JSON header of a model file, with errors that say file, key, found, expected.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pyamp {

class HeaderReader {
 public:
    /// A JSON object with exactly these keys.
    HeaderReader(const nlohmann::json& object, std::string path, std::string where,
                 std::initializer_list<const char*> keys);

    HeaderReader object(const char* key, std::initializer_list<const char*> keys) const;
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
    const nlohmann::json* object_;
    std::string path_, where_;
};

}  // namespace pyamp
