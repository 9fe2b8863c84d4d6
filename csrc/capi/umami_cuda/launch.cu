// The launch of what finish.h does with each event.
#include "capi/umami_cuda/launch.h"

namespace pyamp::umami {
namespace {

constexpr unsigned threads = 256;

__global__ void finish_kernel(Finish finish, std::size_t count) {
    const std::size_t k = static_cast<std::size_t>(blockIdx.x) * threads + threadIdx.x;
    if (k < count) finish_event(finish, k);
}

}  // namespace

cudaError_t launch(const Finish& finish, std::size_t count, cudaStream_t stream) {
    if (count == 0) return cudaSuccess;
    finish_kernel<<<static_cast<unsigned>((count + threads - 1) / threads), threads, 0, stream>>>(finish, count);
    return cudaGetLastError();
}

}  // namespace pyamp::umami
