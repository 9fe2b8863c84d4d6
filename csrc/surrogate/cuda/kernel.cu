// The fused kernel: momenta on the device to amplitudes, uncertainties and flags on the device, in one launch.
#include <cuda_runtime.h>

#include "surrogate/cuda/kernel.h"
#include "surrogate/cuda/tile.h"

namespace pyamp::cuda {
namespace {

constexpr int most_threads = 512;

/// 32 `warps` threads of a block that meet at a barrier of their own.
class DeviceGroup {
 public:
    template <typename X>
    struct PerThread {
        X value{};
        __device__ __forceinline__ explicit PerThread(const DeviceGroup&) {}
        __device__ __forceinline__ X& operator[](int) { return value; }
    };

    __device__ __forceinline__ DeviceGroup(const Program& program, char* shared)
        : threads_(32 * program.warps),
          group_(static_cast<int>(threadIdx.x) / threads_),
          groups_(program.groups),
          shared_(shared),
          memory_(shared + program.weight_bytes + static_cast<std::size_t>(group_) * program.group_bytes) {}

    __device__ __forceinline__ int threads() const { return threads_; }
    __device__ __forceinline__ std::size_t index() const {
        return blockIdx.x + static_cast<std::size_t>(gridDim.x) * group_;
    }
    __device__ __forceinline__ std::size_t count() const { return static_cast<std::size_t>(gridDim.x) * groups_; }
    __device__ __forceinline__ void* weights() const { return shared_; }
    __device__ __forceinline__ char* memory() const { return memory_; }

    template <typename F>
    __device__ __forceinline__ void each(const F& f) {
        f(static_cast<int>(threadIdx.x) - group_ * threads_);
    }
    template <typename F>
    __device__ __forceinline__ void phase(const F& f) {
        each(f);
        // Barrier 0 is the block's.
        asm volatile("bar.sync %0, %1;" ::"r"(group_ + 1), "r"(threads_) : "memory");
    }

    /// Both addresses and the size are multiples of 16 bytes.
    __device__ __forceinline__ void load(void* to, const void* from, std::size_t bytes) {
        __syncthreads();
        auto* const target = static_cast<uint4*>(to);
        const auto* const source = static_cast<const uint4*>(from);
#pragma unroll 4
        for (unsigned i = threadIdx.x; i < static_cast<unsigned>(bytes / sizeof(uint4)); i += blockDim.x)
            target[i] = source[i];
        __syncthreads();
    }

 private:
    int threads_, group_, groups_;
    char *shared_, *memory_;
};

template <typename T>
__global__ void __launch_bounds__(most_threads, 1)
    fused_kernel(const __grid_constant__ Program program, const __grid_constant__ Arrays arrays) {
    extern __shared__ __align__(32) char shared[];
    DeviceGroup group(program, shared);
    run_group<T>(group, program, arrays);
}

}  // namespace

template <typename T>
cudaError_t allow_shared_memory(std::size_t bytes) {
    return cudaFuncSetAttribute(fused_kernel<T>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                static_cast<int>(bytes));
}

template <typename T>
cudaError_t launch(const Program& program, const Arrays& arrays, int n_multiprocessors, cudaStream_t stream) {
    if (arrays.n == 0) return cudaSuccess;
    const std::size_t n_tiles = (arrays.n + tile_points<T> - 1) / tile_points<T>;
    const auto most = static_cast<std::size_t>(n_multiprocessors);
    const auto blocks = static_cast<unsigned>(n_tiles < most ? n_tiles : most);
    fused_kernel<T><<<blocks, program.threads(), program.shared_bytes(), stream>>>(program, arrays);
    return cudaGetLastError();
}

template cudaError_t allow_shared_memory<float>(std::size_t);
template cudaError_t allow_shared_memory<double>(std::size_t);
template cudaError_t launch<float>(const Program&, const Arrays&, int, cudaStream_t);
template cudaError_t launch<double>(const Program&, const Arrays&, int, cudaStream_t);

}  // namespace pyamp::cuda
