// Streams that do nothing until they are awaited, so that a missing wait shows.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

namespace pyamp::on_host {

void enqueue(cudaStream_t stream, std::function<void()> work);

}  // namespace pyamp::on_host

extern "C" {
/// Pieces of work that the stream still has to do.
int on_host_pending(void* stream);
void on_host_wait(void* stream);
void on_host_set_device_count(int count);
}
