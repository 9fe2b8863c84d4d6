// The fused kernel: momenta on the device to amplitudes, uncertainties and flags on the device, in one launch.
#include <cuda_runtime.h>

#include "surrogate/cuda/kernel.h"
#include "surrogate/cuda/mma.h"
#include "surrogate/cuda/tile.h"

namespace pyamp::cuda {
namespace {

constexpr int most_threads = 512;
/// With 168 registers for each the products of several tiles of units go on at once, which 128 do not allow.
constexpr int most_threads_for_speed = 32 * fast_tensor_warps;

/// The calling thread's warp.
class DeviceWarp {
 public:
    __device__ __forceinline__ explicit DeviceWarp(int thread) : thread_(thread) {}

    __device__ __forceinline__ int index() const { return thread_ / 32; }

    template <typename F>
    __device__ __forceinline__ void each(const F& f) {
        f(thread_);
    }
    template <typename C, typename A, typename B>
    __device__ __forceinline__ void multiply_add(const C& c, const A& a, const B& b) {
        cuda::multiply_add(c(thread_), a(thread_), b(thread_));
    }

 private:
    int thread_;
};

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
    __device__ __forceinline__ void each_warp(const F& f) {
        DeviceWarp warp(static_cast<int>(threadIdx.x) - group_ * threads_);
        f(warp);
    }
    __device__ __forceinline__ void raise(std::uint32_t* to, std::uint32_t bits) { atomicMax(to, bits); }
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

template <typename T, bool tensor_cores, int threads = most_threads>
__global__ void __launch_bounds__(threads, 1)
    fused_kernel(const __grid_constant__ Program program, const __grid_constant__ Arrays arrays) {
    extern __shared__ __align__(32) char shared[];
    DeviceGroup group(program, shared);
    run_group<T, tensor_cores>(group, program, arrays);
}

using Kernel = void (*)(Program, Arrays);

template <typename T>
Kernel kernel_of(const Program& program) {
    if constexpr (sizeof(T) == sizeof(float))
        if (program.tensor_cores)
            return program.threads() <= most_threads_for_speed ? fused_kernel<T, true, most_threads_for_speed>
                                                               : fused_kernel<T, true>;
    return fused_kernel<T, false>;
}

}  // namespace

template <typename T>
cudaError_t allow_shared_memory(const Program& program, std::size_t bytes) {
    return cudaFuncSetAttribute(kernel_of<T>(program), cudaFuncAttributeMaxDynamicSharedMemorySize,
                                static_cast<int>(bytes));
}

template <typename T>
cudaError_t launch(const Program& program, const Arrays& arrays, int n_multiprocessors, cudaStream_t stream) {
    if (arrays.n == 0) return cudaSuccess;
    const std::size_t n_tiles = (arrays.n + tile_points<T> - 1) / tile_points<T>;
    const auto most = static_cast<std::size_t>(n_multiprocessors);
    const auto blocks = static_cast<unsigned>(n_tiles < most ? n_tiles : most);
    kernel_of<T>(program)<<<blocks, program.threads(), program.shared_bytes(), stream>>>(program, arrays);
    return cudaGetLastError();
}

template cudaError_t allow_shared_memory<float>(const Program&, std::size_t);
template cudaError_t allow_shared_memory<double>(const Program&, std::size_t);
template cudaError_t launch<float>(const Program&, const Arrays&, int, cudaStream_t);
template cudaError_t launch<double>(const Program&, const Arrays&, int, cudaStream_t);

}  // namespace pyamp::cuda
