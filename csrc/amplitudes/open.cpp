// Sources of truth by name.
#include "amplitudes/open.h"

#include <nlohmann/json.hpp>

#include "amplitudes/blha/provider.h"
#include "amplitudes/quark_line/quark_line.h"
#include "error.h"

namespace pyamp {
namespace {

const std::string builtin_prefix = "builtin:";
const std::string blha_prefix = "blha:";
const std::string tree_prefix = "tree:";

}  // namespace

bool is_truth(const std::string& source) {
    return source.starts_with(builtin_prefix) || !options_block(source).empty();
}

std::string options_block(const std::string& source) {
    for (const std::string& prefix : {blha_prefix, tree_prefix})
        if (source.starts_with(prefix)) return prefix.substr(0, prefix.size() - 1);
    return "";
}

std::unique_ptr<AmplitudeProvider> open_amplitude(const std::string& source, const nlohmann::json& options) {
    if (source.starts_with(blha_prefix))
        return std::make_unique<blha::Provider>(blha::read_options(source.substr(blha_prefix.size()), options));
    if (source.starts_with(tree_prefix))
        return std::make_unique<QuarkLine>(source.substr(tree_prefix.size()), options);
    if (!source.starts_with(builtin_prefix))
        throw Error("truth '" + source + "', \"builtin:NAME\", \"tree:PROCESS\" or \"blha:LIBRARY\" expected");
    if (!options.empty()) throw Error("options: '" + options.begin().key() + "' does not apply to " + source);
    return make_builtin_amplitude(source.substr(builtin_prefix.size()));
}

}  // namespace pyamp
