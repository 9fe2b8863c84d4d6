// The numbers of a model file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pyamp {

enum class Dtype { float32, float64 };
Dtype dtype_from_name(const std::string& name, const std::string& where);
const char* name_of(Dtype dtype);

using Shape = std::vector<std::int64_t>;

struct Tensor {
    Dtype dtype;
    Shape shape;
    std::vector<double> values;  ///< row-major; a float32 is exact in a double
};

}  // namespace pyamp
