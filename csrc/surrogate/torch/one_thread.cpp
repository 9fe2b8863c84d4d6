// Keeps LibTorch on the calling thread while small batches are evaluated.
#include "surrogate/torch/one_thread.h"

#include <dlfcn.h>

namespace pyamp {
namespace {

/// The OpenMP runtime that LibTorch runs on, which need not be the host's: wheels bring their own.
struct OpenMp {
    int (*max_threads)() = nullptr;
    void (*set_threads)(int) = nullptr;

    OpenMp() {
        void* torch = dlopen("libtorch_cpu.so", RTLD_NOW | RTLD_NOLOAD);
        if (!torch) return;
        max_threads = reinterpret_cast<int (*)()>(dlsym(torch, "omp_get_max_threads"));
        set_threads = reinterpret_cast<void (*)(int)>(dlsym(torch, "omp_set_num_threads"));
    }
};

const OpenMp& openmp() {
    static const OpenMp runtime;
    return runtime;
}

}  // namespace

OneThread::OneThread(bool active) {
    if (!active || !openmp().max_threads || !openmp().set_threads) return;
    before_ = openmp().max_threads();
    openmp().set_threads(1);
}

OneThread::~OneThread() {
    if (before_) openmp().set_threads(before_);
}

}  // namespace pyamp
