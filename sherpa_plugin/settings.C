// Reading and checking the block PYAMP: of the run card.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <vector>

#include "ATOOLS/Org/Scoped_Settings.H"
#include "nearest_name.h"
#include "settings.H"
#include "stop.H"

namespace PyAmp {
namespace {

const std::vector<std::string> known_keys = {"MODE",           "MODEL",        "TRUTH",         "X_MAX",
                                             "OUTSIDE_DOMAIN", "SEED",         "SUMMARY",       "LIBRARY",
                                             "DTYPE",          "EPSILON_FULL", "RECORD_POINTS", "RECORD_FILE"};

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

/// The block, with every value read as text: Sherpa's own conversions turn a misspelt number into something else.
class Block {
 public:
    Block() : m_block(ATOOLS::Settings::GetMainSettings()["PYAMP"]) {
        if (m_block.IsScalar() || m_block.IsList())
            Stop("run card: PYAMP is no block of keys; write PYAMP: {MODE: two_stage, MODEL: path, ...}");
        for (const auto& key : m_block.GetKeys())
            if (std::find(known_keys.begin(), known_keys.end(), key) == known_keys.end())
                Stop("run card: unknown key " + key + " in PYAMP; the nearest known one is " +
                     Nearest(key, known_keys) + " (known: " + Joined(known_keys) + ")");
    }

    ATOOLS::Scoped_Settings operator[](const std::string& key) { return m_block[key]; }

    std::string Text(const std::string& key, const std::string& fallback) {
        ATOOLS::Scoped_Settings value = m_block[key];
        if (value.IsList() || value.IsMap()) Stop("run card: PYAMP: " + key + " takes a single value");
        return value.SetDefault(fallback).Get<std::string>();
    }

    template <class Choice>
    Choice One(const std::string& key, const std::string& fallback, const std::map<std::string, Choice>& choices) {
        const std::string found = Text(key, fallback);
        const auto choice = choices.find(found);
        if (choice != choices.end()) return choice->second;
        std::vector<std::string> names;
        for (const auto& entry : choices) names.push_back(entry.first);
        Stop("run card: PYAMP: " + key + " is " + (found.empty() ? "missing" : found) + "; give one of " +
             Joined(names));
    }

    /// @param minimum exclusive
    double Number(const std::string& key, double fallback, double minimum, double maximum, bool whole) {
        const std::string found = Text(key, "");
        if (found.empty()) return fallback;
        char* end = nullptr;
        const double value = std::strtod(found.c_str(), &end);
        if (*end != '\0' || !(value > minimum) || !(value <= maximum) || (whole && value != std::floor(value)))
            Stop("run card: PYAMP: " + key + " is " + found + "; give " + (whole ? "a whole number" : "a number") +
                 " above " + Short(minimum) + " and not above " + Short(maximum));
        return value;
    }

 private:
    static std::string Short(double value) {
        char text[32];
        std::snprintf(text, sizeof text, "%g", value);
        return text;
    }

    ATOOLS::Scoped_Settings m_block;
};

}  // namespace

const char* NameOf(Mode mode) {
    return mode == Mode::truth ? "truth" : mode == Mode::surrogate ? "surrogate" : "two_stage";
}

Settings Settings::FromCard() {
    Block block;
    Settings s;
    s.mode = block.One<Mode>(
        "MODE", "", {{"truth", Mode::truth}, {"surrogate", Mode::surrogate}, {"two_stage", Mode::two_stage}});
    s.model = block.Text("MODEL", "");
    if (s.mode == Mode::truth)
        s.model.clear();  // so that one card serves all modes
    else if (s.model.empty())
        Stop(std::string("run card: PYAMP: MODEL is missing, MODE ") + NameOf(s.mode) +
             " needs it; give the path of a model file");
    s.truth = ReadTruth(block["TRUTH"]);
    s.library = block.Text("LIBRARY", PYAMP_LIBRARY);
    s.dtype =
        block.One<std::string>("DTYPE", "default", {{"default", ""}, {"float32", "float32"}, {"float64", "float64"}});
    s.summary = block.Text("SUMMARY", "");
    s.outside_domain = block.One<OutsideDomain>("OUTSIDE_DOMAIN", "truth",
                                                {{"truth", OutsideDomain::truth}, {"error", OutsideDomain::error}});
    s.x_max = block.Number("X_MAX", 0.0, 0.0, 1e30, false);
    s.epsilon_full = block.Number("EPSILON_FULL", 0.0, 0.0, 1.0, false);
    s.seed = static_cast<unsigned long>(block.Number("SEED", 1.0, -1.0, 4294967295.0, true));
    s.record_points = static_cast<long>(block.Number("RECORD_POINTS", 0.0, -1.0, 1e9, true));
    s.record_file = block.Text("RECORD_FILE", "pyamp_points.csv");
    return s;
}

}  // namespace PyAmp
