// From a model file to what the fused CUDA kernel runs.
#include "surrogate/cuda/build_program.h"

#include <algorithm>
#include <array>

#include "error.h"
#include "surrogate/cuda/tensor_layout.h"
#include "surrogate/cuda/tensor_weights.h"
#include "surrogate/cuda/tile_layout.h"
#include "surrogate/fused/activation.h"

namespace pyamp::cuda {
namespace {

int round_up(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }

/// Thrown where the kernel's tables are too small or the network has another architecture.
void require(bool fits, const std::string& obstacle) {
    if (!fits) throw Error(obstacle);
}

std::uint32_t mask_of(const std::vector<int>& legs) {
    std::uint32_t mask = 0;
    for (const int leg : legs) mask |= 1u << leg;
    return mask;
}

CutsProgram cuts_program(const Cuts& cuts) {
    CutsProgram result{};
    require(cuts.pt_rules().size() <= max_rules && cuts.eta_rules().size() <= max_rules,
            "more than " + std::to_string(max_rules) + " cuts of one kind in its domain");
    for (const auto& rule : cuts.pt_rules()) {
        auto& pt = result.pt[result.n_pt++];
        pt.legs = mask_of(rule.legs);
        pt.n = static_cast<int>(rule.squared_minima.size());
        std::copy(rule.squared_minima.begin(), rule.squared_minima.end(), pt.squared_minima);
    }
    for (const auto& rule : cuts.eta_rules()) result.eta[result.n_eta++] = {mask_of(rule.legs), rule.sinh_maximum};
    for (const auto& rule : cuts.delta_r_rules())
        for (const auto& [i, j] : rule.pairs) {
            require(result.n_delta_r < max_separations,
                    "more than " + std::to_string(max_separations) + " pairs of legs with a minimal distance");
            result.delta_r[result.n_delta_r++] = {static_cast<std::int8_t>(i), static_cast<std::int8_t>(j),
                                                  rule.squared_minimum};
        }
    return result;
}

/// The slot of a pair, which is made if there is none yet.
int slot_of_pair(PointProgram& point, int i, int j) {
    if (i > j) std::swap(i, j);
    auto& slot = point.slot_of_pair[kinematics::pair_index(i, j, point.n_legs)];
    if (slot < 0) {
        slot = static_cast<std::int8_t>(point.n_pairs);
        point.pair_i[point.n_pairs] = static_cast<std::int8_t>(i);
        point.pair_j[point.n_pairs] = static_cast<std::int8_t>(j);
        ++point.n_pairs;
    }
    return slot;
}

void set_features(PointProgram& point, const ScaledMomenta&) { point.is_momenta = true; }

void set_features(PointProgram& point, const LogInvariants& representation) {
    point.linear = representation.linear;
    point.energy = representation.energy;
    for (int i = 0; i < point.n_legs; ++i)
        for (int j = i + 1; j < point.n_legs; ++j) slot_of_pair(point, i, j);
    require(representation.resonances.empty(), "resonances");
    require(representation.dipoles.empty(), "dipoles");
    require(!representation.multiparticle, "invariants of three and more legs");
    require(!representation.antenna, "an antenna");
    require(!representation.conjugation, "an exchange of antiparticles");
    require(representation.ordering.size() <= std::size(point.ordering), "too many groups of identical legs");
    for (const auto& group : representation.ordering) {
        auto& result = point.ordering[point.n_groups++];
        require(group.legs.size() <= max_legs && group.reference.size() <= max_legs,
                "a leg that is twice in a group of identical legs");
        result.n_legs = static_cast<std::int8_t>(group.legs.size());
        result.n_reference = static_cast<std::int8_t>(group.reference.size());
        std::copy(group.legs.begin(), group.legs.end(), result.legs);
        std::copy(group.reference.begin(), group.reference.end(), result.reference);
    }
}

struct SetLikelihood {
    PointProgram& point;

