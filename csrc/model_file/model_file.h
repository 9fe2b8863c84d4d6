// The model file NAME.safetensors, format version 1: everything a surrogate is, read strictly.
//
// Layout: a safetensors file whose metadata has "format": "pyamp", "format_version", "header" (JSON text) and
// "header_sha256". Whatever is missing, unknown, damaged or newer is refused with a pyamp::Error of one line.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "amplitudes/amplitude_provider.h"
#include "kinematics/cuts.h"
#include "surrogate/log_invariants.h"

namespace pyamp {

enum class Dtype { float32, float64 };
Dtype dtype_from_name(const std::string& name, const std::string& where);
const char* name_of(Dtype dtype);

struct Tensor {
    Dtype dtype;
    std::vector<std::int64_t> shape;
    std::vector<double> values;  ///< row-major; a float32 is exact in a double
};

struct Couplings {
    double alpha_s, alpha;
    CouplingOrders orders;

    /// alpha_s^a alpha^b, by which a stripped amplitude is multiplied.
    double factor(double alpha_s_value, double alpha_value) const;
};

/// Weights of a point estimate, or of the members of an ensemble along a leading axis of every tensor.
struct Posterior {
    bool is_ensemble;
    std::int64_t members;
};

struct Mlp {
    std::vector<std::int64_t> widths;  ///< features, hidden ..., outputs
    std::string activation;

    static std::string weight_name(std::size_t layer) { return "layers." + std::to_string(layer) + ".weight"; }
    static std::string bias_name(std::size_t layer) { return "layers." + std::to_string(layer) + ".bias"; }
};

/// Where the surrogate was trained, in the frame of the cuts.
struct Domain {
    double sqrt_s_hat_min, sqrt_s_hat_max;  ///< GeV
    Cuts cuts;

    /// @param momenta (n_legs, 4) contiguous
    bool contains(const double* momenta, int n_legs, int n_incoming) const;
};

/// 16 points with the float64 answers of the network that was stored; couplings stripped.
struct SelfTest {
    std::vector<double> momenta, amplitude, sigma_syst, sigma_stat;
    std::size_t n_points() const { return amplitude.size(); }
};

struct ModelFile {
    static constexpr int format_version = 1;

    std::string path;
    std::string header;  ///< the JSON text
    Process process;
    Couplings couplings;
    double spin_colour_average;
    LogInvariants representation;
    double target_mean, target_std;  ///< of ln(amplitude / singular factor)
    Mlp network;
    Posterior posterior;
    Dtype dtype;
    Domain domain;
    SelfTest self_test;
    std::map<std::string, Tensor> tensors;
};

ModelFile read_model_file(const std::string& path);

}  // namespace pyamp
