// Readers of the header's entries, one for each choice that a surrogate is made of.
#pragma once

#include <optional>

#include "model_file/header_reader.h"
#include "model_file/model_file.h"

namespace pyamp {

Representation read_representation(const HeaderReader& header, const Process& process);
Target read_target(const HeaderReader& header);
Likelihood read_likelihood(const HeaderReader& header);
Posterior read_posterior(const HeaderReader& header);
std::optional<Recalibration> read_recalibration(const HeaderReader& header);

/// What the network has to fit to.
struct NetworkSurroundings {
    const Representation& representation;
    const Target& target;
    const Likelihood& likelihood;
    int n_legs;
};
Network read_network(const HeaderReader& header, const NetworkSurroundings& surroundings);
std::optional<Mlp> read_sigma_network(const HeaderReader& header, int n_features);

}  // namespace pyamp
