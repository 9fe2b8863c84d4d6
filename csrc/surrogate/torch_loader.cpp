// Opens libpyamp_torch the first time a model needs it.
#include <dlfcn.h>

#include <filesystem>

#include "error.h"
#include "surrogate/backend.h"

namespace pyamp {
namespace {

std::filesystem::path own_folder() {
    Dl_info info;
    if (!dladdr(reinterpret_cast<void*>(&own_folder), &info)) throw Error("libpyamp: cannot find its own path");
    return std::filesystem::canonical(info.dli_fname).parent_path();
}

MakeBackend open_torch_library() {
    const auto path = (own_folder() / "libpyamp_torch.so").string();
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library)
        throw Error(path + ": cannot be opened (" + dlerror() +
                    "); it needs the Torch that pyamp was built with, reinstall pyamp");
    auto* symbol = dlsym(library, torch_backend_symbol);
    if (!symbol) throw Error(path + ": lacks '" + torch_backend_symbol + "'; reinstall pyamp");
    return reinterpret_cast<MakeBackend>(symbol);
}

}  // namespace

std::unique_ptr<Backend> make_torch_backend(const ModelFile& model, const BackendOptions& options) {
    static const MakeBackend make = open_torch_library();
    return std::unique_ptr<Backend>(make(model, options));
}

}  // namespace pyamp
