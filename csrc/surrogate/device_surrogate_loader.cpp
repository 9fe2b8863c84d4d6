// Opens libpyamp_cuda the first time a model asks for a GPU.
#include <dlfcn.h>

#include <filesystem>

#include "error.h"
#include "surrogate/device_surrogate.h"

namespace pyamp {
namespace {

struct Opened {
    MakeDeviceSurrogate make;
    std::string obstacle;
};

Opened open_cuda_library() {
    Dl_info info;
    if (!dladdr(reinterpret_cast<void*>(&open_cuda_library), &info))
        throw Error("libpyamp: cannot find its own path");
    const auto path = std::filesystem::canonical(info.dli_fname).parent_path() / "libpyamp_cuda.so";
    if (!std::filesystem::exists(path)) return {nullptr, "pyamp was built without nvcc"};
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) return {nullptr, path.string() + " cannot be opened (" + dlerror() + ")"};
    void* symbol = dlsym(library, device_surrogate_symbol);
    if (!symbol) throw Error(path.string() + ": lacks '" + device_surrogate_symbol + "'; reinstall pyamp");
    return {reinterpret_cast<MakeDeviceSurrogate>(symbol), ""};
}

}  // namespace

OfferedDeviceSurrogate make_device_surrogate(const ModelFile& model, const BackendOptions& options) {
    static const Opened library = open_cuda_library();
    if (!library.make) return {nullptr, library.obstacle};
    OfferedDeviceSurrogate offered;
    offered.surrogate.reset(library.make(model, options, offered.obstacle));
    return offered;
}

}  // namespace pyamp
