// Which backend runs a model.
#include "error.h"
#include "surrogate/backend.h"
#include "surrogate/fused/fused_backend.h"

namespace pyamp {

ChosenBackend choose_backend(const ModelFile& model, const BackendOptions& options) {
    if (options.kind != "auto" && options.kind != "fused" && options.kind != "libtorch")
        throw Error("backend '" + options.kind + "', auto, fused or libtorch expected");
    if (options.kind == "libtorch") return {make_torch_backend(model, options), "asked for"};
    std::string obstacle = fused::obstacle(model, options);
    if (options.device.starts_with("cuda")) {
        auto offered = make_device_surrogate(model, options);
        if (offered.surrogate)
            return {nullptr, options.kind == "fused" ? "asked for" : "MLP that fits the fused CUDA kernel",
                    std::move(offered.surrogate)};
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
