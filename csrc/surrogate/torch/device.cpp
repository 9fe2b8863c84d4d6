// Where LibTorch computes.
#include "surrogate/torch/device.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <dlfcn.h>

#include "error.h"

namespace pyamp {
namespace {

/// LibTorch's GPU library registers itself when it is loaded; in a process without Python nothing else loads it.
bool has_cuda() {
    static void* const library = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_LOCAL);
    return library && at::globalContext().hasCUDA();
}

}  // namespace

at::Device device_from_name(const std::string& name) {
    try {
        const at::Device device(name);
        if (device.is_cuda() && !has_cuda())
            throw Error("device '" + name + "': this Torch has no CUDA or finds no GPU; use \"cpu\"");
        if (device.is_cpu() || device.is_cuda()) return device;
    } catch (const c10::Error&) {
    }
    throw Error("device '" + name + "', \"cpu\", \"cuda\" or \"cuda:N\" expected");
}

}  // namespace pyamp
