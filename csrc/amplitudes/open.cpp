// Sources of truth by name.
#include "amplitudes/open.h"

#include <nlohmann/json.hpp>

#include "amplitudes/blha/provider.h"
#include "error.h"

namespace pyamp {
namespace {

const std::string builtin_prefix = "builtin:";
const std::string blha_prefix = "blha:";

}  // namespace

bool is_truth(const std::string& source) {
    return source.starts_with(builtin_prefix) || source.starts_with(blha_prefix);
}

std::unique_ptr<AmplitudeProvider> open_amplitude(const std::string& source, const nlohmann::json& blha) {
    if (source.starts_with(blha_prefix))
        return std::make_unique<blha::Provider>(blha::read_options(source.substr(blha_prefix.size()), blha));
    if (!source.starts_with(builtin_prefix))
        throw Error("truth '" + source + "', \"builtin:NAME\" or \"blha:LIBRARY\" expected");
    if (!blha.empty()) throw Error("options: 'blha' does not apply to " + source);
    return make_builtin_amplitude(source.substr(builtin_prefix.size()));
}

}  // namespace pyamp
