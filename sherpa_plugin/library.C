// Opening libpyamp with its symbols kept local.
#include <dlfcn.h>

#include "library.H"
#include "stop.H"

namespace PyAmp {
namespace {

template <class Function>
void Resolve(void* handle, const std::string& path, const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(dlsym(handle, name));
    if (!function)
        Stop(path + ": no function " + name +
             "; it is no libpyamp, or an older one: give PYAMP: {LIBRARY: " + "path of libpyamp.so} of this version");
}

}  // namespace

Library::Library(const std::string& path) : m_path(path) {
    if (path.empty())
        Stop("no libpyamp.so was named when the plugin was built; give PYAMP: {LIBRARY: path of libpyamp.so}");
    // Never closed: LibTorch does not survive being unloaded.
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char* reason = dlerror();
        Stop(path + ": cannot be opened as libpyamp.so (" + (reason ? reason : "no reason given") +
             "); give PYAMP: {LIBRARY: path of libpyamp.so}, `python -m pyamp.paths libpyamp` prints it");
    }
    decltype(&pyamp_capi_version) version;
    Resolve(handle, path, "pyamp_capi_version", version);
    Resolve(handle, path, "pyamp_open", open);
    Resolve(handle, path, "pyamp_evaluate", evaluate);
    Resolve(handle, path, "pyamp_describe", describe);
    Resolve(handle, path, "pyamp_close", close);
    Resolve(handle, path, "pyamp_last_error", last_error);
    if (version() < PYAMP_CAPI_VERSION)
        Stop(path + ": version " + std::to_string(version()) + " of the C interface found, " +
             std::to_string(PYAMP_CAPI_VERSION) + " or newer expected; use the libpyamp.so built with this plugin");
    p_library = handle;
}

SecondStageFunctions::SecondStageFunctions(const Library& library) : last_error(library.last_error) {
    Resolve(library.p_library, library.Path(), "pyamp_two_stage", two_stage);
    Resolve(library.p_library, library.Path(), "pyamp_screen", screen);
    Resolve(library.p_library, library.Path(), "pyamp_roulette", roulette);
    Resolve(library.p_library, library.Path(), "pyamp_roulette_weight", roulette_weight);
    Resolve(library.p_library, library.Path(), "pyamp_budget_maximum", budget_maximum);
    Resolve(library.p_library, library.Path(), "pyamp_choose_roulette", choose_roulette);
}

}  // namespace PyAmp
