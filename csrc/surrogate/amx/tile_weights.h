// The weights of an MLP of a model file, packed in tiles of bfloat16.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model_file/network.h"
#include "model_file/tensor.h"
#include "surrogate/amx/kernel.h"
#include "surrogate/fused/mlp_weights.h"

namespace pyamp::amx {

class TileWeights {
 public:
    /// @param members  see MlpWeights
    TileWeights(const Mlp& network, const std::string& prefix, const std::map<std::string, Tensor>& tensors,
                std::size_t members);

    const PackedMlp& view() const { return view_; }

 private:
    std::vector<Layer> layers_;
    fused::AlignedArray<std::uint16_t> weights_;
    fused::AlignedArray<float> biases_;
    PackedMlp view_;
};

}  // namespace pyamp::amx
