// Sources of truth by name: the built-in amplitudes and BLHA providers.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "amplitudes/amplitude_provider.h"

namespace pyamp {

/// Whether a source is "builtin:NAME" or "blha:LIBRARY".
bool is_truth(const std::string& source);

/// @param source "builtin:NAME" or "blha:LIBRARY"
/// @param blha   options of the provider, amplitudes/blha/options.h; empty for a built-in
std::unique_ptr<AmplitudeProvider> open_amplitude(const std::string& source, const nlohmann::json& blha);

}  // namespace pyamp
