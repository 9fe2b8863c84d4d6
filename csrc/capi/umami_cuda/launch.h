// The launch of what finish.h does with each event.
#pragma once

#include <cuda_runtime_api.h>

#include "capi/umami_cuda/finish.h"

namespace pyamp::umami {

/// On the current device, asynchronously.
cudaError_t launch(const Finish& finish, std::size_t count, cudaStream_t stream);

}  // namespace pyamp::umami
