// Whether this processor multiplies tiles of bfloat16, and this process may.
#pragma once

#include <string>

namespace pyamp::amx {

/// Empty if they can be used. The first call asks Linux for the permission, which holds for all threads from then on.
const std::string& obstacle_of_processor();

}  // namespace pyamp::amx