    void operator()(const HeteroskedasticGaussian&) const {
        point.likelihood = LikelihoodType::heteroskedastic_gaussian;
    }
    void operator()(const MeanSquaredError& likelihood) const {
        point.likelihood = LikelihoodType::mean_squared_error;
        point.likelihood_sigma = likelihood.sigma;
    }
    void operator()(const GaussianMixture& likelihood) const {
        point.likelihood = LikelihoodType::gaussian_mixture;
        point.likelihood_size = static_cast<int>(likelihood.size);
    }
    void operator()(const Evidential&) const { point.likelihood = LikelihoodType::evidential; }
};

PointProgram point_program(const ModelFile& model) {
    PointProgram point{};
    point.n_legs = model.process.n_legs();
    point.n_incoming = model.process.n_incoming;
    point.sqrt_s_hat_min = model.domain.lowest_sqrt_s_hat();
    point.sqrt_s_hat_max = model.domain.highest_sqrt_s_hat();
    point.cuts = cuts_program(model.domain.cuts);
    std::fill(std::begin(point.slot_of_pair), std::end(point.slot_of_pair), std::int8_t{-1});
    slot_of_pair(point, 0, 1);
    std::visit(
        [&](const auto& representation) {
            point.n_features = representation.n_features();
            require(point.n_features <= max_features, "more than " + std::to_string(max_features) + " features");
            std::copy(representation.mean.begin(), representation.mean.end(), point.mean);
            std::transform(representation.std.begin(), representation.std.end(), point.inverse_std,
                           [](double std) { return 1.0 / std; });
            set_features(point, representation);
            require(representation.factor.terms.size() <= max_terms,
                    "more than " + std::to_string(max_terms) + " terms of the singular factor");
            for (const auto& [i, j, power] : representation.factor.terms) {
                point.term_slot[point.n_terms] = static_cast<std::int8_t>(slot_of_pair(point, i, j));
                point.term_power[point.n_terms++] = power;
            }
        },
        model.representation);
    point.target = model.target;
    std::visit(SetLikelihood{point}, model.likelihood);
    point.recalibration_scale = 1.0;
    if (const auto* scale = model.recalibration ? std::get_if<ScaleRecalibration>(&*model.recalibration) : nullptr)
        point.recalibration_scale = scale->scale;
    if (const auto* map = model.recalibration ? std::get_if<IsotonicRecalibration>(&*model.recalibration) : nullptr)
        point.n_recalibration = static_cast<int>(map->sigma.size());
    return point;
}

/// Warps of a group whose threads sum all units of the widest layer: at least two, a power of two. On tensor cores
/// four warps sum as many units, each at other points.
int warps_for(int width, bool tensor_cores) {
    static_assert(warps_in_points * lanes_in_units * max_rows == 16 * max_unit_blocks);
    int warps = tensor_cores ? warps_in_points : 2;
    while (warps * lanes_in_units * max_rows < width) warps *= 2;
    return warps;
}

/// Values of one member; the layers begin at multiples of 16 bytes.
std::uint32_t set_layers(NetworkProgram& network, const Mlp& mlp, int warps, bool tensor_cores, int alignment) {
    network.n_layers = static_cast<int>(mlp.widths.size()) - 1;
    require(network.n_layers <= max_layers, "more than " + std::to_string(max_layers) + " layers");
    network.n_outputs = static_cast<int>(mlp.widths.back());
    const int places = warps * lanes_in_units;
    int size = 0;
    for (int l = 0; l < network.n_layers; ++l) {
        const int n_in = static_cast<int>(mlp.widths[static_cast<std::size_t>(l)]);
        const int n_out = static_cast<int>(mlp.widths[static_cast<std::size_t>(l) + 1]);
        const bool is_last = l + 1 == network.n_layers;
        LayerProgram& layer = network.layers[l];
        layer.offset = static_cast<std::uint32_t>(size);
        layer.n_in = static_cast<std::int16_t>(n_in);
        layer.n_out = static_cast<std::int16_t>(n_out);
        layer.activation = is_last ? Activation::none : fused::activation_from_name(mlp.activation);
        layer.adds_input = mlp.adds_input(static_cast<std::size_t>(l));
        layer.slices = 1;
        if (tensor_cores) {
            layer.n_padded = static_cast<std::int16_t>(padded_units(n_out, warps, layer.rows));
            size += round_up(static_cast<int>(tensor_layer_size(layer)), alignment);
            continue;
        }
        layer.rows = static_cast<std::int16_t>((n_out + places - 1) / places);
        // Only outputs are read slice by slice; rows stay multiples of 16 bytes, in which chunks are copied.
        while (is_last && 2 * layer.slices * n_out <= places && places / (2 * layer.slices) >= 4)
            layer.slices = static_cast<std::int16_t>(2 * layer.slices);
        layer.n_padded = static_cast<std::int16_t>(layer.rows * places / layer.slices);
        size += round_up((n_in + 1) * layer.n_padded, alignment);
    }
    return static_cast<std::uint32_t>(size);
}

/// Weights (n_out, n_in) and biases of a layer of one member.
struct LayerTensors {
    const double *weight, *bias;

