// Which backend runs a model.
#include "error.h"
#include "surrogate/amx/amx_backend.h"
#include "surrogate/backend.h"
#include "surrogate/fused/fused_backend.h"

namespace pyamp {

bool are_halves(const std::string& weights) {
    if (weights != "full" && weights != "bfloat16")
        throw Error("weights '" + weights + "', full or bfloat16 expected");
    return weights == "bfloat16";
}

ChosenBackend choose_backend(const ModelFile& model, const BackendOptions& options) {
    const bool is_amx = options.kind == "amx", is_torch = options.kind == "libtorch";
    if (options.kind != "auto" && options.kind != "fused" && !is_amx && !is_torch)
        throw Error("backend '" + options.kind + "', auto, fused, amx or libtorch expected");
    if (options.half_weights) {
        const std::string reason = is_torch || is_amx ? "backend " + options.kind : fused::obstacle(model, options);
        if (!reason.empty())
            throw Error(model.path + ": weights 'bfloat16' are for the fused kernels of float32 on the CPU (" +
                        reason + "); choose 'full'");
    }
    if (options.tensor_cores) {
        const std::string reason = is_torch || is_amx                    ? "backend " + options.kind
                                   : !options.device.starts_with("cuda") ? "device " + options.device
                                   : options.dtype != Dtype::float32     ? "dtype float64"
                                                                         : "";
        if (!reason.empty())
            throw Error(model.path + ": tensor_cores are for the fused kernel of float32 on a GPU (" + reason +
                        "); leave them out");
    }
    if (is_amx) {
        const std::string obstacle = amx::obstacle(model, options);
        if (!obstacle.empty())
            throw Error(model.path + ": backend 'amx' cannot run it (" + obstacle + "); choose 'auto'");
        return {amx::make_backend(model), "asked for"};
    }
    if (is_torch) return {make_torch_backend(model, options), "asked for"};
    std::string obstacle = fused::obstacle(model, options);
    if (options.device.starts_with("cuda")) {
        auto offered = make_device_surrogate(model, options);
        if (offered.surrogate) {
            const std::string reason = options.kind == "fused" ? "asked for" : "MLP that fits the fused CUDA kernel";
            return {nullptr,
                    offered.obstacle.empty() ? reason : reason + ", not on tensor cores: " + offered.obstacle,
                    std::move(offered.surrogate)};
        }
        obstacle = offered.obstacle;
    }
    if (obstacle.empty())
        return {fused::make_backend(model, options),
                options.kind == "fused" ? "asked for" : "MLP on the CPU: no LibTorch needed"};
    if (options.kind == "fused")
        throw Error(model.path + ": backend 'fused' cannot run it (" + obstacle + "); choose 'auto' or 'libtorch'");
    return {make_torch_backend(model, options), "not fused: " + obstacle};
}

}  // namespace pyamp
