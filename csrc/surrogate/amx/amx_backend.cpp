// Backend of large batches: MLPs by the AMX tiles of Intel processors.
#include "surrogate/amx/amx_backend.h"

#include "error.h"
#include "surrogate/amx/processor.h"
#include "surrogate/amx/tile_weights.h"
#include "surrogate/fused/fused_backend.h"
#include "surrogate/fused/mlp_backend.h"

namespace pyamp::amx {

std::string obstacle(const ModelFile& model, const BackendOptions& options) {
    const std::string of_mlps = fused::obstacle(model, options);
    if (!of_mlps.empty()) return of_mlps;
    if (options.dtype != Dtype::float32) return std::string("dtype ") + name_of(options.dtype);
    return obstacle_of_processor();
}

#if defined(PYAMP_WITH_AMX)
namespace {

class TileNetwork {
 public:
    TileNetwork(const Mlp& network, const std::string& prefix, const std::map<std::string, Tensor>& tensors,
                std::size_t members)
        : weights_(network, prefix, tensors, members) {}

    void operator()(const double* features, std::size_t n, double* outputs) const {
        const auto& mlp = weights_.view();
        amx::evaluate(mlp, features, n, outputs, fused::scratch_of_size(scratch_size(mlp)));
    }

 private:
    TileWeights weights_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(const ModelFile& model) {
    constexpr std::size_t preferred_batch = 1024;
    return std::make_unique<fused::MlpBackend<TileNetwork>>(model, "amx (bfloat16 x 6) cpu float32", preferred_batch);
}
#else
std::unique_ptr<Backend> make_backend(const ModelFile&) { throw Error(obstacle_of_processor()); }
#endif

}  // namespace pyamp::amx
