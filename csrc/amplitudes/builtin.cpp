// The built-in amplitudes by name.
#include <map>

#include "amplitudes/amplitude_provider.h"
#include "amplitudes/gg_to_aag/gg_to_aag.h"
#include "amplitudes/gg_to_aagg/gg_to_aagg.h"
#include "error.h"

namespace pyamp {

double identical_particle_factor(const Process& process) {
    std::map<int, int> seen;
    double factor = 1.0;
    for (auto id = process.pdg_ids.begin() + process.n_incoming; id != process.pdg_ids.end(); ++id)
        factor /= ++seen[*id];
    return factor;
}

std::vector<std::string> builtin_amplitudes() { return {"gg_to_aag", "gg_to_aagg"}; }

std::unique_ptr<AmplitudeProvider> make_builtin_amplitude(const std::string& name) {
    if (name == "gg_to_aag") return std::make_unique<GgToAag>();
    if (name == "gg_to_aagg") return std::make_unique<GgToAagg>();
    std::string known;
    for (const std::string& k : builtin_amplitudes()) known += (known.empty() ? "" : ", ") + k;
    throw Error("unknown built-in amplitude '" + name + "': the built-in amplitudes are " + known);
}

}  // namespace pyamp
