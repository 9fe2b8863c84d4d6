// What the fused CUDA kernel needs to know of a model: plain data that travels as a kernel parameter.
//
// A block holds `groups` groups of 32 `warps` threads, each of which takes tiles of points on its own. Within a group
// a thread sums `points_per_thread` points by up to `max_rows` units at a time, in registers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kinematics/momenta_layout.h"
#include "surrogate/fused/kernels.h"
#include "surrogate/singular_factor.h"
#include "surrogate/target.h"

namespace pyamp::cuda {

using fused::Activation;

/// Lanes of a warp: 8 side by side in points, 4 in units.
constexpr int lanes_in_points = 8, lanes_in_units = 4;
/// Values in one access of 16 bytes; a thread takes two such vectors of points.
template <typename T>
constexpr int vector_size = static_cast<int>(16 / sizeof(T));
template <typename T>
constexpr int points_per_thread = 2 * vector_size<T>;
template <typename T>
constexpr int tile_points = lanes_in_points * points_per_thread<T>;
constexpr int max_rows = 8;

constexpr int max_features = 64;
constexpr int max_terms = 28;
constexpr int max_layers = 12;
constexpr int max_rules = 4;
constexpr int max_separations = 32;

/// One layer; its weights are (n_in + 1, padded units), the bias first.
/// A narrow layer is cut along its inputs into `slices`, which different threads sum.
/// On tensor cores they are as tensor_layout.h says, times a power of two.
struct LayerProgram {
    std::uint32_t offset;  ///< of the bias, in values from the first of the member
    std::int16_t n_in, n_out;
    std::int16_t rows;      ///< units of a thread, up to max_rows; on tensor cores blocks of 16 units of a warp
    std::int16_t slices;    ///< 1, or a power of two where rows is 1
    std::int16_t n_padded;  ///< units of all threads of a slice
    Activation activation;
    bool adds_input;
    float inverse_scale;  ///< on tensor cores: of the weights
};

struct NetworkProgram {
    int n_layers, n_outputs;
    LayerProgram layers[max_layers];
};

/// The standardised target's distribution; `size` of a mixture, `sigma` of mean squared error.
enum class LikelihoodType : std::int32_t {
    heteroskedastic_gaussian,
    mean_squared_error,
    gaussian_mixture,
    evidential
};

/// Legs as bits of a mask.
struct CutsProgram {
    struct Pt {
        std::uint32_t legs;
        int n;
        double squared_minima[max_legs];
    };
    struct Eta {
        std::uint32_t legs;
        double sinh_maximum;
    };
    struct DeltaR {
        std::int8_t i, j;
        double squared_minimum;
    };
    int n_pt, n_eta, n_delta_r;
    Pt pt[max_rules];
    Eta eta[max_rules];
    DeltaR delta_r[max_separations];
};

struct PointProgram {
    int n_legs, n_incoming;
    double sqrt_s_hat_min, sqrt_s_hat_max;
    CutsProgram cuts;

    bool is_momenta;  ///< representation "momenta", else "log_invariants"
    bool linear, energy;
    int n_features;
    double mean[max_features], inverse_std[max_features];

    /// The pairs whose invariants are needed, (0,1) first; slot_of_pair undoes it.
    int n_pairs;
    std::int8_t pair_i[max_pairs], pair_j[max_pairs], slot_of_pair[max_pairs];

    struct Group {
        std::int8_t n_legs, n_reference;
        std::int8_t legs[max_legs], reference[max_legs];
    };
    int n_groups;
    Group ordering[max_legs];

    int n_terms;
    std::int8_t term_slot[max_terms];
    double term_power[max_terms];

    Target target;
    LikelihoodType likelihood;
    int likelihood_size;
    double likelihood_sigma;

    int n_recalibration;  ///< points of the isotonic map; 0 for a factor alone
    double recalibration_scale;
};

struct Program {
    PointProgram point;
    NetworkProgram network, sigma_network;
    int members;
    bool has_sigma_network;
    std::uint32_t member_size, sigma_network_size;  ///< values

    int warps, groups;  ///< of a group; of a block
    bool resident;      ///< all weights lie in shared memory, else they come in chunks
    bool keeps_input;   ///< a second buffer of activations, for residual layers
    bool tensor_cores;
    std::uint32_t weight_bytes, feature_bytes, activation_bytes, tensor_bytes, group_bytes;  ///< shared memory

    std::size_t shared_bytes() const { return weight_bytes + static_cast<std::size_t>(groups) * group_bytes; }
    int threads() const { return 32 * warps * groups; }
};
static_assert(sizeof(Program) <= 4000, "kernel parameters have 4 KB");

/// Arrays of one call, on the device.
struct Arrays {
    const void* weights;          ///< of all members, then of the sigma network
    const double* recalibration;  ///< sigma (n_recalibration), calibrated (n_recalibration)
    const double* momenta;
    MomentaLayout layout;  ///< any strides
    std::size_t n;
    const double* alpha_s;  ///< (n), or nullptr
    double coupling_factor, alpha_s_power;
    double* amplitude;  ///< these four (n), or nullptr where not wanted
    double* sigma_syst;
    double* sigma_stat;
    std::int32_t* flags;
};

}  // namespace pyamp::cuda
