// Where LibTorch computes.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace pyamp {

/// "cpu", "cuda" or "cuda:N"; throws pyamp::Error for what does not exist here.
at::Device device_from_name(const std::string& name);

}  // namespace pyamp
