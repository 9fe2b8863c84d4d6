// Whole numbers in text.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

namespace pyamp {

/// The number that the whole text is, or none.
inline std::optional<int> whole_number(const std::string& text) {
    std::size_t used = 0;
    try {
        const int value = std::stoi(text, &used);
        if (used == text.size()) return value;
    } catch (const std::logic_error&) {
    }
    return std::nullopt;
}

}  // namespace pyamp
