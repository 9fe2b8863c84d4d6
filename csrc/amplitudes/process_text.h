// Processes as text: PDG ids of incoming and outgoing legs, "21 21 -> 22 22 21".
#pragma once

#include <string>

#include "amplitudes/amplitude_provider.h"

namespace pyamp {

std::string process_text(const Process& process);

/// A process without a name.
/// @param where   begins a message
/// @param example of a process, for the message where there is none
/// @throws pyamp::Error if it is malformed
Process parse_process(const std::string& text, const std::string& where,
                      const std::string& example = "21 21 -> 22 22 21");

}  // namespace pyamp
