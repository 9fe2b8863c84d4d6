// The weights of an MLP of a model file, packed for an instruction set.
#include "surrogate/fused/mlp_weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>

#include "surrogate/fused/activation.h"

namespace pyamp::fused {
namespace {

std::size_t size(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

int round_up(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }

/// Partial sums of an output: more where few outputs leave the arithmetic units waiting, which members side by side
/// do not.
int sums_of(int n_out, int panels, int lanes, bool side_by_side) {
    if (n_out <= narrow_outputs) return lanes;
    if (side_by_side) return 1;
    return panels <= 2 ? 4 : panels <= 4 ? 2 : 1;
}

/// Whether one point costs less with a register of members side by side than member by member, in registers.
bool are_side_by_side(const Mlp& network, std::size_t members, std::size_t lanes) {
    if (members == 1) return false;
    const auto registers = [&](std::size_t n) { return (n + lanes - 1) / lanes; };
    std::size_t of_members = 0, of_points = 0;
    for (std::size_t l = 0; l + 1 < network.widths.size(); ++l) {
        const auto n_in = static_cast<std::size_t>(network.widths[l]);
        const auto n_out = static_cast<std::size_t>(network.widths[l + 1]);
        of_members += registers(members) * n_in * n_out;
        of_points += members * n_in * registers(n_out);
    }
    return of_members <= of_points;
}

/// A layer without its numbers.
template <typename T, typename W>
Layer<T, W> shape_of(const Mlp& network, std::size_t l, int lanes, bool side_by_side) {
    const int n_in = static_cast<int>(network.widths[l]);
    const bool is_last = l + 2 == network.widths.size();
    Layer<T, W> layer{};
    layer.n_out = static_cast<int>(network.widths[l + 1]);
    layer.panels = (layer.n_out + lanes - 1) / lanes;
    layer.sums = sums_of(layer.n_out, layer.panels, lanes, side_by_side);
    layer.n_in = round_up(n_in, layer.is_narrow() ? layer.sums : layer.sums * weights_in<W>);
    layer.activation = is_last ? Activation::none : activation_from_name(network.activation);
    layer.adds_input = network.adds_input(l);
    return layer;
}

std::uint32_t bits_of(double x) { return std::bit_cast<std::uint32_t>(static_cast<float>(x)); }

/// The float nearest to a number among those that end with 16 given bits.
float nearest_that_ends_with(std::uint32_t end, double x) {
    const auto candidate = [&](std::uint32_t upper) { return std::bit_cast<float>(upper << 16 | end); };
    const std::uint32_t upper = bits_of(x) >> 16;
    float best = candidate(upper);
    for (const std::uint32_t other : {upper - 1, upper + 1})
        if (std::fabs(candidate(other) - x) < std::fabs(best - x)) best = candidate(other);
    return best;
}

/// Panels where tiles of points read them; rows in a narrow layer.
template <typename T>
void pack_for_tiles(const TileLayer<T>& layer, int lanes, const MemberMatrix& matrix, T* to) {
    if (layer.is_narrow()) {
        for (int j = 0; j < layer.n_out; ++j)
            for (int k = 0; k < layer.n_in; ++k) *to++ = static_cast<T>(matrix.weight(j, k));
        return;
    }
    for (int panel = 0; panel < layer.panels; ++panel)
        for (int k = 0; k < layer.n_in; ++k)
            for (int j = panel * lanes; j < (panel + 1) * lanes; ++j) *to++ = static_cast<T>(matrix.weight(j, k));
}

/// Registers of outputs in the order in which one point reads them.
/// @param weight  (register, lane, input) to a weight
template <typename T, typename W, typename F>
void pack_for_point(const Layer<T, W>& layer, int registers, int lanes, const F& weight, W* to) {
    const int group = group_size(layer.sums), block = layer.n_in / layer.sums;
    for (int first = 0; first < registers; first += group)
        for (int k = 0; k < block; k += weights_in<W>)
            for (int s = 0; s < layer.sums; ++s)
                for (int r = first; r < std::min(first + group, registers); ++r)
                    for (int l = 0; l < lanes; ++l) {
                        const int i = s * block + k;
                        if constexpr (std::is_same_v<W, WeightPair>)
                            *to++ = {bits_of(weight(r, l, i)) >> 16 | (bits_of(weight(r, l, i + 1)) & 0xffff0000)};
                        else
                            *to++ = static_cast<W>(weight(r, l, i));
                    }
}

}  // namespace

template <typename T>
AlignedArray<T>::AlignedArray(std::size_t size)
    : data_(static_cast<T*>(::operator new(size * sizeof(T), alignment))) {
    std::fill_n(data_.get(), size, T{});
}

MemberMatrix::MemberMatrix(const std::map<std::string, Tensor>& tensors, const std::string& prefix,
                           const Mlp& network, std::size_t l, std::size_t member)
    : n_in_(static_cast<int>(network.widths[l])), n_out_(static_cast<int>(network.widths[l + 1])) {
    const auto of_member = [&](const std::string& name, std::size_t n) {
        const double* const begin = tensors.at(name).values.data() + member * n;
        return std::vector<double>(begin, begin + n);
    };
    weights_ = of_member(weight_name(prefix, l), size(n_in_, n_out_));
    biases_ = of_member(bias_name(prefix, l), size(n_out_, 1));
}

void MemberMatrix::round_to_pairs() {
    for (int j = 0; j < n_out_; ++j)
        for (int k = 0; k < n_in_; k += 2) {
            double& first = weights_[index(j, k)];
            first = nearest_that_ends_with(0, first);
            if (k + 1 < n_in_)
                weights_[index(j, k + 1)] = nearest_that_ends_with(bits_of(first) >> 16, weights_[index(j, k + 1)]);
        }
}

template <typename T, typename W>
MlpWeights<T, W>::MlpWeights(const Mlp& network, const std::string& prefix,
                             const std::map<std::string, Tensor>& tensors, std::size_t members, int lanes)
    : lanes_(lanes) {
    const std::size_t n_layers = network.widths.size() - 1;
    const auto L = static_cast<std::size_t>(lanes);
    const std::size_t groups = (members + L - 1) / L;
    const bool side_by_side = are_side_by_side(network, members, L);
    std::vector<Layer<T, W>> shapes;
    int width = 0;
    std::size_t of_tiles = 0, of_points = 0, of_narrow = 0, biases = 0;
    for (std::size_t l = 0; l < n_layers; ++l) {
        const auto& layer = shapes.emplace_back(shape_of<T, W>(network, l, lanes, side_by_side));
        const int padded = layer.panels * lanes;
        width = std::max({width, layer.n_in, padded});
        const std::size_t of_members = side_by_side ? groups * size(layer.n_in, layer.n_out) * L : 0;
        of_tiles += members * size(layer.n_in, padded);
        if (layer.is_narrow())
            of_narrow += of_members;
        else
            of_points += (members * size(layer.n_in, padded) + of_members) / weights_in<W>;
        biases += members * size(layer.is_narrow() ? layer.n_out : layer.panels, lanes);
        biases += groups * size(layer.n_out, lanes);
    }
    tile_weights_.emplace(of_tiles);
    point_weights_.emplace(of_points);
    narrow_weights_.emplace(of_narrow);
    biases_.emplace(biases);
    std::vector<MemberMatrix> matrices;  // (members, n_layers)
    for (std::size_t member = 0; member < members; ++member)
        for (std::size_t l = 0; l < n_layers; ++l) {
            auto& matrix = matrices.emplace_back(tensors, prefix, network, l, member);
            if (weights_in<W> == 2 && !shapes[l].is_narrow()) matrix.round_to_pairs();
            pack_layer(shapes[l], matrix);
        }
    for (std::size_t first = 0; side_by_side && first < members; first += L)
        for (std::size_t l = 0; l < n_layers; ++l) {
            std::vector<const MemberMatrix*> of_layer;
            for (std::size_t m = first; m < std::min(first + L, members); ++m)
                of_layer.push_back(&matrices[m * n_layers + l]);
            pack_members(shapes[l], of_layer);
        }
    view_ = {static_cast<int>(network.widths.front()),
             static_cast<int>(network.widths.back()),
             static_cast<int>(n_layers),
             width,
             activation_from_name(network.activation),
             members,
             layers_.data(),
             side_by_side ? member_layers_.data() : nullptr};
}

template <typename T, typename W>
void MlpWeights<T, W>::pack_layer(Layer<T, W> layer, const MemberMatrix& matrix) {
    const int padded = layer.panels * lanes_;
    T* const tile_weights = tile_weights_->take(size(layer.n_in, padded));
    pack_for_tiles(layer, lanes_, matrix, tile_weights);
    layer.tile_weights = tile_weights;
    if (!layer.is_narrow()) {
        W* const point_weights = point_weights_->take(size(layer.n_in, padded) / weights_in<W>);
        pack_for_point(
            layer, layer.panels, lanes_, [&](int r, int l, int k) { return matrix.weight(r * lanes_ + l, k); },
            point_weights);
        layer.point_weights = point_weights;
    }
    const int registers = layer.is_narrow() ? layer.n_out : layer.panels;
    const int lanes = layer.is_narrow() ? 1 : lanes_;
    T* const bias = biases_->take(size(registers, lanes_));
    for (int r = 0; r < registers; ++r)
        for (int l = 0; l < lanes; ++l) bias[r * lanes_ + l] = static_cast<T>(matrix.bias(r * lanes + l));
    layer.bias = bias;
    layers_.push_back(layer);
}

template <typename T, typename W>
void MlpWeights<T, W>::pack_members(const Layer<T, W>& layer, const std::vector<const MemberMatrix*>& members) {
    const auto n = static_cast<int>(members.size());
    const auto weight = [&](int j, int m, int k) {
        return m < n ? members[static_cast<std::size_t>(m)]->weight(j, k) : 0.0;
    };
    const std::size_t count = size(layer.n_in, layer.n_out * lanes_);
    MemberLayer<T, W> packed{};
    if (layer.is_narrow()) {
        T* to = narrow_weights_->take(count);
        packed.narrow_weights = to;
        for (int j = 0; j < layer.n_out; ++j)
            for (int k = 0; k < layer.n_in; ++k)
                for (int m = 0; m < lanes_; ++m) *to++ = static_cast<T>(weight(j, m, k));
    } else {
        W* const weights = point_weights_->take(count / weights_in<W>);
        pack_for_point(layer, layer.n_out, lanes_, weight, weights);
        packed.weights = weights;
    }
    T* const bias = biases_->take(size(layer.n_out, lanes_));
    for (int j = 0; j < layer.n_out; ++j)
        for (int m = 0; m < n; ++m)
            bias[j * lanes_ + m] = static_cast<T>(members[static_cast<std::size_t>(m)]->bias(j));
    packed.bias = bias;
    member_layers_.push_back(packed);
}

template class AlignedArray<unsigned char>;
template class AlignedArray<std::uint16_t>;
template class AlignedArray<float>;
template class MlpWeights<float, float>;
template class MlpWeights<double, double>;
template class MlpWeights<float, WeightPair>;

}  // namespace pyamp::fused
