// The CUDA runtime of a device that is the host.
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "streams.h"

namespace {

using Work = std::vector<std::function<void()>>;

std::map<cudaStream_t, Work> streams;
int device_count = 1;

cudaError_t allocate(void** memory, std::size_t bytes) {
    *memory = std::malloc(bytes);
    std::memset(*memory, 0xff, bytes);
    return cudaSuccess;
}

cudaError_t release(void* memory) {
    std::free(memory);
    return cudaSuccess;
}

}  // namespace

void pyamp::on_host::enqueue(cudaStream_t stream, std::function<void()> work) {
    streams[stream].push_back(std::move(work));
}

int on_host_pending(void* stream) { return static_cast<int>(streams[static_cast<cudaStream_t>(stream)].size()); }
void on_host_wait(void* stream) { (void)cudaStreamSynchronize(static_cast<cudaStream_t>(stream)); }
void on_host_set_device_count(int count) { device_count = count; }

cudaError_t cudaGetLastError() { return cudaSuccess; }
const char* cudaGetErrorString(cudaError_t) { return "error of the device on the host"; }
cudaError_t cudaGetDeviceCount(int* count) {
    *count = device_count;
    return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
    *device = 0;
    return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : cudaErrorInvalidDevice; }
cudaError_t cudaMalloc(void** memory, std::size_t bytes) { return allocate(memory, bytes); }
cudaError_t cudaMallocHost(void** memory, std::size_t bytes) { return allocate(memory, bytes); }
cudaError_t cudaFree(void* memory) { return release(memory); }
cudaError_t cudaFreeHost(void* memory) { return release(memory); }
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
    pyamp::on_host::enqueue(stream, [=] { std::memcpy(to, from, bytes); });
    return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
    pyamp::on_host::enqueue(stream, [=] { std::memset(to, value, bytes); });
    return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    for (const auto& work : std::exchange(streams[stream], {})) work();
    return cudaSuccess;
}
