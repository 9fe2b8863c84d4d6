// Sources of truth by name: the built-in amplitudes, trees of a quark line and BLHA providers.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "amplitudes/amplitude_provider.h"

namespace pyamp {

/// Whether a source is "builtin:NAME", "tree:PROCESS" or "blha:LIBRARY".
bool is_truth(const std::string& source);

/// Name of the block of options that belongs to a source: "blha" or "tree", or none.
std::string options_block(const std::string& source);

/// @param source  "builtin:NAME", "tree:PROCESS" or "blha:LIBRARY"
/// @param options of a provider, amplitudes/blha/options.h, or of a tree, amplitudes/quark_line/electroweak.h; empty
///                for a built-in
std::unique_ptr<AmplitudeProvider> open_amplitude(const std::string& source, const nlohmann::json& options);

}  // namespace pyamp
