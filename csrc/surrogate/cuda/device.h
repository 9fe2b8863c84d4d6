// Devices, streams and memory of the CUDA runtime, each freed by its owner.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>
#include <utility>

#include "error.h"

namespace pyamp::cuda {

inline void check(cudaError_t status, const char* what) {
    if (status == cudaSuccess) return;
    (void)cudaGetLastError();  // forgotten, lest a later call reports it
    throw Error(std::string("CUDA: cannot ") + what + ": " + cudaGetErrorString(status));
}

/// Makes a device the current one for a scope.
class DeviceGuard {
 public:
    explicit DeviceGuard(int device) {
        check(cudaGetDevice(&previous_), "ask for the current device");
        if (previous_ != device) check(cudaSetDevice(device), "choose the device");
    }
    ~DeviceGuard() { (void)cudaSetDevice(previous_); }
    DeviceGuard(const DeviceGuard&) = delete;
    DeviceGuard& operator=(const DeviceGuard&) = delete;

 private:
    int previous_ = 0;
};

enum class MemoryKind { device, pinned_host };

template <typename T, MemoryKind kind>
class Memory {
 public:
    Memory() = default;
    explicit Memory(std::size_t size) {
        if (size == 0) return;
        void* data = nullptr;
        check(kind == MemoryKind::device ? cudaMalloc(&data, size * sizeof(T))
                                         : cudaMallocHost(&data, size * sizeof(T)),
              "allocate memory");
        data_ = static_cast<T*>(data);
    }
    ~Memory() {
        if (data_) (void)(kind == MemoryKind::device ? cudaFree(data_) : cudaFreeHost(data_));
    }
    Memory(Memory&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
    Memory& operator=(Memory&& other) noexcept {
        std::swap(data_, other.data_);
        return *this;
    }

    T* data() const { return data_; }

 private:
    T* data_ = nullptr;
};

template <typename T>
using DeviceMemory = Memory<T, MemoryKind::device>;
template <typename T>
using PinnedMemory = Memory<T, MemoryKind::pinned_host>;

class Stream {
 public:
    Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "create a stream"); }
    ~Stream() { (void)cudaStreamDestroy(stream_); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    operator cudaStream_t() const { return stream_; }
    void wait() const { check(cudaStreamSynchronize(stream_), "finish the evaluation"); }

 private:
    cudaStream_t stream_ = nullptr;
};

/// What a stream was told in the scope of a function, to be told again at once.
class Graph {
 public:
    template <typename F>
    Graph(const Stream& stream, const F& record) {
        cudaGraph_t graph = nullptr;
        check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture a graph");
        try {
            record();
        } catch (...) {
            (void)cudaStreamEndCapture(stream, &graph);
            if (graph) (void)cudaGraphDestroy(graph);
            throw;
        }
        check(cudaStreamEndCapture(stream, &graph), "capture a graph");
        const cudaError_t status = cudaGraphInstantiate(&executable_, graph, 0);
        (void)cudaGraphDestroy(graph);
        check(status, "build a graph");
    }
    ~Graph() { (void)cudaGraphExecDestroy(executable_); }
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    void launch(const Stream& stream) const { check(cudaGraphLaunch(executable_, stream), "launch a graph"); }

 private:
    cudaGraphExec_t executable_ = nullptr;
};

}  // namespace pyamp::cuda
