// From a model file to what the fused CUDA kernel runs.
#include "surrogate/cuda/build_program.h"

#include <algorithm>
#include <array>

#include "error.h"
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

/// Warps of a group whose threads sum all units of the widest layer: at least two, a power of two.
int warps_for(int width) {
    int warps = 2;
    while (warps * lanes_in_units * max_rows < width) warps *= 2;
    return warps;
}

/// Values of one member; the layers begin at multiples of 16 bytes.
std::uint32_t set_layers(NetworkProgram& network, const Mlp& mlp, int warps, int alignment) {
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
        layer.rows = static_cast<std::int16_t>((n_out + places - 1) / places);
        // Only outputs are read slice by slice; rows stay multiples of 16 bytes, in which chunks are copied.
        layer.slices = 1;
        while (is_last && 2 * layer.slices * n_out <= places && places / (2 * layer.slices) >= 4)
            layer.slices = static_cast<std::int16_t>(2 * layer.slices);
        layer.n_padded = static_cast<std::int16_t>(layer.rows * places / layer.slices);
        layer.activation = is_last ? Activation::none : fused::activation_from_name(mlp.activation);
        layer.adds_input = mlp.residual && l > 0 && !is_last && n_in == n_out;
        size += round_up((n_in + 1) * layer.n_padded, alignment);
    }
    return static_cast<std::uint32_t>(size);
}

template <typename T>
void pack(const NetworkProgram& network, const std::string& prefix, const ModelFile& model, std::size_t member,
          T* weights) {
    for (int l = 0; l < network.n_layers; ++l) {
        const LayerProgram& layer = network.layers[l];
        const auto n_in = static_cast<std::size_t>(layer.n_in), n_out = static_cast<std::size_t>(layer.n_out);
        const auto number = static_cast<std::size_t>(l);
        const double* weight = model.tensors.at(weight_name(prefix, number)).values.data() + member * n_in * n_out;
        const double* bias = model.tensors.at(bias_name(prefix, number)).values.data() + member * n_out;
        T* row = weights + layer.offset;
        for (std::size_t unit = 0; unit < n_out; ++unit) row[unit] = static_cast<T>(bias[unit]);
        for (std::size_t k = 0; k < n_in; ++k) {
            row += layer.n_padded;
            for (std::size_t unit = 0; unit < n_out; ++unit) row[unit] = static_cast<T>(weight[unit * n_in + k]);
        }
    }
}

struct Sizes {
    int width = 0;  ///< of the activations, padding included
    int row = 0;    ///< the longest row of weights
    bool residual = false;
};

void measure(const NetworkProgram& network, Sizes& sizes) {
    for (int l = 0; l < network.n_layers; ++l) {
        const LayerProgram& layer = network.layers[l];
        sizes.width = std::max(sizes.width, layer.n_padded * layer.slices);
        sizes.row = std::max<int>(sizes.row, layer.n_padded);
        sizes.residual = sizes.residual || layer.adds_input;
    }
}

int widest(const Mlp& mlp) { return static_cast<int>(*std::max_element(mlp.widths.begin() + 1, mlp.widths.end())); }

/// Cuts the block's shared memory: all weights and as many groups as fit, or a chunk of the weights at a time.
template <typename T>
void share_memory(Program& program, const DeviceLimits& limits) {
    constexpr int P = tile_points<T>;
    constexpr std::size_t smallest_chunk = 16384, largest_chunk = 65536;
    Sizes sizes;
    measure(program.network, sizes);
    if (program.has_sigma_network) measure(program.sigma_network, sizes);
    program.keeps_input = sizes.residual;
    const std::size_t buffers = sizes.residual ? 2 : 1;
    const auto aligned = [](std::size_t bytes) { return (bytes + 31) / 32 * 32; };
    program.feature_bytes =
        static_cast<std::uint32_t>(aligned(sizeof(T) * static_cast<std::size_t>(program.point.n_features) * P));
    program.activation_bytes =
        static_cast<std::uint32_t>(aligned(std::max(buffers * sizeof(T) * static_cast<std::size_t>(sizes.width) * P,
                                                    overlay_bytes(program.point.n_legs, program.point.n_pairs, P))));
    program.group_bytes =
        program.feature_bytes + program.activation_bytes + static_cast<std::uint32_t>(state_bytes(P));

    const std::size_t all = aligned(
        sizeof(T) * (static_cast<std::size_t>(program.members) * program.member_size + program.sigma_network_size));
    const int most = std::min(limits.max_groups, limits.warps / program.warps);
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
Program plan(const ModelFile& model, const DeviceLimits& limits) {
    if (const char* other = other_architecture(model.network)) throw Error(other);
    Program program{};
    program.point = point_program(model);
    const Mlp& mlp = std::get<Mlp>(model.network);
    int width = widest(mlp);
    if (model.sigma_network) width = std::max(width, widest(*model.sigma_network));
    program.warps = warps_for(width);
    program.members = static_cast<int>(model.posterior.members);
    program.has_sigma_network = model.sigma_network.has_value();
    constexpr int alignment = 16;  // values
    program.member_size = set_layers(program.network, mlp, program.warps, alignment);
    if (model.sigma_network)
        program.sigma_network_size =
            set_layers(program.sigma_network, *model.sigma_network, program.warps, alignment);
    share_memory<T>(program, limits);
    return program;
}

}  // namespace

std::string obstacle(const ModelFile& model, Dtype dtype, const DeviceLimits& limits) {
    try {
        if (dtype == Dtype::float32)
            plan<float>(model, limits);
        else
            plan<double>(model, limits);
    } catch (const Error& e) {
        return e.what();
    }
    return "";
}

template <typename T>
BuiltProgram<T> build_program(const ModelFile& model, const DeviceLimits& limits) {
    BuiltProgram<T> built{plan<T>(model, limits), {}, {}};
    const Program& program = built.program;
    const auto members = static_cast<std::size_t>(program.members);
    built.weights.resize(members * program.member_size + program.sigma_network_size);
    for (std::size_t member = 0; member < members; ++member)
        pack(program.network, "", model, member, built.weights.data() + member * program.member_size);
    if (program.has_sigma_network)
        pack(program.sigma_network, ModelFile::sigma_network_prefix, model, 0,
             built.weights.data() + members * program.member_size);
    if (program.point.n_recalibration > 0) {
        const auto& map = std::get<IsotonicRecalibration>(*model.recalibration);
        built.recalibration = map.sigma;
        built.recalibration.insert(built.recalibration.end(), map.calibrated.begin(), map.calibrated.end());
    }
    return built;
}

template BuiltProgram<float> build_program<float>(const ModelFile&, const DeviceLimits&);
template BuiltProgram<double> build_program<double>(const ModelFile&, const DeviceLimits&);

}  // namespace pyamp::cuda
