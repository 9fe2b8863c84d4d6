// A block of the run card, read strictly.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "block.H"
#include "nearest_name.h"
#include "stop.H"

namespace PyAmp {
namespace {

/// The known key most like a name, in whatever case that is written.
std::string Nearest(const std::string& name, const std::vector<std::string>& known) {
    std::string upper = name;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return pyamp::nearest_name(upper, known);
}

std::string Joined(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

std::string Short(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

}  // namespace

Block::Block(const std::string& name, const std::vector<std::string>& known_keys, const std::string& example)
    : m_name(name), m_block(ATOOLS::Settings::GetMainSettings()[name]) {
    if (m_block.IsScalar() || m_block.IsList())
        Stop("run card: " + name + " is no block of keys; write " + name + ": {" + example + ", ...}");
    for (const auto& key : m_block.GetKeys())
        if (std::find(known_keys.begin(), known_keys.end(), key) == known_keys.end())
            Stop("run card: unknown key " + key + " in " + name + "; the nearest known one is " +
                 Nearest(key, known_keys) + " (known: " + Joined(known_keys) + ")");
}

std::string Block::Text(const std::string& key, const std::string& fallback) {
    ATOOLS::Scoped_Settings value = m_block[key];
    if (value.IsList() || value.IsMap()) Stop("run card: " + m_name + ": " + key + " takes a single value");
    return value.SetDefault(fallback).Get<std::string>();
}

double Block::Number(const std::string& key, double fallback, double minimum, double maximum, bool whole,
                     const std::string& or_else) {
    const std::string found = Text(key, "");
    if (found.empty()) return fallback;
    char* end = nullptr;
    const double value = std::strtod(found.c_str(), &end);
    if (*end != '\0' || !(value > minimum) || !(value <= maximum) || (whole && value != std::floor(value)))
        Stop("run card: " + m_name + ": " + key + " is " + found + "; give " +
             (whole ? "a whole number" : "a number") + " above " + Short(minimum) + " and not above " +
             Short(maximum) + or_else);
    return value;
}

void Block::StopAtChoice(const std::string& key, const std::string& found,
                         const std::vector<std::string>& names) const {
    Stop("run card: " + m_name + ": " + key + " is " + (found.empty() ? "missing" : found) + "; give one of " +
         Joined(names));
}

}  // namespace PyAmp