    LayerTensors(const ModelFile& model, const std::string& prefix, const LayerProgram& layer, int number,
                 std::size_t member) {
        const auto n_in = static_cast<std::size_t>(layer.n_in), n_out = static_cast<std::size_t>(layer.n_out);
        const auto l = static_cast<std::size_t>(number);
        weight = model.tensors.at(weight_name(prefix, l)).values.data() + member * n_in * n_out;
        bias = model.tensors.at(bias_name(prefix, l)).values.data() + member * n_out;
    }
};

template <typename T>
void pack_layer(const LayerProgram& layer, const LayerTensors& tensors, T* row) {
    const auto n_in = static_cast<std::size_t>(layer.n_in), n_out = static_cast<std::size_t>(layer.n_out);
    for (std::size_t unit = 0; unit < n_out; ++unit) row[unit] = static_cast<T>(tensors.bias[unit]);
    for (std::size_t k = 0; k < n_in; ++k) {
        row += layer.n_padded;
        for (std::size_t unit = 0; unit < n_out; ++unit) row[unit] = static_cast<T>(tensors.weight[unit * n_in + k]);
    }
}

template <typename T>
void pack(const Program& program, const NetworkProgram& network, const std::string& prefix, const ModelFile& model,
          std::size_t member, T* weights) {
    for (int l = 0; l < network.n_layers; ++l) {
        const LayerProgram& layer = network.layers[l];
        const LayerTensors tensors(model, prefix, layer, l, member);
        if constexpr (sizeof(T) == sizeof(float))
            if (program.tensor_cores) {
                pack_tensor_layer(layer, tensors.weight, tensors.bias, weights + layer.offset);
                continue;
            }
        pack_layer(layer, tensors, weights + layer.offset);
    }
}

/// One power of two for the weights of all members.
void set_weight_scales(NetworkProgram& network, const std::string& prefix, const ModelFile& model,
                       std::size_t members) {
    for (int l = 0; l < network.n_layers; ++l) {
        LayerProgram& layer = network.layers[l];
        const std::size_t size = static_cast<std::size_t>(layer.n_in) * static_cast<std::size_t>(layer.n_out);
        layer.inverse_scale = inverse_weight_scale(LayerTensors(model, prefix, layer, l, 0).weight, members * size);
    }
}

struct Sizes {
    int width = 0;  ///< of the activations, padding included
    int row = 0;    ///< the most weights that come together
    bool residual = false;
};

void measure(const NetworkProgram& network, bool tensor_cores, Sizes& sizes) {
    for (int l = 0; l < network.n_layers; ++l) {
        const LayerProgram& layer = network.layers[l];
        sizes.width = std::max(sizes.width, layer.n_padded * layer.slices);
        sizes.row = std::max(sizes.row, (tensor_cores ? 16 : 1) * layer.n_padded);
        sizes.residual = sizes.residual || (layer.adds_input && !tensor_cores);
    }
}

int widest(const Mlp& mlp) { return static_cast<int>(*std::max_element(mlp.widths.begin() + 1, mlp.widths.end())); }

/// Cuts the block's shared memory: all weights and as many groups as fit, or a chunk of the weights at a time.
template <typename T>
void share_memory(Program& program, const DeviceLimits& limits) {
    constexpr int P = tile_points<T>;
    constexpr std::size_t smallest_chunk = 16384, largest_chunk = 65536;
    Sizes sizes;
    measure(program.network, program.tensor_cores, sizes);
    if (program.has_sigma_network) measure(program.sigma_network, program.tensor_cores, sizes);
    program.keeps_input = sizes.residual;
    const std::size_t buffers = sizes.residual ? 2 : 1;
    const auto aligned = [](std::size_t bytes) { return (bytes + 31) / 32 * 32; };
    program.feature_bytes =
        static_cast<std::uint32_t>(aligned(sizeof(T) * static_cast<std::size_t>(program.point.n_features) * P));
    program.activation_bytes =
        static_cast<std::uint32_t>(aligned(std::max(buffers * sizeof(T) * static_cast<std::size_t>(sizes.width) * P,
                                                    overlay_bytes(program.point.n_legs, program.point.n_pairs, P))));
    program.tensor_bytes =
        program.tensor_cores ? static_cast<std::uint32_t>(tensor_bytes(program.point.n_features, P)) : 0;
    program.group_bytes = program.feature_bytes + program.activation_bytes +
                          static_cast<std::uint32_t>(state_bytes(P)) + program.tensor_bytes;

    const std::size_t all = aligned(
        sizeof(T) * (static_cast<std::size_t>(program.members) * program.member_size + program.sigma_network_size));
    const bool fast = program.tensor_cores && program.warps == warps_in_points;
    const int most = std::min(limits.max_groups,
                              (fast ? std::min(limits.warps, fast_tensor_warps) : limits.warps) / program.warps);
    require(most > 0, "a layer of more than " + std::to_string(limits.warps * lanes_in_units * max_rows) + " units");
    const auto groups_beside = [&](std::size_t weights) {
        return weights >= limits.shared_bytes
                   ? 0
                   : std::min<int>(most, static_cast<int>((limits.shared_bytes - weights) / program.group_bytes));
    };
    // Weights that come in chunks cost little where many points wait for each, so half a block's groups are too few.
    program.resident = 2 * groups_beside(all) >= groups_beside(largest_chunk) && groups_beside(all) > 0;
    const std::size_t row_bytes = sizeof(T) * static_cast<std::size_t>(sizes.row);
    std::size_t chunk = largest_chunk;
    while (!program.resident && groups_beside(chunk) == 0 && chunk / 2 >= std::max(smallest_chunk, row_bytes))
        chunk /= 2;
    program.weight_bytes = static_cast<std::uint32_t>(program.resident ? all : aligned(chunk));
    program.groups = groups_beside(program.weight_bytes);
    require(program.groups > 0 && program.weight_bytes >= row_bytes,
            "activations larger than the shared memory of this device");
}

const char* other_architecture(const Network& network) {
    return std::holds_alternative<Mlp>(network) ? nullptr : "an architecture other than the MLP";
}

template <typename T>
Program plan(const ModelFile& model, bool tensor_cores, const DeviceLimits& limits) {
    if (const char* other = other_architecture(model.network)) throw Error(other);
    Program program{};
    program.point = point_program(model);
    const Mlp& mlp = std::get<Mlp>(model.network);
    int width = widest(mlp);
    if (model.sigma_network) width = std::max(width, widest(*model.sigma_network));
    program.tensor_cores = tensor_cores;
    program.warps = warps_for(width, tensor_cores);
    program.members = static_cast<int>(model.posterior.members);
    program.has_sigma_network = model.sigma_network.has_value();
    constexpr int alignment = 16;  // values
    program.member_size = set_layers(program.network, mlp, program.warps, tensor_cores, alignment);
    if (model.sigma_network)
        program.sigma_network_size =
            set_layers(program.sigma_network, *model.sigma_network, program.warps, tensor_cores, alignment);
    share_memory<T>(program, limits);
    return program;
}

/// Why the kernel cannot run a model, empty if it can.
std::string obstacle(const ModelFile& model, Dtype dtype, bool tensor_cores, const DeviceLimits& limits) {
    try {
        if (dtype == Dtype::float32)
            plan<float>(model, tensor_cores, limits);
        else
            plan<double>(model, tensor_cores, limits);
    } catch (const Error& e) {
        return e.what();
    }
    return "";
}

}  // namespace

Choice choose(const ModelFile& model, Dtype dtype, bool tensor_cores, const DeviceLimits& limits) {
    const std::string to_tensor_cores = tensor_cores ? obstacle(model, dtype, true, limits) : "";
    if (tensor_cores && to_tensor_cores.empty()) return {true, true, ""};
    const std::string to_all = obstacle(model, dtype, false, limits);
    return {to_all.empty(), false, to_all.empty() ? to_tensor_cores : to_all};
}

template <typename T>
BuiltProgram<T> build_program(const ModelFile& model, bool tensor_cores, const DeviceLimits& limits) {
    BuiltProgram<T> built{plan<T>(model, tensor_cores, limits), {}, {}};
    Program& program = built.program;
    const auto members = static_cast<std::size_t>(program.members);
    const std::string sigma_prefix = ModelFile::sigma_network_prefix;
    if (tensor_cores) set_weight_scales(program.network, "", model, members);
    if (tensor_cores && program.has_sigma_network) set_weight_scales(program.sigma_network, sigma_prefix, model, 1);
    built.weights.resize(members * program.member_size + program.sigma_network_size);
    for (std::size_t member = 0; member < members; ++member)
        pack(program, program.network, "", model, member, built.weights.data() + member * program.member_size);
    if (program.has_sigma_network)
        pack(program, program.sigma_network, sigma_prefix, model, 0,
             built.weights.data() + members * program.member_size);
    if (program.point.n_recalibration > 0) {
        const auto& map = std::get<IsotonicRecalibration>(*model.recalibration);
        built.recalibration = map.sigma;
        built.recalibration.insert(built.recalibration.end(), map.calibrated.begin(), map.calibrated.end());
    }
    return built;
}

template BuiltProgram<float> build_program<float>(const ModelFile&, bool, const DeviceLimits&);
template BuiltProgram<double> build_program<double>(const ModelFile&, bool, const DeviceLimits&);

}  // namespace pyamp::cuda
