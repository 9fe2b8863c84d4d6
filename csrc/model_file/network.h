// The architectures that a model file can name, and the tensors that each needs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "model_file/tensor.h"
#include "surrogate/dipole.h"

namespace pyamp {

using Widths = std::vector<std::int64_t>;

/// Linear layers with an activation between them.
struct Mlp {
    Widths widths;  ///< features, hidden ..., outputs
    std::string activation;
    /// Hidden layers beyond the first add their input to their output where the widths are equal.
    bool residual = false;

    bool adds_input(std::size_t layer) const {
        const bool is_last = layer + 2 == widths.size();
        return residual && layer > 0 && !is_last && widths[layer] == widths[layer + 1];
    }
};

/// Kolmogorov-Arnold network: on every edge a B-spline of the squashed input u = range tanh(x / range), plus SiLU.
struct Kan {
    Widths widths;
    std::int64_t intervals, order;  ///< of the uniform B-splines on [-range, range]
    double range;

    std::int64_t basis_size() const { return intervals + order; }
};

/// Linear layers with learnable rational functions between them, one for each group of units.
struct GroupKan {
    Widths widths;
    std::int64_t groups, numerator, denominator;  ///< number of groups, degrees of the polynomials
};

/// Deep sets of invariants: an embedding of each pair of legs, summed to one of each leg, summed to one of each
/// class.
struct DeepSets {
    struct Pair {
        int leg, partner;
    };

    std::vector<int> classes;  ///< of each leg; legs of one class are identical
    Widths pair_widths, particle_widths, widths;
    std::string activation;

    std::vector<int> labels() const;  ///< the classes, each once, ascending
    std::vector<int> legs(int label) const;
    /// Legs of one class with their partners in another (or the same), leg by leg. The pair (0,1) has no feature.
    std::vector<Pair> pairs(int label, int partner_label) const;
    /// Classes in which some leg of this class has a partner.
    std::vector<int> partners(int label) const;

    std::string pair_prefix(int label, int partner_label) const;
    std::string particle_prefix(int label) const;
    static constexpr const char* head_prefix = "head.";

    Widths pair_layers() const;
    Widths particle_layers(int label) const;
    Widths head_layers() const;
};

/// FKS partition: network 0 where no pair of legs is soft or collinear, elsewhere one network for each pair, summed
/// with the weights S_ij ~ 1/s_ij.
struct FksPartition {
    struct Pair {
        int i, j;
    };

    std::vector<Pair> pairs;
    double y_cut;  ///< of min |s_ij|/s_01, where the finite region begins
    Widths widths;
    std::string activation;
    std::vector<double> mean, std;  ///< of the features, to get |s_ij| back
    double target_std;

    std::int64_t n_networks() const { return 1 + static_cast<std::int64_t>(pairs.size()); }
};

/// Coefficients of dipoles, r = e^g sum_d S_d sinh(c_d) D_d. The MLP gives c_d, g and what the likelihood wants
/// beside the mean, which is ln r with arsinh(r / (2 floor)) + ln floor in the place of the logarithm.
struct DipoleSum {
    static constexpr const char* prefix = "mlp.";

    std::int64_t dipoles;
    Widths widths;
    std::string activation;
    std::vector<double> mean, std;  ///< of the features arsinh(D_d)
    std::vector<double> scale;      ///< S_d
    double target_std, floor;

    /// Of D_d, among n_features.
    std::int64_t first_feature() const { return widths.front() - Dipole::n_features * dipoles; }
};

using Network = std::variant<Mlp, Kan, GroupKan, DeepSets, FksPartition, DipoleSum>;

std::string weight_name(const std::string& prefix, std::size_t layer);
std::string bias_name(const std::string& prefix, std::size_t layer);
std::string numerator_name(std::size_t layer);
std::string denominator_name(std::size_t layer);

using Shapes = std::map<std::string, Shape>;

/// Names and shapes of the tensors of one member.
Shapes tensor_shapes(const Network& network);
Shapes linear_shapes(const std::string& prefix, const Widths& widths);

}  // namespace pyamp
