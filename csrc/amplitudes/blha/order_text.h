// Order and contract files of the Binoth Les Houches Accord (arXiv:1001.1307, 1308.3462): lines of settings and
// processes, in a contract each with the provider's answer behind a bar.
#pragma once

#include <string>
#include <vector>

#include "amplitudes/amplitude_provider.h"
#include "amplitudes/process_text.h"

namespace pyamp::blha {

struct Line {
    enum class Kind { empty, setting, process };
    Kind kind = Kind::empty;
    std::string text;   ///< as it stands in the file, without answer and comment
    std::string key;    ///< of a setting
    std::string value;  ///< of a setting, words separated by one blank
    Process process;    ///< of a process line; without a name
    bool answered = false;
    std::string answer;  ///< behind the bar, trimmed
};

/// @throws pyamp::Error if the file cannot be read or a process line is malformed
std::vector<Line> read_lines(const std::string& path);
Line parse_line(const std::string& text, const std::string& where);

/// For every leg of `wanted` the leg of `given` that is the same particle on the same side; empty if there is none.
std::vector<int> map_legs(const Process& wanted, const Process& given);

std::string lower_case(std::string text);

}  // namespace pyamp::blha
