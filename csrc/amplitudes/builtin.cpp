// The built-in amplitudes by name.
#include "amplitudes/amplitude_provider.h"
#include "amplitudes/gg_to_aag/gg_to_aag.h"
#include "amplitudes/gg_to_aagg/gg_to_aagg.h"
#include "error.h"

namespace pyamp {

std::vector<std::string> builtin_amplitudes() { return {"gg_to_aag", "gg_to_aagg"}; }

std::unique_ptr<AmplitudeProvider> make_builtin_amplitude(const std::string& name) {
    if (name == "gg_to_aag") return std::make_unique<GgToAag>();
    if (name == "gg_to_aagg") return std::make_unique<GgToAagg>();
    std::string known;
    for (const std::string& k : builtin_amplitudes()) known += (known.empty() ? "" : ", ") + k;
    throw Error("unknown built-in amplitude '" + name + "': the built-in amplitudes are " + known);
}

}  // namespace pyamp
