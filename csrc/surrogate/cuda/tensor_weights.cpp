#include "surrogate/cuda/tensor_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "surrogate/cuda/half.h"
#include "surrogate/cuda/tensor_layout.h"

namespace pyamp::cuda {

int padded_units(int n_out, int warps, std::int16_t& blocks) {
    const int all = (n_out + 15) / 16, parts = warps / warps_in_points;
    blocks = static_cast<std::int16_t>((all + parts - 1) / parts);
    return (all + blocks - 1) / blocks * blocks * 16;
}

std::size_t tensor_layer_size(const LayerProgram& layer) {
    const auto rows = static_cast<std::size_t>((layer.n_in + 15) / 16 * 16 + 1);
    return rows * static_cast<std::size_t>(layer.n_padded);
}

float inverse_weight_scale(const double* weights, std::size_t n) {
    double largest = 0.0;
    for (std::size_t k = 0; k < n; ++k) largest = std::max(largest, std::fabs(weights[k]));
    int exponent = 0;
    (void)std::frexp(largest, &exponent);
    return std::ldexp(1.0f, std::clamp(exponent - 15, -100, 100));
}

void pack_tensor_layer(const LayerProgram& layer, const double* weights, const double* bias, float* packed) {
    for (int unit = 0; unit < layer.n_out; ++unit) packed[unit] = static_cast<float>(bias[unit]);
    packed += layer.n_padded;
    const float scale = 1.0f / layer.inverse_scale;
    const auto weight = [&](int k, int unit) {
        if (k >= layer.n_in || unit >= layer.n_out) return 0.0f;
        return scale * static_cast<float>(weights[static_cast<std::ptrdiff_t>(unit) * layer.n_in + k]);
    };
    for (int first = 0; first < layer.n_in; first += 16)
        for (int units = 0; units < layer.n_padded; units += 8)
            for (int lane = 0; lane < 32; ++lane, packed += sizeof(SplitWeights) / sizeof(float)) {
                const int k = first + 2 * (lane % 4), unit = units + lane / 4;
                const SplitPair near(weight(k, unit), weight(k + 1, unit));
                const SplitPair far(weight(k + 8, unit), weight(k + 9, unit));
                const SplitWeights split{{near.high, far.high}, {near.low, far.low}};
                std::memcpy(packed, &split, sizeof split);
            }
}

}  // namespace pyamp::cuda
