// The weights of an MLP of a model file, packed for an instruction set.
#include "surrogate/fused/mlp_weights.h"

#include <algorithm>

#include "surrogate/fused/activation.h"

namespace pyamp::fused {
namespace {

int round_up(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }

int panels_of(int n_out, int lanes) { return (n_out + lanes - 1) / lanes; }

/// Blocks of inputs that are summed side by side: more where few outputs leave the arithmetic units waiting.
int splits_of(int n_out, int lanes) {
    if (n_out <= 4) return 4;
    return panels_of(n_out, lanes) <= 4 ? 2 : 1;
}

/// Rows of the matrix of a member, (n_out, n_in) and (n_out).
struct MemberTensors {
    const double *weight, *bias;
};

MemberTensors tensors_of(const std::map<std::string, Tensor>& tensors, const std::string& prefix, std::size_t layer,
                         std::size_t member, std::size_t n_in, std::size_t n_out) {
    return {tensors.at(weight_name(prefix, layer)).values.data() + member * n_in * n_out,
            tensors.at(bias_name(prefix, layer)).values.data() + member * n_out};
}

}  // namespace

template <typename T>
AlignedArray<T>::AlignedArray(std::size_t size)
    : data_(static_cast<T*>(::operator new(size * sizeof(T), alignment))) {
    std::fill_n(data_.get(), size, T{0});
}

template <typename T>
T* MlpWeights<T>::zeros(std::size_t size) {
    return arrays_.emplace_back(size).data();
}

template <typename T>
MlpWeights<T>::MlpWeights(const Mlp& network, const std::string& prefix, const std::map<std::string, Tensor>& tensors,
                          std::size_t members, int lanes) {
    const int n_layers = static_cast<int>(network.widths.size()) - 1;
    layers_.reserve(members * static_cast<std::size_t>(n_layers));
    for (std::size_t member = 0; member < members; ++member) pack_member(network, prefix, tensors, member, lanes);
    int width = 0;
    std::size_t of_members = 0, of_points = 0;  // registers of weights for one point
    const std::size_t groups = (members + static_cast<std::size_t>(lanes) - 1) / static_cast<std::size_t>(lanes);
    for (int l = 0; l < n_layers; ++l) {
        const auto& layer = layers_[static_cast<std::size_t>(l)];
        width = std::max({width, layer.n_in, layer.panels * lanes});
        of_members += groups * static_cast<std::size_t>(layer.n_in * layer.n_out);
        of_points += members * static_cast<std::size_t>(layer.n_in * layer.panels);
    }
    if (of_members <= of_points) pack_members_side_by_side(network, prefix, tensors, lanes);
    view_ = {static_cast<int>(network.widths.front()),
             static_cast<int>(network.widths.back()),
             n_layers,
             width,
             members,
             layers_.data(),
             member_layers_.empty() ? nullptr : member_layers_.data()};
}

template <typename T>
void MlpWeights<T>::pack_member(const Mlp& network, const std::string& prefix,
                                const std::map<std::string, Tensor>& tensors, std::size_t member, int lanes) {
    const std::size_t n_layers = network.widths.size() - 1;
    for (std::size_t l = 0; l < n_layers; ++l) {
        const int n_in = static_cast<int>(network.widths[l]);
        const int n_out = static_cast<int>(network.widths[l + 1]);
        const auto source =
            tensors_of(tensors, prefix, l, member, static_cast<std::size_t>(n_in), static_cast<std::size_t>(n_out));
        const bool is_last = l + 1 == n_layers;
        Layer<T> layer{};
        layer.n_out = n_out;
        layer.panels = panels_of(n_out, lanes);
        layer.splits = splits_of(n_out, lanes);
        layer.n_in = round_up(n_in, layer.splits);
        layer.activation = is_last ? Activation::none : activation_from_name(network.activation);
        layer.adds_input = network.residual && l > 0 && !is_last && n_in == n_out;
        T* const weights = zeros(static_cast<std::size_t>(layer.panels) * static_cast<std::size_t>(layer.n_in) *
                                 static_cast<std::size_t>(lanes));
        T* const bias = zeros(static_cast<std::size_t>(layer.panels * lanes));
        for (int j = 0; j < n_out; ++j) {
            bias[j] = static_cast<T>(source.bias[j]);
            T* const column = weights + (j / lanes) * layer.n_in * lanes + j % lanes;
            for (int k = 0; k < n_in; ++k) column[k * lanes] = static_cast<T>(source.weight[j * n_in + k]);
        }
        layer.weights = weights;
        layer.bias = bias;
        layers_.push_back(layer);
    }
}

template <typename T>
void MlpWeights<T>::pack_members_side_by_side(const Mlp& network, const std::string& prefix,
                                              const std::map<std::string, Tensor>& tensors, int lanes) {
    const std::size_t n_layers = network.widths.size() - 1;
    const std::size_t members = layers_.size() / n_layers;
    const auto L = static_cast<std::size_t>(lanes);
    for (std::size_t first = 0; first < members; first += L)
        for (std::size_t l = 0; l < n_layers; ++l) {
            const auto n_in = static_cast<std::size_t>(network.widths[l]);
            const auto n_out = static_cast<std::size_t>(network.widths[l + 1]);
            const auto padded = static_cast<std::size_t>(layers_[l].n_in);
            T* const weights = zeros(n_out * padded * L);
            T* const bias = zeros(n_out * L);
            for (std::size_t m = 0; m < std::min(L, members - first); ++m) {
                const auto source = tensors_of(tensors, prefix, l, first + m, n_in, n_out);
                for (std::size_t j = 0; j < n_out; ++j) {
                    bias[j * L + m] = static_cast<T>(source.bias[j]);
                    for (std::size_t k = 0; k < n_in; ++k)
                        weights[(j * padded + k) * L + m] = static_cast<T>(source.weight[j * n_in + k]);
                }
            }
            member_layers_.push_back({weights, bias});
        }
}

template class AlignedArray<unsigned char>;
template class MlpWeights<float>;
template class MlpWeights<double>;

}  // namespace pyamp::fused
