// SHA-256 (FIPS 180-4), for the integrity of model files.
#pragma once

#include <cstddef>
#include <string>

namespace pyamp {

/// Lower-case hexadecimal digest.
std::string sha256(const void* data, std::size_t size);

}  // namespace pyamp
