// The options of a matrix element, and the small file that carries them: a provider card.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace pyamp::capi {

/// What to open and how.
struct Request {
    std::string source;  ///< path of a model file, "builtin:NAME", "tree:PROCESS" or "blha:PATH"
    nlohmann::json options = nlohmann::json::object();
};

/// The request of pyamp_open. A card's own options are replaced by those given with it.
///
/// @param source  as in Request, or the path of a provider card
/// @param options JSON text of an object, may be empty
/// @throws pyamp::Error for unknown keys and values of the wrong kind
Request read_request(const std::string& source, const std::string& options);

}  // namespace pyamp::capi
