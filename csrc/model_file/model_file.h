// The model file NAME.safetensors, format version 1: everything a surrogate is, read strictly.
//
// Layout: a safetensors file whose metadata has "format": "pyamp", "format_version", "header" (JSON text) and
// "header_sha256". Whatever is missing, unknown, damaged or newer is refused with a pyamp::Error of one line.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "amplitudes/amplitude_provider.h"
#include "kinematics/cuts.h"
#include "model_file/network.h"
#include "model_file/tensor.h"
#include "surrogate/likelihood.h"
#include "surrogate/recalibration.h"
#include "surrogate/representation.h"
#include "surrogate/target.h"

namespace pyamp {

struct Couplings {
    double alpha_s, alpha;
    CouplingOrders orders;

    /// alpha_s^a alpha^b, by which a stripped amplitude is multiplied.
    double factor(double alpha_s_value, double alpha_value) const;
};

/// Weights of a point estimate, or of the members of an ensemble or of a sample along a leading axis of every tensor.
struct Posterior {
    bool has_member_axis;
    std::int64_t members;
};

/// Where the surrogate was trained, in the frame of the cuts.
struct Domain {
    double sqrt_s_hat_min, sqrt_s_hat_max;  ///< GeV
    Cuts cuts;

    /// @param momenta (n_legs, 4) contiguous
    bool contains(const double* momenta, int n_legs, int n_incoming) const;

    /// Bounds with room for the rounding of a fixed energy.
    double lowest_sqrt_s_hat() const { return sqrt_s_hat_min * (1 - slack); }
    double highest_sqrt_s_hat() const { return sqrt_s_hat_max * (1 + slack); }

 private:
    static constexpr double slack = 1e-9;
};

/// 16 points with the float64 answers of the network that was stored; couplings stripped.
struct SelfTest {
    std::vector<double> momenta, amplitude, sigma_syst, sigma_stat;
    std::size_t n_points() const { return amplitude.size(); }
};

struct ModelFile {
    static constexpr int format_version = 1;
    static constexpr const char* sigma_network_prefix = "sigma_network.";

    std::string path;
    std::string header;  ///< the JSON text
    Process process;
    Couplings couplings;
    double spin_colour_average;
    Representation representation;
    Target target;
    Likelihood likelihood;
    Network network;
    Posterior posterior;
    std::optional<Mlp> sigma_network;  ///< ln sigma of the target around the mean of the members
    std::optional<Recalibration> recalibration;
    Dtype dtype;
    Domain domain;
    SelfTest self_test;
    std::map<std::string, Tensor> tensors;
};

ModelFile read_model_file(const std::string& path);

}  // namespace pyamp
